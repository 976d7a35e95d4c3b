"""Calibration: numbers worked out by hand, models of known miscalibration, scikit-learn's curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_curve

from workbench.errors import BadInput
from workbench.statistics import intervals
from workbench.statistics.calibration import expected_calibration_error, fitted_scale, fpr_at_tpr, reliability


def test_by_hand() -> None:
    message, right = [0.9, 0.9, 0.9, 0.9, 0.2, 0.2], [1, 1, 1, 0, 0, 1]
    result = expected_calibration_error(message, right, rng=0, bins=10)
    assert result.value == pytest.approx(4 / 6 * abs(0.75 - 0.9) + 2 / 6 * abs(0.5 - 0.2))
    table = reliability(message, right, bins=10)
    assert table["n"].tolist() == [2, 4]
    assert table["accuracy"].tolist() == [0.5, 0.75]
    assert table["confidence"].tolist() == pytest.approx([0.2, 0.9])
    share = intervals.proportion(3, 4)
    assert (table["low"][1], table["high"][1]) == (share.low, share.high)
    assert (table["from"].tolist(), table["to"].tolist()) == (pytest.approx([0.1, 0.8]), pytest.approx([0.2, 0.9]))


def test_edges_belong_to_the_bin_below() -> None:
    assert reliability([0.0, 0.5, 1.0], [0, 0, 1], bins=2)["n"].tolist() == [2, 1]


def test_mass_bins_hold_equal_numbers() -> None:
    message = np.linspace(0.5, 1, 100)
    assert reliability(message, np.ones(100), bins=4, binning="mass")["n"].tolist() == [25] * 4
    assert reliability([0.7] * 9, [1] * 9, bins=4, binning="mass")["n"].tolist() == [9]


def test_a_curve_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    message = rng.random(500)
    right = rng.random(500) < message**2
    table = reliability(message, right, bins=8)
    accuracy, confidence = calibration_curve(right, message, n_bins=8)
    assert table["accuracy"].to_numpy() == pytest.approx(accuracy)
    assert table["confidence"].to_numpy() == pytest.approx(confidence)


@pytest.mark.parametrize(("off", "n", "beyond"), [(0.0, 230, 0.05), (0.0, 2000, 0.05), (0.08, 700, 0.95)])
def test_the_band_holds_95_of_100_calibrated_models(off: float, n: int, beyond: float) -> None:
    """Models that are sure by 0.4 to 0.95, and right as often less `off`: true ECE 0, or 0.08 with power."""
    rng, runs, outside = np.random.default_rng(0), 40 if n > 1000 else 100, 0
    for _ in range(runs):
        sure = rng.uniform(0.4, 0.95, n)
        error = expected_calibration_error(sure, rng.random(n) < sure - off, rng=rng)
        outside += error.value > error.null_q95
        assert (error.value > error.null_q95) == (error.p_value < 0.05)
    assert abs(outside / runs - beyond) <= 3 * np.sqrt(0.05 * 0.95 / runs)


def test_chance_is_a_model_that_is_right_as_often_as_it_is_sure() -> None:
    """One bin of ten cases at 0.7: |hits / 10 - 0.7| of a binomial, whose mean has a closed form."""
    result = expected_calibration_error([0.7] * 10, [1] * 10, rng=0, bins=1)
    weight, distance = binom.pmf(np.arange(11), 10, 0.7), np.abs(np.arange(11) / 10 - 0.7)
    assert result.null_mean == pytest.approx(weight @ distance, abs=0.01)
    assert result.p_value == pytest.approx(weight[distance >= 0.3 - 1e-9].sum(), abs=0.025)


def test_copies_of_a_case_are_no_evidence_of_their_own() -> None:
    rng = np.random.default_rng(2)
    sure, right = rng.uniform(0.5, 1, 80), rng.random(80) < 0.7
    alone = expected_calibration_error(sure, right, rng=0, bins=5)
    copies = [np.repeat(one, 6) for one in (sure, right, np.arange(80))]
    blind = expected_calibration_error(*copies[:2], rng=0, bins=5)
    result = expected_calibration_error(*copies[:2], rng=0, bins=5, cluster=copies[2])
    assert result.null_q95 == pytest.approx(alone.null_q95, rel=0.25)
    assert blind.null_q95 < 0.6 * alone.null_q95
    assert "cluster" in result.method


def test_clustered_calibration_raises_few_alarms() -> None:
    """A calibrated model whose images of one scene are right or wrong together: blind to scenes, half are "found"."""
    rng, runs, alarms, blind = np.random.default_rng(4), 150, 0, 0
    for _ in range(runs):
        sure = np.repeat(rng.uniform(0.4, 1, 40), 5)
        right, scene = np.repeat(rng.random(40), 5) < sure, np.repeat(np.arange(40), 5)
        alarms += expected_calibration_error(sure, right, rng=rng, bins=4, cluster=scene).p_value <= 0.05
        blind += expected_calibration_error(sure, right, rng=rng, bins=4).p_value <= 0.05
    print(f"ECE in clusters: false alarms {alarms / runs:.3f}, blind to clusters {blind / runs:.3f}")
    assert alarms / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert blind / runs > 0.3


def losses(logits: np.ndarray, truth: np.ndarray, temperature: float) -> np.ndarray:
    scaled = logits / temperature
    return np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(truth)), truth]


def test_a_fitted_temperature_is_covered() -> None:
    """Labels are drawn at temperature 2 of the logits; scenes of three images share theirs."""
    rng, runs, covered, blind = np.random.default_rng(6), 120, 0, 0
    for _ in range(runs):
        logits = np.repeat(rng.normal(size=(80, 4)) * 3, 3, axis=0)
        chances = np.exp(logits / 2) / np.exp(logits / 2).sum(axis=1, keepdims=True)
        truth = np.repeat((chances[::3].cumsum(axis=1) > rng.random((80, 1))).argmax(axis=1), 3)
        best = minimize_scalar(lambda t: losses(logits, truth, t).mean(), bounds=(0.2, 20), method="bounded").x  # noqa: B023
        result = fitted_scale(lambda t: losses(logits, truth, t), best, cluster=np.repeat(np.arange(80), 3))  # noqa: B023
        single = fitted_scale(lambda t: losses(logits, truth, t), best)  # noqa: B023
        covered += result.low <= 2 <= result.high
        blind += single.low <= 2 <= single.high
    print(f"temperature: covered {covered / runs:.3f}, blind to clusters {blind / runs:.3f}")
    assert 0.88 <= covered / runs <= 1
    assert blind / runs < 0.85
    assert fitted_scale(lambda t: np.full(2, -(np.log(t) ** 2)), 1.0).low is None  # no smallest loss there


def test_what_cannot_be_is_refused_or_undefined() -> None:
    assert expected_calibration_error([], [], rng=0).value is None
    assert expected_calibration_error([0.5], [1], rng=0).null_q95 is None
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
    result = fpr_at_tpr(scores, positives, rng=0, tpr=tpr)
    if len(set(positives.tolist())) < 2:
        assert result.value is None
        return
    false, true, _ = roc_curve(positives, scores, drop_intermediate=False)
    assert result.value == pytest.approx(false[true >= tpr - 1e-12].min())
    assert 0 <= result.low <= result.value <= result.high <= 1


def test_a_perfect_detector_is_not_certain() -> None:
    result = fpr_at_tpr([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1], rng=0)
    assert (result.value, result.low) == (0, 0)
    assert result.high == pytest.approx(1 - 0.025 ** (1 / 3))
    with pytest.raises(BadInput, match="true positive rate"):
        fpr_at_tpr([1, 2], [0, 1], rng=0, tpr=0)
