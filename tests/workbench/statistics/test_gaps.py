"""Gaps against SciPy, definitions and closed forms; simulations with and without a true gap."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.errors import BadInput
from workbench.statistics import differences
from workbench.statistics.gaps import gap, gap_of_cases, in_large_groups, pairwise
from workbench.statistics.measures import adjust, number, of_gap
from workbench.statistics.omnibus import omnibus

COUNTS = {"a": (14, 100), "b": (22, 90), "c": (60, 200)}


def test_value_and_ends_are_plain_arithmetic() -> None:
    result = gap(COUNTS, rng=0)
    assert result.interval.value == pytest.approx(0.30 - 0.14)
    assert (result.lowest, result.highest) == ("a", "c")
    assert (result.k, result.n, result.smallest) == (96, 390, 90)
    assert result.interval.low <= result.interval.value <= result.interval.high


def score(first: tuple[int, int], second: tuple[int, int]) -> float:
    """The studentised difference from its definition: pooled variance, times N / (N - 1)."""
    (k1, n1), (k2, n2) = first, second
    pooled, n = (k1 + k2) / (n1 + n2), n1 + n2
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2) * n / (n - 1)
    return abs(k1 / n1 - k2 / n2) / math.sqrt(variance) if variance else 0.0


def test_the_null_is_what_shuffled_labels_give() -> None:
    result = gap(COUNTS, rng=0, resamples=20_000)
    rng, sizes = np.random.default_rng(1), np.array([100, 90, 200])
    hits = np.repeat([True, False], [96, 294])
    edges = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    drawn = [np.add.reduceat(rng.permutation(hits), edges) for _ in range(8000)]
    distances = [np.ptp(k / sizes) for k in drawn]
    assert result.null_mean == pytest.approx(np.mean(distances), abs=0.002)
    assert result.null_q95 == pytest.approx(np.quantile(distances, 0.95), abs=0.005)

    def largest(counts: list[tuple[int, int]]) -> float:
        return max(score(one, other) for at, one in enumerate(counts) for other in counts[:at])

    null = [largest(list(zip(k.tolist(), sizes.tolist(), strict=True))) for k in drawn]
    assert result.p_value == pytest.approx(np.mean(np.array(null) >= largest(list(COUNTS.values())) - 1e-9), abs=0.004)


def test_the_null_has_a_closed_form_for_two_tiny_groups() -> None:
    result = gap({"a": (1, 1), "b": (0, 1)}, rng=0, resamples=500)  # one success, two members: the gap is always 1
    assert (result.null_mean, result.null_q95, result.p_value) == (1, 1, 1)
    half = gap({"a": (2, 2), "b": (0, 2)}, rng=0, resamples=30_000)  # gap 1 in 2 of 6 deals, else 0
    assert half.interval.low == 0
    assert half.p_value == pytest.approx(1 / 3, abs=0.01)
    assert half.null_mean == pytest.approx(1 / 3, abs=0.01)


def test_strata_take_off_what_they_explain() -> None:
    """Within each stratum all groups are alike; only the mix differs."""
    strata = {"easy": {"a": (90, 100), "b": (9, 10)}, "hard": {"a": (1, 10), "b": (10, 100)}}
    counts = {"a": (91, 110), "b": (19, 110)}
    assert gap(counts, rng=0).p_value < 0.001
    within = gap(counts, rng=0, strata=strata)
    assert within.interval.value == pytest.approx(72 / 110)
    assert within.p_value > 0.3
    assert within.null_mean == pytest.approx(72 / 110, abs=0.02)
    assert within.interval.low == 0  # the interval knows of the strata as the test does
    whole = omnibus(list(strata.values()), rng=0)
    assert whole.p_value > 0.3
    assert whole.freedom == 2
    with pytest.raises(BadInput, match="add up"):
        gap(counts, rng=0, strata={"easy": strata["easy"]})


def test_the_omnibus_test_is_scipys() -> None:
    result = omnibus([COUNTS], rng=0)
    table = np.array([[k, n - k] for k, n in COUNTS.values()])
    theirs = stats.chi2_contingency(table, correction=False)
    assert result.statistic == pytest.approx(theirs.statistic)
    assert result.p_value == pytest.approx(theirs.pvalue)
    assert result.freedom == 2


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


def test_pairs_are_score_tests_and_one_family() -> None:
    result = pairwise(COUNTS, correction="holm")
    assert [(pair.group, pair.reference) for pair in result] == [("b", "a"), ("c", "a"), ("c", "b")]
    chi = stats.chi2_contingency([[60, 140], [14, 86]], correction=False).statistic
    assert result[1].p_value == pytest.approx(stats.chi2.sf(chi * 299 / 300, 1))
    assert result[1].p_adj == pytest.approx(3 * result[1].p_value)  # the smallest of three
    assert {pair.tests for pair in result} == {3}
    wide = differences.difference((60, 200), (14, 100), level=1 - 0.05 / 3)  # Holm's level of the smallest p-value
    assert (result[1].difference.low, result[1].difference.high) == (pytest.approx(wide.low), pytest.approx(wide.high))
    assert "simultaneous, holm, 3 tests" in result[1].difference.method
    against = pairwise(COUNTS, reference="b", correction="none")
    assert [pair.group for pair in against] == ["a", "c"]
    assert against[0].p_adj == against[0].p_value
    with pytest.raises(BadInput, match="'z'"):
        pairwise(COUNTS, reference="z")


@pytest.mark.parametrize("counts", [{}, {"a": (1, 2)}, {"a": (1, 2), "b": (0, 0)}])
def test_fewer_than_two_groups_have_no_gap(counts: dict[str, tuple[int, int]]) -> None:
    result = gap(counts, rng=0)
    assert (result.interval.value, result.interval.low, result.p_value, result.lowest) == (None, None, None, None)
    assert result.interval.method.startswith("undefined")


def test_groups_without_members_are_named_and_not_counted_as_zero() -> None:
    result = gap({**COUNTS, "nobody": (0, 0)}, rng=0)
    assert result.interval.value == pytest.approx(0.16)
    assert result.empty == ("nobody",)
    assert "nobody" in result.interval.method


def test_nothing_varies() -> None:
    result = gap({1: (0, 50), None: (0, 70)}, rng=0)  # group names may be anything
    assert result.flags == ("degenerate",)
    assert (result.interval.value, result.interval.low, result.p_value) == (0, 0, 1)
    assert 0 < result.interval.high < 0.1  # no difference seen is not no difference


def test_same_seed_same_gap_and_ten_thousand_resamples_are_quick() -> None:
    assert gap(COUNTS, rng=4) == gap(COUNTS, rng=4)
    seven = {group: (150 + group, 1500) for group in range(7)}
    gap(seven, rng=0)
    start = time.perf_counter()
    gap(seven, rng=0, resamples=10_000)
    assert time.perf_counter() - start < 1.0  # about 20 ms on an idle machine


def test_two_groups_have_about_the_interval_of_a_difference() -> None:
    result, alone = gap({"a": (30, 100), "b": (60, 100)}, rng=0).interval, differences.difference((60, 100), (30, 100))
    assert (result.low, result.high) == (pytest.approx(alone.low, abs=0.012), pytest.approx(alone.high, abs=0.012))


def test_more_groups_widen_the_interval() -> None:
    pair = gap({"a": (30, 100), "b": (60, 100)}, rng=0).interval
    many = gap({"a": (30, 100), "b": (60, 100), **{str(at): (45, 100) for at in range(8)}}, rng=0).interval
    assert many.low < pair.low - 0.02
    assert many.high > pair.high + 0.02


def test_a_tiny_group_does_not_silence_a_gap() -> None:
    """800 of 1000 against 700 of 1000, and beside them 7 of 10, which no gap of ten points can be told from."""
    two = gap({"a": (800, 1000), "b": (700, 1000)}, rng=0)
    three = gap({"a": (800, 1000), "b": (700, 1000), "c": (7, 10)}, rng=0)
    assert three.p_value == two.p_value < 0.001
    assert two.interval.low > three.interval.low > 0.05
    assert three.interval.high > 0.4 > 0.15 > two.interval.high  # as wide as the tiny group makes it
    assert (three.n, three.smallest) == (2010, 10)


@pytest.mark.parametrize(
    ("counts", "value"),
    [
        ({"White": (364, 485), "Black": (364, 485), "Indian": (0, 29)}, 364 / 485),
        ({"A": (480, 600), "B": (480, 600), "minor": (0, 29)}, 0.8),
        ({"A": (800, 1000), "B": (700, 1000), "three": (2, 3)}, 0.8 - 2 / 3),
        ({"A": (800, 1000), "B": (700, 1000), "three": (3, 3)}, 0.3),
        ({**{str(at): (15, 29) for at in range(12)}, "low": (0, 29)}, 15 / 29),  # all groups are small
    ],
)
def test_no_group_is_left_out_for_its_size(counts: dict[str, tuple[int, int]], value: float) -> None:
    result = gap(counts, rng=0)
    assert result.interval.value == pytest.approx(value)
    assert result.p_value < 0.002
    assert 0.05 < result.interval.low <= value <= result.interval.high
    assert (result.n, result.smallest) == (sum(n for _, n in counts.values()), min(n for _, n in counts.values()))


def test_large_groups_are_those_of_thirty_cases() -> None:
    names = ["a"] * 30 + ["b"] * 31 + ["c"] * 29
    assert in_large_groups(names).tolist() == [name != "c" for name in names]
    assert in_large_groups(names[:61]) is None  # none is small
    assert in_large_groups(names[31:]) is None  # one is large


def test_groups_that_are_all_small_are_compared_and_studentised() -> None:
    result = gap({"a": (19, 20), "b": (4, 20), "c": (1, 2)}, rng=0)
    assert result.interval.value == pytest.approx(0.75)
    assert result.p_value < 0.01
    assert result.interval.low > 0.2


def test_matched_clusters_are_strata_and_others_count_for_less() -> None:
    """Each of 60 scenes shows both groups, and only the scene decides: no gap. Five copies of a case are one case."""
    rng = np.random.default_rng(0)
    scene, group = np.repeat(np.arange(60), 6), np.tile(["a", "b"], 180)
    easy = np.repeat(rng.random(60) < 0.5, 6).astype(float)
    result = gap_of_cases(easy, group, rng=0, cluster=scene)
    assert (result.interval.value, result.interval.low) == (pytest.approx(0), 0)
    hits = (rng.random(360) < np.where(group == "a", 0.5, 0.4)).astype(float)
    alone, strata = gap_of_cases(hits, group, rng=0), gap_of_cases(hits, group, rng=0, cluster=scene)
    assert strata.interval.value == alone.interval.value
    apart = gap_of_cases(np.repeat(hits, 5), np.repeat(group, 5), rng=0, cluster=np.repeat(np.arange(360), 5))
    assert apart.n == 1800
    assert apart.interval.value == pytest.approx(alone.interval.value)
    width = [one.interval.high - one.interval.low for one in (alone, apart)]
    assert width[1] == pytest.approx(width[0], rel=0.1)
    assert apart.interval.method.endswith("design effect")


table = st.dictionaries(
    st.sampled_from("abcdef"),
    st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=2,
    max_size=6,
)


@settings(deadline=None, max_examples=30)
@given(st.lists(table, min_size=1, max_size=6), st.sampled_from(["holm", "bh", "none"]))
def test_an_interval_excludes_0_exactly_where_its_adjusted_test_rejects(
    tables: list[dict[str, tuple[int, int]]], correction: str
) -> None:
    rows = [of_gap("rate", gap(counts, rng=0, resamples=199), slice_by="group") for counts in tables]
    for row in adjust(rows, correction):
        assert (row.ci_low > 0) == (row.p_adj < 0.05)
        assert row.ci_low <= row.value <= row.ci_high


@settings(deadline=None, max_examples=20)
@given(table)
def test_so_does_each_pair(counts: dict[str, tuple[int, int]]) -> None:
    for pair in pairwise(counts):
        assert (pair.difference.low > 0 or pair.difference.high < 0) == (pair.p_adj < 0.05)


@pytest.mark.heavy
def test_a_familys_intervals_hold_together() -> None:
    """Ten true differences of 0 at once: all intervals hold 0 in about 95 of 100 families, single ones would in 60."""
    rng, whole, single = np.random.default_rng(3), 0, 0
    for _ in range(60):
        pairs = [((int(a), 80), (int(b), 80)) for a, b in rng.binomial(80, 0.4, size=(10, 2))]
        tests = [(differences.difference(*pair), differences.difference_test(*pair)) for pair in pairs]
        rows = [number("d", interval, p_value=p_value, family="f") for interval, p_value in tests]
        whole += all(row.ci_low <= 0 <= row.ci_high for row in adjust(rows))
        single += all(row.ci_low <= 0 <= row.ci_high for row in rows)
    assert 0.87 <= whole / 60 <= 1
    assert single / 60 < 0.8


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("true", "sizes"),
    [
        ([0.15] * 7, [60, 200, 100, 400, 150, 90, 300]),
        ([0.5, 0.5], [60, 200]),
        ([0.03] * 4, [60, 200, 100, 400]),
        ([0.1, 0.15, 0.2, 0.3], [60, 200, 100, 400]),
        ([0.02, 0.02, 0.06], [60, 200, 100]),
        ([0.75] * 3, [485, 485, 29]),
        ([0.98] * 6, [1000, 1000, 3, 3, 3, 3]),
        ([0.5] * 5, [400, 200, 5, 2, 1]),
        ([0.5] * 10, [29] * 10),
        ([0.8, 0.8, 0.6], [600, 600, 29]),
        ([0.8, 0.7, 0.75], [1000, 1000, 3]),
    ],
    ids=str,
)
def test_gaps_cover_and_raise_few_false_alarms(true: list[float], sizes: list[int]) -> None:
    """2,000 runs: intervals miss a true gap at most 5 % of the time; tests reject no more than 5 % without one."""
    rng, runs = np.random.default_rng(1), 2000
    distance = max(true) - min(true)
    missed, alarms, tests = 0, 0, 0
    for row in rng.binomial(sizes, true, size=(runs, len(true))).tolist():
        counts = dict(enumerate(zip(row, sizes, strict=True)))
        result = gap(counts, rng=rng, resamples=400)
        missed += not result.interval.low <= distance <= result.interval.high
        alarms += result.p_value <= 0.05
        whole = omnibus([counts], rng=rng, resamples=400).p_value
        tests += whole is not None and whole <= 0.05
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    print(f"{true}: missed {missed / runs:.3f}, gap test rejects {alarms / runs:.3f}, omnibus {tests / runs:.3f}")
    assert missed / runs <= limit
    if distance == 0:
        assert alarms / runs <= limit
        assert tests / runs <= limit
    elif distance >= 0.2 and min(sizes) > 30:
        assert alarms / runs > 0.8  # a gap of 20 points is found


def test_a_row_that_only_a_single_test_would_reject_has_0_in_its_interval() -> None:
    """60 of 100 against 46 of 100: p = 0.048 alone, 0.095 beside a second test."""
    pairs = [((60, 100), (46, 100)), ((50, 100), (50, 100))]
    tests = [(differences.difference(*pair), differences.difference_test(*pair)) for pair in pairs]
    alone, both = (
        adjust([number("d", interval, p_value=p_value, family="f") for interval, p_value in part])[0]
        for part in (tests[:1], tests)
    )
    assert alone.ci_low > 0
    assert both.p_adj > 0.05
    assert both.ci_low < 0 < both.ci_high
