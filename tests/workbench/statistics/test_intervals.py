"""Intervals against statsmodels, SciPy, scikit-learn, published examples, and simulations of known truth."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

from workbench.errors import BadInput
from workbench.statistics import differences, intervals
from workbench.statistics.clusters import effective

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None)
@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_shares_are_statsmodels(pair: tuple[int, int], level: float) -> None:
    k, n = pair
    for method, theirs in (("wilson", "wilson"), ("clopper-pearson", "beta")):
        result = intervals.proportion(k, n, level=level, method=method)
        low, high = proportion_confint(k, n, alpha=1 - level, method=theirs)
        assert result.value == k / n
        assert (result.low, result.high) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))
    assert result.n == n


def roots(k: int, n: int, level: float) -> tuple[float, float]:
    """The roots of (p - pi)^2 = z^2 pi (1 - pi) / n, as Wilson gives them."""
    z = NormalDist().inv_cdf(0.5 + level / 2)
    middle = k + z * z / 2
    half = z * math.sqrt(k * (n - k) / n + z * z / 4)
    return (middle - half) / (n + z * z), (middle + half) / (n + z * z)


@settings(deadline=None)
@given(st.integers(40, 5000).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n))), st.floats(0.5, 0.999))
def test_the_policy_is_wilsons_closed_form_where_there_is_enough(pair: tuple[int, int], level: float) -> None:
    share = intervals.proportion(*pair, level=level)
    assert (share.low, share.high) == pytest.approx(roots(*pair, level), abs=1e-9)


@settings(deadline=None)
@given(st.integers(1, 39).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_policy_is_exact_where_there_is_little(pair: tuple[int, int]) -> None:
    k, n = pair
    share = intervals.proportion(k, n)
    if k:
        assert stats.binom.sf(k - 1, n, share.low) == pytest.approx(0.025)
    if k < n:
        assert stats.binom.cdf(k, n, share.high) == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # Newcombe 1998, Stat. Med. 17:857, table I, method 3 (score, no continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_equals_published_examples(k: int, n: int, low: float, high: float) -> None:
    share = intervals.proportion(k, n, method="wilson")
    assert (round(share.low, 4), round(share.high, 4), share.method) == (low, high, "Wilson")


def test_a_share_prints_its_interval_count_and_method() -> None:
    assert str(intervals.proportion(81, 263)) == "30.8 % (95 % interval 25.5 to 36.6 %, n = 263, Wilson)"
    assert str(intervals.proportion(20, 20)) == "100.0 % (95 % interval 83.2 to 100.0 %, n = 20, Clopper-Pearson)"
    assert str(intervals.proportion(0, 0)) == "not measured (n = 0)"


def test_a_share_of_known_size() -> None:
    result = intervals.proportion(22, 1556)
    assert (result.low, result.high) == (pytest.approx(0.00935, abs=1e-5), pytest.approx(0.02132, abs=1e-5))
    none = intervals.proportion(0, 1516)
    assert none.low == 0
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 1516), rel=1e-9)  # closed form of Clopper and Pearson at k = 0


@pytest.mark.parametrize(
    ("k", "n", "method"),
    [(0, 100, "Clopper-Pearson"), (100, 100, "Clopper-Pearson"), (5, 39, "Clopper-Pearson"), (5, 40, "Wilson")],
)
def test_auto_is_exact_where_few_or_none(k: int, n: int, method: str) -> None:
    assert intervals.proportion(k, n).method == method


def test_nothing_counted_is_undefined_and_says_so() -> None:
    for result in (intervals.proportion(0, 0), differences.difference((0, 0), (1, 2)), intervals.mean([])):
        assert (result.value, result.low, result.high) == (None, None, None)
        assert "undefined: n = 0" in result.method
        assert str(result).startswith("not measured")


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3), (1.5, 3), (1, -1)])
def test_counts_that_cannot_be_are_refused(k: float, n: float) -> None:
    with pytest.raises(BadInput, match="whole numbers"):
        intervals.proportion(k, n)
    with pytest.raises(BadInput, match="whole numbers"):
        differences.difference((1, 2), (k, n))


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(BadInput, match=r"such as 0\.95"):
        intervals.proportion(1, 2, level=level)


def test_methods_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput, match="wald"):
        intervals.proportion(1, 2, method="wald")


def test_a_published_difference() -> None:
    result = differences.difference((56, 70), (48, 80))  # Newcombe 1998, table II, column (a), method 5
    assert result.value == pytest.approx(0.2)
    assert (result.low, result.high) == (pytest.approx(0.0528, abs=5e-5), pytest.approx(0.3382, abs=5e-5))
    chi = stats.chi2_contingency([[56, 14], [48, 32]], correction=False).statistic
    assert differences.difference_test((56, 70), (48, 80)) == pytest.approx(stats.chi2.sf(chi * 149 / 150, 1))


@settings(deadline=None, max_examples=40)
@given(counts, counts)
def test_the_score_bounds_are_where_the_score_is_z(first: tuple[int, int], second: tuple[int, int]) -> None:
    result = differences.difference(first, second)
    assert -1 <= result.low <= result.value + 1e-9
    assert result.value - 1e-9 <= result.high <= 1
    for bound in (result.low, result.high):
        if abs(bound) < 1 - 1e-6 and abs(bound - result.value) > 1e-6:
            z = (result.value - bound) / math.sqrt(searched_variance(first, second, bound))
            assert abs(z) == pytest.approx(stats.norm.ppf(0.975), rel=1e-3)


def searched_variance(first: tuple[int, int], second: tuple[int, int], d: float) -> float:
    """The variance at the likeliest shares that are d apart, found by search instead of by formula."""

    def against(p2: float) -> float:
        parts = [(first, p2 + d), (second, p2)]
        return -sum(float(stats.binom.logpmf(k, n, min(max(p, 1e-12), 1 - 1e-12))) for (k, n), p in parts)

    ends = max(0.0, -d), min(1.0, 1 - d)
    p2 = optimize.minimize_scalar(against, bounds=ends, method="bounded", options={"xatol": 1e-10}).x
    n = first[1] + second[1]
    return ((p2 + d) * (1 - p2 - d) / first[1] + p2 * (1 - p2) / second[1]) * n / (n - 1)


def test_means_are_students() -> None:
    values = [1.0, 2.0, 4.0, 7.0]
    result = intervals.mean(values, level=0.9)
    low, high = stats.t.interval(0.9, 3, np.mean(values), stats.sem(values))
    assert (result.value, result.low, result.high) == (3.5, pytest.approx(low), pytest.approx(high))
    one = intervals.mean([3])
    assert (one.value, one.low, one.high) == (3, None, None)
    with pytest.raises(BadInput, match="1 of 2"):
        intervals.mean([1, math.nan])


def test_bootstraps_are_scipys_and_seeded() -> None:
    values = np.random.default_rng(3).exponential(size=60)
    result = intervals.bootstrap(values, np.median, rng=5)
    theirs = stats.bootstrap((values,), np.median, n_resamples=2000, rng=np.random.default_rng(5), vectorized=False)
    assert result.value == np.median(values)
    assert (result.low, result.high) == tuple(map(float, theirs.confidence_interval))
    assert result == intervals.bootstrap(values, np.median, rng=5)
    assert result != intervals.bootstrap(values, np.median, rng=6)
    assert result.method == "BCa bootstrap"


@pytest.mark.parametrize("cluster", [None, np.repeat(np.arange(25), 4)])
def test_the_quick_way_of_a_mean_is_the_slow_way(cluster: np.ndarray | None) -> None:
    values = np.random.default_rng(0).normal(size=100)
    quick = intervals.bootstrap(values, rng=1, cluster=cluster)
    slow = intervals.bootstrap(values, lambda rows: float(rows.mean()), rng=1, cluster=cluster)
    assert (quick.low, quick.high) == (pytest.approx(slow.low), pytest.approx(slow.high))


def test_clusters_widen_what_copies_would_narrow() -> None:
    values = np.random.default_rng(0).normal(size=50)
    alone = intervals.bootstrap(values, rng=1)
    copies = intervals.bootstrap(np.repeat(values, 4), rng=1, cluster=np.repeat(np.arange(50), 4))
    blind = intervals.bootstrap(np.repeat(values, 4), rng=1)
    assert copies.high - copies.low == pytest.approx(alone.high - alone.low, rel=0.05)
    assert blind.high - blind.low == pytest.approx((alone.high - alone.low) / 2, rel=0.15)


def test_bootstraps_at_the_edge() -> None:
    assert intervals.bootstrap([], rng=0).value is None
    assert intervals.bootstrap([4.0], rng=0).low is None
    assert intervals.bootstrap(np.ones(9), rng=0).method == "degenerate bootstrap"
    assert intervals.bootstrap([1.0, 2.0], lambda rows: math.nan, rng=0).value is None
    with pytest.raises(BadInput, match="one cluster"):
        intervals.bootstrap([1.0, 2.0], rng=0, cluster=["a"])
    with pytest.raises(BadInput, match="missing"):
        intervals.bootstrap([1.0, 2.0], rng=0, cluster=["a", None])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=60))
def test_auroc_is_that_of_mann_and_whitney(cases: list[tuple[int, bool]]) -> None:
    scores, positives = zip(*cases, strict=True)
    result = intervals.auroc(scores, positives)
    if len(set(positives)) < 2:
        assert result.value is None
        return
    ones, zeros = ([s for s, p in cases if p is which] for which in (True, False))
    wins = sum((one > zero) + (one == zero) / 2 for one in ones for zero in zeros)  # Mann and Whitney, pair by pair
    assert result.value == pytest.approx(wins / len(ones) / len(zeros))
    assert 0 <= result.low <= result.value <= result.high <= 1
    assert result.high > result.low
    turned = intervals.auroc([-score for score in scores], positives)
    assert (1 - turned.high, 1 - turned.low) == (pytest.approx(result.low), pytest.approx(result.high))


def test_counts_shrink_to_independent_cases() -> None:
    hits = np.random.default_rng(0).random(400) < 0.3
    alone = effective(hits, None)
    assert alone == (int(hits.sum()), 400)
    k, n = effective(np.repeat(hits, 5), np.repeat(np.arange(400), 5))  # five copies tell no more than one
    assert n == pytest.approx(400, abs=2)
    assert k / n == pytest.approx(hits.mean(), abs=0.002)
    assert effective(np.zeros(12), np.repeat(np.arange(4), 3)) == (0, 4)
    assert effective(np.ones(12), np.repeat(np.arange(4), 3)) == (4, 4)
    assert effective([], []) == (0, 0)
    with pytest.raises(BadInput, match="0 or 1"):
        effective([0.5], None)


@pytest.mark.parametrize("p", [0.05, 0.2, 0.5, 0.83])
def test_wilson_and_clopper_pearson_cover(p: float) -> None:
    n, runs = 200, 20_000
    seen = np.bincount(np.random.default_rng(7).binomial(n, p, size=runs), minlength=n + 1) / runs
    result = {m: [intervals.proportion(k, n, method=m) for k in range(n + 1)] for m in ("wilson", "clopper-pearson")}
    cover = {m: sum(w for w, i in zip(seen, each, strict=True) if i.low <= p <= i.high) for m, each in result.items()}
    assert 0.93 <= cover["wilson"] <= 0.97
    assert cover["clopper-pearson"] >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(("p1", "p2"), [(0.1, 0.2), (0.5, 0.5), (0.8, 0.6), (0.05, 0.05)])
def test_differences_cover(p1: float, p2: float) -> None:
    rng, n1, n2, runs = np.random.default_rng(11), 90, 150, 2000
    pairs, often = np.unique(
        np.stack([rng.binomial(n1, p1, runs), rng.binomial(n2, p2, runs)]), axis=1, return_counts=True
    )
    result = [differences.difference((k1, n1), (k2, n2)) for k1, k2 in pairs.T.tolist()]
    cover = sum(w for w, i in zip(often, result, strict=True) if i.low <= p1 - p2 <= i.high) / runs
    assert 0.93 <= cover <= (0.97 if p1 > 0.05 else 0.98)


@settings(deadline=None, max_examples=60)
@given(counts, counts, st.sampled_from([0.8, 0.95, 0.995]))
def test_a_difference_excludes_0_exactly_where_its_test_rejects(
    first: tuple[int, int], second: tuple[int, int], level: float
) -> None:
    result = differences.difference(first, second, level=level)
    assert (result.low > 0 or result.high < 0) == (differences.difference_test(first, second) < 1 - level)
    assert result.at_level(level) == result


def test_newcombes_auroc_covers() -> None:
    rng, runs, true = np.random.default_rng(2), 2000, float(stats.norm.cdf(1 / math.sqrt(2)))
    positives = np.repeat([True, False], [40, 60])
    scores = rng.normal(size=(runs, 100)) + positives  # binormal, one standard deviation apart
    result = [intervals.auroc(row, positives) for row in scores]
    assert 0.93 <= np.mean([one.low <= true <= one.high for one in result]) <= 0.97
