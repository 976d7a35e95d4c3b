"""Gaps against SciPy and statsmodels, closed forms, and simulations with and without a true gap."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from workbench.errors import BadInput
from workbench.statistics import gaps, intervals
from workbench.statistics.gaps import gap, omnibus, pairwise

COUNTS = {"a": (14, 100), "b": (22, 90), "c": (60, 200)}


def test_value_ends_and_ratio_are_plain_arithmetic() -> None:
    found = gap(COUNTS, rng=0)
    assert found.value == pytest.approx(0.30 - 0.14)
    assert (found.lowest, found.highest) == ("a", "c")
    assert found.ratio == pytest.approx(0.14 / 0.30)
    assert (found.k, found.n, found.smallest) == (96, 390, 90)
    assert found.low <= found.value <= found.high


def test_the_null_is_what_shuffled_labels_give() -> None:
    found = gap(COUNTS, rng=0, resamples=20_000)
    rng, sizes = np.random.default_rng(1), np.array([100, 90, 200])
    hits = np.repeat([True, False], [96, 294])
    edges = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    drawn = [np.ptp(np.add.reduceat(rng.permutation(hits), edges) / sizes) for _ in range(8000)]
    assert found.null_mean == pytest.approx(np.mean(drawn), abs=0.002)
    assert found.null_q95 == pytest.approx(np.quantile(drawn, 0.95), abs=0.005)
    assert found.p_value == pytest.approx(np.mean(np.array(drawn) >= found.value - 1e-12), abs=0.006)


def test_the_null_has_a_closed_form_for_two_tiny_groups() -> None:
    found = gap({"a": (1, 1), "b": (0, 1)}, rng=0, resamples=500)  # one success, two members: the gap is always 1
    assert (found.null_mean, found.null_q95, found.p_value) == (1, 1, 1)
    half = gap({"a": (2, 2), "b": (0, 2)}, rng=0, resamples=30_000)  # gap 1 in 2 of 6 deals, else 0
    assert half.p_value == pytest.approx(1 / 3, abs=0.01)
    assert half.null_mean == pytest.approx(1 / 3, abs=0.01)


def test_strata_take_off_what_they_explain() -> None:
    """Within each stratum all groups are alike; only the mix differs."""
    strata = {"easy": {"a": (90, 100), "b": (9, 10)}, "hard": {"a": (1, 10), "b": (10, 100)}}
    counts = {"a": (91, 110), "b": (19, 110)}
    assert gap(counts, rng=0).p_value < 0.001
    within = gap(counts, rng=0, strata=strata)
    assert within.value == pytest.approx(72 / 110)
    assert within.p_value > 0.3
    assert within.null_mean == pytest.approx(72 / 110, abs=0.02)
    assert within.omnibus.p_value > 0.3
    assert within.omnibus.freedom == 2
    with pytest.raises(BadInput, match="add up"):
        gap(counts, rng=0, strata={"easy": strata["easy"]})


def test_the_omnibus_test_is_scipys() -> None:
    found = omnibus([COUNTS], rng=0)
    table = np.array([[k, n - k] for k, n in COUNTS.values()])
    theirs = stats.chi2_contingency(table, correction=False)
    assert found.statistic == pytest.approx(theirs.statistic)
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert found.freedom == 2


def test_small_tables_take_exact_or_simulated_tests() -> None:
    two = omnibus([{"a": (1, 6), "b": (5, 6)}], rng=0)
    assert two.method == "Fisher exact"
    assert two.p_value == pytest.approx(stats.fisher_exact([[1, 5], [5, 1]]).pvalue)
    three = omnibus([{"a": (0, 4), "b": (2, 5), "c": (5, 5)}], rng=0, resamples=20_000)
    assert three.method == "chi-square, permutation"
    assert three.p_value == pytest.approx(enumerated([0, 2, 5], [4, 5, 5]), abs=0.005)
    assert omnibus([{"a": (0, 4), "b": (0, 5)}], rng=0).p_value is None


def enumerated(k: list[int], n: list[int]) -> float:
    """Exact p-value of Pearson's statistic over all tables with the same margins."""

    def statistic(x: tuple[int, ...]) -> float:
        rate = sum(k) / sum(n)
        return sum((a - b * rate) ** 2 / (b * rate * (1 - rate)) for a, b in zip(x, n, strict=True))

    total, hit = 0.0, 0.0
    for a in range(n[0] + 1):
        for b in range(n[1] + 1):
            c = sum(k) - a - b
            if 0 <= c <= n[2]:
                weight = math.comb(n[0], a) * math.comb(n[1], b) * math.comb(n[2], c)
                total += weight
                hit += weight * (statistic((a, b, c)) >= statistic(tuple(k)) - 1e-9)
    return hit / total


