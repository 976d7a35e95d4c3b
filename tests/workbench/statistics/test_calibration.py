"""Calibration: numbers worked out by hand, models of known miscalibration, scikit-learn's curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_curve

from workbench.errors import BadInput
from workbench.statistics import intervals
from workbench.statistics.calibration import expected_calibration_error, fpr_at_tpr, reliability


def test_by_hand() -> None:
    said, right = [0.9, 0.9, 0.9, 0.9, 0.2, 0.2], [1, 1, 1, 0, 0, 1]
    found = expected_calibration_error(said, right, rng=0, bins=10)
    assert found.value == pytest.approx(4 / 6 * abs(0.75 - 0.9) + 2 / 6 * abs(0.5 - 0.2))
    table = reliability(said, right, bins=10)
    assert table["n"].tolist() == [2, 4]
    assert table["accuracy"].tolist() == [0.5, 0.75]
    assert table["confidence"].tolist() == pytest.approx([0.2, 0.9])
    share = intervals.proportion(3, 4)
    assert (table["low"][1], table["high"][1]) == (share.low, share.high)
    assert (table["from"].tolist(), table["to"].tolist()) == (pytest.approx([0.1, 0.8]), pytest.approx([0.2, 0.9]))


def test_edges_belong_to_the_bin_below() -> None:
    assert reliability([0.0, 0.5, 1.0], [0, 0, 1], bins=2)["n"].tolist() == [2, 1]


def test_mass_bins_hold_equal_numbers() -> None:
    said = np.linspace(0.5, 1, 100)
    assert reliability(said, np.ones(100), bins=4, binning="mass")["n"].tolist() == [25] * 4
    assert reliability([0.7] * 9, [1] * 9, bins=4, binning="mass")["n"].tolist() == [9]


def test_a_curve_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    said = rng.random(500)
    right = rng.random(500) < said**2
    table = reliability(said, right, bins=8)
    accuracy, confidence = calibration_curve(right, said, n_bins=8)
    assert table["accuracy"].to_numpy() == pytest.approx(accuracy)
    assert table["confidence"].to_numpy() == pytest.approx(confidence)


def test_a_known_miscalibration_is_covered() -> None:
    """A model that always says 0.9 and is right 70 % of the time has an ECE of 0.2."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(60):
        right = rng.random(300) < 0.7
        found = expected_calibration_error(np.full(300, 0.9), right, rng=rng)
        hits += found.low <= 0.2 <= found.high
    assert hits >= 52


def test_what_cannot_be_is_refused_or_undefined() -> None:
    assert expected_calibration_error([], [], rng=0).value is None
    assert expected_calibration_error([0.5], [1], rng=0).low is None
    with pytest.raises(BadInput, match="between 0 and 1"):
        expected_calibration_error([1.2], [1], rng=0)
    with pytest.raises(BadInput, match="0 or 1"):
        expected_calibration_error([0.2], [0.5], rng=0)
    with pytest.raises(BadInput, match="got 1 and 2"):
        reliability([0.5], [1, 0])
    with pytest.raises(BadInput, match="got 0 of"):
        reliability([0.5], [1], bins=0)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=40), st.sampled_from([0.5, 0.95, 1.0])
)
def test_false_alarms_are_scikit_learns(cases: list[tuple[int, bool]], tpr: float) -> None:
    scores, positives = map(np.array, zip(*cases, strict=True))
    found = fpr_at_tpr(scores, positives, rng=0, tpr=tpr)
    if len(set(positives.tolist())) < 2:
        assert found.value is None
        return
    false, true, _ = roc_curve(positives, scores, drop_intermediate=False)
    assert found.value == pytest.approx(false[true >= tpr - 1e-12].min())
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_perfect_detector_is_not_certain() -> None:
    found = fpr_at_tpr([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1], rng=0)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 3))
    with pytest.raises(BadInput, match="true positive rate"):
        fpr_at_tpr([1, 2], [0, 1], rng=0, tpr=0)
