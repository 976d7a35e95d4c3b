"""Means over draws and cases: by hand, against a mixed design of known variances, and the test beside the interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from workbench.errors import BadInput
from workbench.statistics.draws import mean_over_draws


def test_one_draw_is_students_test_of_the_cases() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 20)
    mean = mean_over_draws(values)
    expected = ttest_1samp(values, 0)
    ends = expected.confidence_interval()
    assert (mean().low, mean().high) == (pytest.approx(ends.low), pytest.approx(ends.high))
    assert mean.p_value == pytest.approx(expected.pvalue)


def test_both_variances_add_up_by_hand() -> None:
    """Draws 0.5 and 1 of four cases: their means' variance is 0.125, the cases' is 0.0625 (means 1, 1, 0.5, 0.5)."""
    mean = mean_over_draws([[1, 1, 0, 0], [1, 1, 1, 1]])
    draws, cases = 0.125 / 2, (4 * 0.25**2 / 3) / 4
    freedom = (draws + cases) ** 2 / (draws**2 / 1 + cases**2 / 3)
    half = t.ppf(0.975, freedom) * np.sqrt(draws + cases)
    assert mean().low == pytest.approx(0.75 - half)
    assert mean.share().high == 1.0


def test_classes_weigh_alike_and_clusters_are_one_unit() -> None:
    right = np.array([[1, 1, 1, 0], [1, 1, 1, 0]])
    assert mean_over_draws(right, groups=["a", "a", "a", "b"]).value == 0.5
    copies = mean_over_draws(np.repeat(right, 5, axis=1), cluster=np.repeat(np.arange(4), 5))
    assert copies.error == pytest.approx(mean_over_draws(right).error)


def test_the_interval_covers_where_draws_differ_by_7_points() -> None:
    """Ten draws that differ by a standard deviation of 7 points: images alone would cover about half of the time."""
    rng, runs, covered, alone = np.random.default_rng(1), 400, 0, 0
    for _ in range(runs):
        level = np.clip(0.6 + 0.07 * rng.normal(size=(10, 1)) + 0.2 * rng.normal(size=(1, 300)), 0, 1)
        right = rng.random((10, 300)) < level
        for values, is_both in ((right, True), (right.mean(axis=0), False)):
            interval = mean_over_draws(values)()
            hit = interval.low <= 0.6 <= interval.high
            covered, alone = covered + (hit and is_both), alone + (hit and not is_both)
    print(f"covered {covered / runs:.3f}, by images alone {alone / runs:.3f}")
    assert 0.92 <= covered / runs <= 0.985
    assert alone / runs < 0.75


def test_what_cannot_be_told_has_no_interval() -> None:
    assert mean_over_draws([[1.0]])().low is None
    assert mean_over_draws(np.ones((3, 4))).p_value is None
    with pytest.raises(BadInput, match="0 draws"):
        mean_over_draws(np.zeros((0, 3)))
