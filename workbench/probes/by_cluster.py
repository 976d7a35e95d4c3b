"""A linear probe whose L2 strength is chosen by folds of the training data that never split a cluster, for audits.

Full-batch L-BFGS from zero, so the same vectors give the same weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRENGTHS = tuple(10.0**power for power in range(-6, 7, 2))  # of L2, times 1/n; the paper's first grid, A.3
FOLDS = 3  # of the training data, by cluster
ITERATIONS = 1000  # of L-BFGS, at most


@dataclass(frozen=True)
class ClusterProbe:
    """A fitted probe."""

    classes: tuple[str, ...]  # k, sorted
    weights: NDArray[np.float64]  # (dim + 1, k), the intercept last
    strength: float  # L2 penalty that was chosen

    def predict(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, dim) -> (n, k) probabilities that sum to 1."""
        from scipy.special import softmax

        answer: NDArray[np.float64] = softmax(_extended(vectors) @ self.weights, axis=1)
        return answer


def fit(vectors: NDArray[np.float64], truth: Sequence[str], clusters: Sequence[str]) -> ClusterProbe:
    """Fit a probe that predicts `truth` from vectors.

    Args:
        vectors: (n, dim), unit rows.
        truth: n names of classes, at least two different ones.
        clusters: n names; a cluster is never split between folds.

    Source:
        Radford et al. 2021, arXiv:2103.00020, appendix A.3: logistic regression by L-BFGS, at most 1,000 iterations,
        strength from a grid over 1e-6..1e6. There the grid is refined and the features are those before the
        projection; here it is not, and they are the joint space's, so that any model can be asked.
    """
    classes = tuple(sorted(set(truth)))
    hot = np.array([[name == one for one in classes] for name in truth], float)
    folds = np.array([fold(cluster, FOLDS) for cluster in clusters])
    scores = [_left_out(vectors, hot, folds, strength) for strength in STRENGTHS]
    best = STRENGTHS[int(np.argmin(np.round(scores, 9)))]
    return ClusterProbe(classes, _weights(vectors, hot, best), best)


def fold(cluster: str, count: int) -> int:
    """Return a number 0..count-1 that a cluster keeps, whatever else is in the data."""
    return int.from_bytes(hashlib.sha256(cluster.encode()).digest()[:6], "big") % count


def testing(splits: Sequence[str], clusters: Sequence[str]) -> NDArray[np.bool_]:
    """Say which rows are for testing: the data set's split "test" where it also has "train", else half the clusters."""
    if {"train", "test"} <= set(splits):
        return np.array([split == "test" for split in splits])
    return np.array([fold(f"test of {cluster}", 2) == 1 for cluster in clusters])


def _left_out(
    vectors: NDArray[np.float64], hot: NDArray[np.float64], folds: NDArray[np.int_], strength: float
) -> float:
    """Return the mean log loss over folds that were not learned from; infinite where a fold cannot be judged."""
    from scipy.special import log_softmax

    losses: list[float] = []
    for one in range(FOLDS):
        inside, outside = folds != one, folds == one
        if not outside.any() or not inside.any():
            continue
        guess = _extended(vectors[outside]) @ _weights(vectors[inside], hot[inside], strength)
        losses.extend(-(log_softmax(guess, axis=1) * hot[outside]).sum(axis=1))
    return float(np.mean(losses)) if losses else float("inf")


def _weights(vectors: NDArray[np.float64], hot: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
    """(n, dim), (n, k) one-hot -> (dim + 1, k): least mean log loss plus strength / 2n times squared weights."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    wide = _extended(vectors)
    n, shape = len(wide), (wide.shape[1], hot.shape[1])

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape)
        logs = log_softmax(wide @ weights, axis=1)
        slopes = wide.T @ (np.exp(logs) - hot) / n
        slopes[:-1] += strength / n * weights[:-1]
        value = -(logs * hot).sum() / n + strength / (2 * n) * (weights[:-1] ** 2).sum()
        return float(value), slopes.ravel()

    result = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    answer: NDArray[np.float64] = result.x.reshape(shape)
    return answer


def _extended(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([np.asarray(vectors, float), np.ones((len(vectors), 1))])
