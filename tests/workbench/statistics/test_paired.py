"""Two runs of the same cases: golden values, exact enumeration, and simulations without a change."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from scipy import stats

from workbench.errors import BadInput
from workbench.statistics.paired import compare, flips, mcnemar


def test_mcnemar_is_an_exact_binomial_test() -> None:
    assert mcnemar(12, 5) == pytest.approx(0.143463, abs=5e-7)
    assert mcnemar(0, 0) == 1
    for gained, lost in itertools.product(range(6), repeat=2):
        if gained + lost:
            assert mcnemar(gained, lost) == pytest.approx(stats.binomtest(gained, gained + lost).pvalue)
    with pytest.raises(BadInput):
        mcnemar(-1, 3)


def test_yes_and_no_by_hand() -> None:
    first = [1] * 50 + [0] * 30 + [1] * 5 + [0] * 12
    second = [1] * 50 + [0] * 30 + [0] * 5 + [1] * 12
    found = compare(first, second, rng=0)
    assert (found.gained, found.lost, found.n) == (12, 5, 97)
    assert found.difference.value == pytest.approx(7 / 97)
    assert (found.first, found.second) == (pytest.approx(55 / 97), pytest.approx(62 / 97))
    assert found.p_value == pytest.approx(0.143463, abs=5e-7)
    assert found.difference.low < 0 < found.difference.high
    assert found.method == "McNemar exact"
    back = compare(second, first, rng=0)
    assert back.difference.value == -found.difference.value
    assert (back.gained, back.lost) == (5, 12)


def test_numbers_take_exact_sign_flips() -> None:
    change = np.array([0.2, -0.1, 0.4, 0.3, 0.05])
    found = compare(np.zeros(5), change, rng=0)
    sums = [abs(np.dot(signs, change)) for signs in itertools.product((-1, 1), repeat=5)]
    assert found.p_value == pytest.approx(np.mean(np.array(sums) >= abs(change.sum()) - 1e-9))
    assert found.method == "sign flips, exact"


def test_drawn_sign_flips_come_near_the_exact_ones() -> None:
    change = np.random.default_rng(0).normal(0.3, 1, size=18)
    drawn = compare(np.zeros(18), change, rng=0, resamples=20_000)
    exact = compare(np.zeros(18), change, rng=0, resamples=2**18)
    assert (drawn.method, exact.method) == ("sign flips", "sign flips, exact")
    assert drawn.p_value == pytest.approx(exact.p_value, abs=0.01)


def test_a_cluster_counts_once() -> None:
    """Ten copies of four changed cases are four changes, not forty."""
    first, second = np.zeros(40), np.ones(40)
    found = compare(first, second, rng=0, cluster=np.repeat(np.arange(4), 10))
    assert found.p_value == pytest.approx(2 / 2**4)
    assert compare(first, second, rng=0).p_value < 1e-9


def test_no_change_is_no_certainty() -> None:
    found = compare([1, 0] * 50, [1, 0] * 50, rng=0)
    assert (found.difference.value, found.p_value) == (0, 1)
    assert found.difference.low < 0 < found.difference.high
    nothing = compare([], [], rng=0)
    assert (nothing.difference.value, nothing.p_value, nothing.n) == (None, None, 0)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BadInput, match="got 2 and 1"):
        compare([1, 0], [1], rng=0)
    with pytest.raises(BadInput, match="1 of 1"):
        compare([math.nan], [1], rng=0)
    with pytest.raises(BadInput, match="stands twice"):
        flips(["a", "a"], [0, 1], [1, 1])
    with pytest.raises(BadInput, match="got 1, 2 and 2"):
        flips(["a"], [0, 1], [1, 1])


def test_flips_name_the_cases() -> None:
    assert flips(["a", "b", "c", "d"], [0, 1, 1, 0], [1, 0, 1, 0]) == {"gained": ["a"], "lost": ["b"]}


@pytest.mark.heavy
def test_no_change_raises_few_alarms() -> None:
    """2,000 runs without a true change: McNemar and clustered sign flips reject at most 5 %."""
    rng, runs = np.random.default_rng(0), 2000
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    changed = rng.binomial(60, 0.3, size=runs)
    table = {(g, n): mcnemar(g, n - g) for n in range(61) for g in range(n + 1)}
    assert np.mean([table[int(rng.binomial(n, 0.5)), int(n)] <= 0.05 for n in changed]) <= limit
    alarms = 0
    cluster = np.repeat(np.arange(12), 3)
    for _ in range(runs):
        noise = np.repeat(rng.normal(size=12), 3) + rng.normal(size=36)
        alarms += compare(np.zeros(36), noise, rng=rng, cluster=cluster, resamples=200).p_value <= 0.05
    assert 0.02 <= alarms / runs <= limit


@pytest.mark.parametrize("several", [False, True])
def test_many_cases_are_resampled_in_blocks_to_the_same_bounds_as_one_by_one(several: bool) -> None:
    """2,500 units are above what BCa takes: the plain quantiles of means, each resample drawn and averaged alone."""
    rng = np.random.default_rng(3)
    cases = 5_000 if several else 2_500
    before, after = rng.random(cases), rng.random(cases)
    units = np.arange(cases).reshape(2_500, -1)
    found = compare(before, after, rng=11, cluster=np.arange(cases) // units.shape[1] if several else None)
    drawn, change = np.random.default_rng(11), after - before
    means = [change[units[drawn.integers(0, 2_500, 2_500)].ravel()].mean() for _ in range(2_000)]
    low, high = np.quantile(means, [0.025, 0.975])
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high), abs=1e-12)
    assert found.difference.method.startswith("percentile")


def test_ten_thousand_pictures_take_less_than_two_seconds() -> None:
    rng = np.random.default_rng(4)
    before, after = (rng.random(10_000) < 0.7), (rng.random(10_000) < 0.72)
    compare(before[:50], after[:50], rng=0)  # SciPy loads
    began = time.process_time()
    compare(before, after, rng=0)
    assert time.process_time() - began < 2  # 0.15 s on one core
