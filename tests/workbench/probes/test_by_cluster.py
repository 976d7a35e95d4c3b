"""The linear probe: the optimum has no slope, scikit-learn's answer is the same, clusters are not split."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.probes import by_cluster as probe


def _data(n: int = 90, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    truth = [("a", "b", "c")[at % 3] for at in range(n)]
    centres = {"a": (1.0, 0, 0, 0), "b": (0, 1.0, 0, 0), "c": (0, 0, 1.0, 0)}
    x = np.array([centres[name] for name in truth]) + rng.normal(0, 0.5, (n, 4))
    return x / np.linalg.norm(x, axis=1, keepdims=True), truth


@pytest.mark.parametrize("strength", [0.01, 1.0, 100.0])
def test_the_weights_are_those_of_scikit_learn(strength: float) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    x, truth = _data()
    ours = probe.ClusterProbe(("a", "b", "c"), probe._weights(x, _hot(truth), strength), strength).predict(x)
    theirs = linear.LogisticRegression(C=1 / strength, tol=1e-9, max_iter=5000).fit(x, truth).predict_proba(x)
    assert ours.shape == (90, 3)
    assert ours.sum(axis=1) == pytest.approx(np.ones(90))
    assert ours == pytest.approx(theirs, abs=2e-3)


def test_at_the_optimum_the_slope_of_the_loss_is_nought() -> None:
    x, truth = _data()
    hot, strength = _hot(truth), 1.0
    weights = probe._weights(x, hot, strength)
    guess = probe.ClusterProbe(("a", "b", "c"), weights, strength).predict(x)
    slope = x.T @ (guess - hot) + strength * weights[:-1]  # by hand: n times the gradient, without the intercept
    assert np.abs(slope).max() < 1e-2


def test_noise_gets_a_stronger_penalty_than_signal() -> None:
    x, truth = _data(120)
    rng = np.random.default_rng(1)
    clusters = [str(at) for at in range(120)]
    clean = probe.fit(x, truth, clusters)
    noise = probe.fit(x, list(rng.permutation(truth)), clusters)
    assert clean.strength < noise.strength


def test_a_cluster_stays_in_one_fold() -> None:
    assert {probe.fold("someone", 3) for _ in range(5)} == {probe.fold("someone", 3)}
    counts = np.bincount([probe.fold(str(at), 3) for at in range(300)])
    assert counts.min() > 70
    split = probe.testing([""] * 40, [f"c{at // 4}" for at in range(40)])
    assert all(len(set(split[at : at + 4])) == 1 for at in range(0, 40, 4))
    assert 0 < split.sum() < 40
    assert list(probe.testing(["train", "test", ""], ["x", "x", "x"])) == [False, True, False]


def _hot(truth: list[str]) -> np.ndarray:
    return np.array([[name == one for one in "abc"] for name in truth], float)