def test_between_variance_is_unbiased() -> None:
    rng, n = np.random.default_rng(0), [40, 60, 90]
    for true in ([0.3, 0.3, 0.3], [0.2, 0.3, 0.5]):
        drawn = rng.binomial(n, true, size=(4000, 3))
        found = [
            gaps.between_variance({i: (int(k), s) for i, (k, s) in enumerate(zip(row, n, strict=True))})
            for row in drawn
        ]
        raw = np.var(drawn / n, axis=1, ddof=1)
        error = 4 * np.std(found) / math.sqrt(4000)
        assert np.mean(found) == pytest.approx(np.var(true, ddof=1), abs=error)
        assert raw.mean() - np.var(true, ddof=1) > error  # what is plugged in is biased
    assert gaps.between_variance({"a": (1, 2), "b": (1, 1)}) is None


def test_pairs_are_statsmodels_and_one_family() -> None:
    found = pairwise(COUNTS, correction="holm")
    assert [(pair.group, pair.reference) for pair in found] == [("b", "a"), ("c", "a"), ("c", "b")]
    low, high = confint_proportions_2indep(60, 200, 14, 100, method="newcomb")
    assert (found[1].difference.low, found[1].difference.high) == (pytest.approx(low), pytest.approx(high))
    theirs = stats.chi2_contingency([[60, 140], [14, 86]], correction=False).pvalue
    assert found[1].p_value == pytest.approx(theirs)
    assert found[1].p_adj == pytest.approx(3 * theirs)  # the smallest of three
    assert {pair.tests for pair in found} == {3}
    against = pairwise(COUNTS, reference="b", correction="none")
    assert [pair.group for pair in against] == ["a", "c"]
    assert against[0].p_adj == against[0].p_value
    with pytest.raises(BadInput, match="'z'"):
        pairwise(COUNTS, reference="z")


@pytest.mark.parametrize("counts", [{}, {"a": (1, 2)}, {"a": (1, 2), "b": (0, 0)}])
def test_fewer_than_two_groups_have_no_gap(counts: dict[str, tuple[int, int]]) -> None:
    found = gap(counts, rng=0)
    assert (found.value, found.low, found.p_value, found.lowest) == (None, None, None, None)
    assert found.interval.method.startswith("undefined")


def test_groups_without_members_are_named_and_not_counted_as_zero() -> None:
    found = gap({**COUNTS, "nobody": (0, 0)}, rng=0)
    assert found.value == pytest.approx(0.16)
    assert found.empty == ("nobody",)
    assert "nobody" in found.method


def test_nothing_varies() -> None:
    found = gap({1: (0, 50), None: (0, 70)}, rng=0)  # group names may be anything
    assert found.flags == ("degenerate",)
    assert (found.value, found.low, found.p_value, found.ratio) == (0, 0, 1, None)
    assert 0 < found.high < 0.1  # no difference seen is not no difference
    assert found.omnibus.p_value is None


def test_same_seed_same_gap_and_ten_thousand_resamples_are_quick() -> None:
    assert gap(COUNTS, rng=4) == gap(COUNTS, rng=4)
    seven = {group: (150 + group, 1500) for group in range(7)}
    gap(seven, rng=0)
    start = time.perf_counter()
    gap(seven, rng=0, resamples=10_000)
    assert time.perf_counter() - start < 1.0  # about 20 ms on an idle machine


def test_the_bounds_of_two_groups_are_near_newcombes() -> None:
    found = gap({"a": (30, 100), "b": (60, 100)}, rng=0)
    newcombe = intervals.difference((60, 100), (30, 100))
    assert newcombe.low - 0.03 < found.low < newcombe.low  # it allows for either group being the higher one
    assert found.high == pytest.approx(newcombe.high, abs=1e-9)


def test_more_groups_alike_widen_the_lower_bound_only() -> None:
    pair = gap({"a": (30, 100), "b": (60, 100)}, rng=0)
    many = gap({"a": (30, 100), "b": (60, 100), **{str(at): (45, 100) for at in range(8)}}, rng=0)
    assert many.low < pair.low - 0.02
    assert many.high == pytest.approx(pair.high)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "true", [[0.15] * 7, [0.5, 0.5], [0.03] * 4, [0.1, 0.15, 0.2, 0.3], [0.02, 0.02, 0.06]], ids=str
)
def test_gaps_cover_and_raise_few_false_alarms(true: list[float]) -> None:
    """2,000 runs: bounds miss a true gap at most 2.5 % of the time each; tests reject no more than 5 % without one."""
    rng, runs = np.random.default_rng(1), 2000
    sizes, distance = [60, 200, 100, 400, 150, 90, 300][: len(true)], max(true) - min(true)
    over, under, alarms, tests = 0, 0, 0, 0
    for row in rng.binomial(sizes, true, size=(runs, len(true))).tolist():
        found = gap(dict(enumerate(zip(row, sizes, strict=True))), rng=rng, resamples=400)
        over += found.low > distance
        under += found.high < distance
        alarms += found.p_value <= 0.05
        tests += (found.omnibus.p_value or 0 if found.omnibus.p_value is not None else 1) <= 0.05
    tail = 0.025 + 3 * math.sqrt(0.025 * 0.975 / runs)
    assert over / runs <= tail
    assert under / runs <= tail
    if distance == 0:
        limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
        assert alarms / runs <= limit
        assert tests / runs <= limit
    elif distance >= 0.2:
        assert alarms / runs > 0.8  # a gap of 20 points is found
