"""Conformal sets: coverage over simulated splits, thresholds and sets by hand, likelier labels first."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import BadInput
from workbench.statistics.conformal import METHODS, Method, _scores, calibrate, quality

CLASSES = tuple("abcde")


def made(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An overconfident model of five classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(5, size=n)
    logits = 1.5 * np.eye(5)[truth] + rng.normal(size=(n, 5))
    chances = np.exp(2.5 * logits)
    return chances / chances.sum(axis=1, keepdims=True), truth


@pytest.mark.parametrize("method", METHODS)
def test_nine_of_ten_sets_hold_the_truth_over_two_thousand_splits(method: Method) -> None:
    """100 calibration images: the promise is (n + 1)(1 - alpha) rounded up over n + 1: 91 of 101, 0.901."""
    rng, covered = np.random.default_rng(0), []
    for split in range(2000):
        chances, truth = made(300, split)
        rule = calibrate(chances[:100], truth[:100], method=method, rng=rng)
        sets = rule.sets(chances[100:], rng=rng)
        covered.append(sets[np.arange(200), truth[100:]].mean())
    assert 0.895 <= np.mean(covered) <= 0.91
    assert np.mean(covered) == pytest.approx(91 / 101, abs=0.004)


def test_the_threshold_by_hand() -> None:
    """Nine images at alpha 0.2: the eighth smallest of 1 - p."""
    sure = np.linspace(0.9, 0.1, 9)
    chances = np.column_stack([sure, 1 - sure])
    assert calibrate(chances, np.zeros(9, int), alpha=0.2).threshold == pytest.approx(0.8)
    with pytest.raises(BadInput, match="9 calibration images"):
        calibrate(chances[:8], np.zeros(8, int), alpha=0.1)
    with pytest.raises(BadInput, match="between 0 and 1"):
        calibrate(chances, np.zeros(9, int), alpha=1.0)


@pytest.mark.parametrize("method", METHODS)
def test_a_set_never_misses_a_label_that_is_likelier_than_one_it_holds(method: Method) -> None:
    chances, truth = made(400, 7)
    sets = calibrate(chances[:200], truth[:200], method=method).sets(chances[200:], rng=3)
    for row, held in zip(chances[200:], sets, strict=True):
        if held.any():
            assert row[held].min() >= row[~held].max(initial=0)


def test_the_scores_by_hand() -> None:
    """Probabilities .5, .3, .2 in another order, half of each label's own counts: .25, .65, .9; from rank 2 on .001."""
    chances = np.array([[0.2, 0.5, 0.3]])
    half = {"draws": np.array([0.5]), "penalty": 0.001, "rank": 1}
    assert _scores(chances, "lac", **half) == pytest.approx(np.array([[0.8, 0.5, 0.7]]))
    assert _scores(chances, "aps", **half) == pytest.approx(np.array([[0.9, 0.25, 0.65]]))
    assert _scores(chances, "raps", **half) == pytest.approx(np.array([[0.902, 0.25, 0.651]]))


def test_the_quality_by_hand() -> None:
    sets = np.array([[True, False], [True, True], [False, False], [False, True], [True, False]])
    result = quality(sets, np.array([0, 0, 1, 0, 0]), classes=("a", "b"))
    assert result.coverage.value == pytest.approx(0.6)
    assert result.mean_size == pytest.approx(1.0)
    assert result.empty.value == pytest.approx(0.2)
    assert [share.value for share in result.by_class] == [pytest.approx(3 / 4), 0.0]
    assert result.size_by_class == (pytest.approx(5 / 4), 0.0)


class _Given:
    """A classifier whose probabilities are its inputs."""

    def __init__(self, k: int) -> None:
        self.classes_ = np.arange(k)

    def fit(self, x: np.ndarray, y: np.ndarray) -> _Given:
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return x

    def predict(self, x: np.ndarray) -> np.ndarray:
        return x.argmax(axis=1)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def get_params(self, deep: bool = True) -> dict[str, int]:
        return {"k": len(self.classes_)}


def test_lac_sets_are_mapies() -> None:
    from mapie.classification import SplitConformalClassifier
    from sklearn.base import ClassifierMixin

    chances, truth = made(600, 5)
    model = type("Given", (_Given, ClassifierMixin), {})(5)
    theirs = SplitConformalClassifier(model, confidence_level=0.9, conformity_score="lac", prefit=True)
    theirs.conformalize(chances[:300], truth[:300])
    _, sets = theirs.predict_set(chances[300:])
    ours = calibrate(chances[:300], truth[:300], method="lac").sets(chances[300:], rng=0)
    assert (ours == sets[:, :, 0]).all()
