"""Logistic regression: scikit-learn's optimum by both paths, the README's numbers, and what cannot be fitted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from workbench.errors import BadInput
from workbench.probes.logistic import Solver, solve, solve_apart


def seeded(n: int, width: int, k: int, *, noise: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Features like a CLIP's: unit rows off the origin, some directions wider than others."""
    rng = np.random.default_rng(0)
    centres, y = rng.normal(size=(k, width)), np.arange(n) % k
    x = (0.4 * centres[y] + noise * rng.normal(size=(n, width))) * np.linspace(1, 0.1, width) ** 2
    return x / np.linalg.norm(x, axis=1, keepdims=True) + 0.02, y


def centred(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    return coefficients - coefficients.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("strength", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("k", [2, 5])
def test_both_paths_end_in_the_same_coefficients(strength: float, k: int) -> None:
    x, y = seeded(400, 24, k)
    slow = LogisticRegression(C=1 / strength, tol=1e-9, max_iter=10_000).fit(x, y)
    for solver in ("scikit-learn", "torch"):
        ours = solve(x, y, strength, solver=solver, tolerance=1e-8 if solver == "scikit-learn" else 1e-6)
        theirs = np.hstack([-slow.coef_.T, slow.coef_.T]) / 2 if k == 2 else slow.coef_.T
        assert centred(ours.coefficients) == pytest.approx(centred(theirs), abs=1e-3)
        assert ours.probabilities(x) == pytest.approx(slow.predict_proba(x), abs=1e-4)


def test_the_readme_example_of_the_released_model() -> None:
    """`LogisticRegression(random_state=0, C=0.316, max_iter=1000)` on features: the same answers."""
    x, y = seeded(300, 16, 4)
    theirs = LogisticRegression(random_state=0, C=0.316, max_iter=1000).fit(x[:200], y[:200])
    ours = solve(x[:200], y[:200], 1 / 0.316, solver="scikit-learn")
    assert (ours.logits(x[200:]).argmax(axis=1) == theirs.predict(x[200:])).all()
    assert ours.coefficients == pytest.approx(theirs.coef_.T)


def test_at_the_optimum_the_slope_is_nought() -> None:
    x, y = seeded(200, 10, 3)
    fitted = solve(x, y, 2.0, solver="torch", tolerance=1e-6)
    slope = x.T @ (fitted.probabilities(x) - np.eye(3)[y]) + 2.0 * fitted.coefficients  # by hand
    assert np.abs(slope).max() < 1e-2
    assert np.abs((fitted.probabilities(x) - np.eye(3)[y]).sum(axis=0)).max() < 1e-2


@pytest.mark.parametrize(
    ("y", "strength", "part"),
    [([0, 0, 0, 0], 1.0, "two classes"), ([0, 0, 2, 2], 1.0, "two classes"), ([0, 1, 0, 1], 0.0, "above 0")],
)
def test_what_cannot_be_fitted_is_refused(y: list[int], strength: float, part: str) -> None:
    with pytest.raises(BadInput, match=part):
        solve(np.ones((4, 2)), np.array(y), strength)
    with pytest.raises(BadInput, match="finite"):
        solve(np.full((4, 2), np.nan), np.array([0, 1, 0, 1]), 1.0)


@pytest.mark.parametrize("solver", ["scikit-learn", "torch"])
def test_classes_apart_are_scikit_learns_one_against_the_rest(solver: Solver) -> None:
    x, _ = seeded(300, 16, 4)
    shown = x @ np.random.default_rng(1).normal(size=(16, 3)) + np.random.default_rng(2).normal(0, 0.2, (300, 3)) > 0
    assert (shown.sum(axis=1) > 1).any()
    theirs = OneVsRestClassifier(LogisticRegression(C=1 / 0.5, tol=1e-9, max_iter=10_000)).fit(x, shown)
    ours = solve_apart(x, shown, 0.5, solver=solver)
    assert ours.coefficients.shape == (16, 3)
    assert ours.probabilities(x) == pytest.approx(theirs.predict_proba(x), abs=5e-3)  # its default tolerance
    with pytest.raises(BadInput, match="two classes"):
        solve_apart(x, np.ones((300, 2), bool), 1.0)
