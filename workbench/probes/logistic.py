"""Multinomial logistic regression with an L2 penalty: scikit-learn's L-BFGS, and the same optimum with torch.

Both minimise the sum of the log losses plus strength / 2 times the squared coefficients, without the intercepts; the
strength is 1 / C of scikit-learn. Two classes are scikit-learn's binary model, written as two opposite columns.

The torch path turns to principal axes and divides each by the root of a bound of its curvature (after Böhning 1992,
Ann. Inst. Stat. Math. 44:197): a CLIP's features vary far more along some axes than along others, which costs L-BFGS
alone hundreds of iterations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from workbench.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

ITERATIONS = 1000  # of L-BFGS, at most; the paper's
TOLERANCE = 1e-4  # largest slope of the mean loss at the end; scikit-learn's default
CLOSER = 1e-5  # the same of the torch path, which needs few iterations more for it
MEMORY = 10  # steps that L-BFGS remembers
BIG = 500_000  # numbers in the features from which `auto` takes torch

Solver: TypeAlias = Literal["auto", "scikit-learn", "torch"]


@dataclass(frozen=True)
class Logistic:
    """A fitted model of k classes."""

    coefficients: NDArray[np.float64]  # (width, k)
    intercepts: NDArray[np.float64]  # (k,)
    iterations: int
    apart: bool = False  # each class against all others: an image may show several, or none

    def logits(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, width) -> (n, k)."""
        return np.asarray(x, np.float64) @ self.coefficients + self.intercepts

    def probabilities(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, width) -> (n, k), rows sum to 1 where classes are not apart."""
        from scipy.special import expit, softmax

        answer: NDArray[np.float64] = expit(self.logits(x)) if self.apart else softmax(self.logits(x), axis=1)
        return answer


@dataclass(frozen=True, eq=False)
class Rotated:
    """n centred rows in their principal axes: worked out once, and fitted with many penalties.

    A rotation changes no penalty, so the optimum is the same.
    """

    rows: Tensor  # (n, rank) float32
    variances: Tensor  # (rank,) float64: about the sum of squares along each axis
    axes: Tensor  # (width, rank) float64, orthonormal columns
    mean: Tensor  # (width,) float64

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Rotated:
        """Return some of the rows in the same axes, which lie less well for few of them and give the same optimum."""
        import torch

        part = self.rows[torch.as_tensor(chosen)]
        return Rotated(part, self.variances * (len(part) / len(self.rows)), self.axes, self.mean)


def rotated(x: NDArray[np.floating]) -> Rotated:
    """Rotate (n, width) features."""
    import torch

    mean = torch.as_tensor(np.asarray(x).mean(axis=0, dtype=np.float64))
    if len(x) >= x.shape[1]:
        rows = torch.as_tensor(np.asarray(x, np.float32)) - mean.float()
        variances, axes = torch.linalg.eigh((rows.T @ rows).double())
        return Rotated(rows @ axes.float(), variances.clamp_min(0), axes, mean)
    wide = torch.as_tensor(np.asarray(x, np.float64)) - mean
    variances, combined = torch.linalg.eigh(wide @ wide.T)
    there = variances > variances[-1] * 1e-12
    axes = wide.T @ combined[:, there] / variances[there].sqrt()
    return Rotated((wide @ axes).float(), variances[there], axes, mean)


def solve(
    x: NDArray[np.floating] | Rotated,
    y: NDArray[np.intp],
    strength: float,
    *,
    solver: Solver = "auto",
    tolerance: float | None = None,
) -> Logistic:
    """Fit on n rows.

    Args:
        x: (n, width) features; rotated ones are fitted with torch.
        y: (n,) numbers of classes 0..k-1; each occurs.
        strength: L2 penalty, above 0.
        solver: which of the two; `auto` takes torch for big data.
        tolerance: largest slope of the mean loss, in any coefficient, at which the search ends; each path's own
            where not given.

    Raises:
        BadInput: fewer than two classes, one that does not occur, numbers that are not finite, a strength of 0.
    """
    classes = int(y.max()) + 1 if len(y) else 0
    if classes < 2 or len(np.unique(y)) != classes:
        raise BadInput(f"A probe needs images of two classes or more, and of each; got {len(np.unique(y))}.")
    if not strength > 0 or not (isinstance(x, Rotated) or np.isfinite(x).all()):
        raise BadInput(f"A probe takes finite features and a penalty above 0; got a penalty of {strength}.")
    if isinstance(x, Rotated):
        return _torch(x, y, strength, tolerance or CLOSER)
    if takes_torch(x, solver):
        return _torch(rotated(x), y, strength, tolerance or CLOSER)
    return _scikit_learn(x, y, strength, tolerance or TOLERANCE)


def solve_apart(
    x: NDArray[np.floating] | Rotated, shown: NDArray[np.bool_], strength: float, *, solver: Solver = "auto"
) -> Logistic:
    """Fit each of k classes against all others, with one penalty.

    Args:
        x: as `solve` takes it.
        shown: (n, k) whether an image shows a class.
        strength: L2 penalty, above 0.
        solver: as `solve` takes it.

    Raises:
        BadInput: see `solve`; a class that all images show, or none.
    """
    fits = [solve(x, column.astype(np.intp), strength, solver=solver) for column in shown.T]
    coefficients = np.stack([fit.coefficients[:, 1] - fit.coefficients[:, 0] for fit in fits], axis=1)
    intercepts = np.array([fit.intercepts[1] - fit.intercepts[0] for fit in fits])
    return Logistic(coefficients, intercepts, max(fit.iterations for fit in fits), apart=True)


def takes_torch(x: NDArray[np.floating], solver: Solver) -> bool:
    """Return whether a solver means torch for these features."""
    return solver == "torch" or (solver == "auto" and x.size >= BIG)


def _scikit_learn(x: NDArray[np.floating], y: NDArray[np.intp], strength: float, tolerance: float) -> Logistic:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 1,000 iterations are the protocol
        fitted = LogisticRegression(C=1 / strength, max_iter=ITERATIONS, tol=tolerance).fit(x, y)
    coefficients, intercepts = fitted.coef_.T, fitted.intercept_
    if coefficients.shape[1] == 1:
        coefficients, intercepts = (
            np.hstack([-coefficients, coefficients]) / 2,
            np.hstack([-intercepts, intercepts]) / 2,
        )
    return Logistic(coefficients.astype(np.float64), intercepts.astype(np.float64), int(fitted.n_iter_.max()))


def _torch(x: Rotated, y: NDArray[np.intp], strength: float, tolerance: float) -> Logistic:
    """Fit in principal axes, each divided by the root of what bounds its curvature."""
    import torch

    truth, places = torch.as_tensor(y), torch.arange(len(y))
    n, classes = len(y), int(y.max()) + 1
    penalty = 2 * strength if classes == 2 else strength  # two opposite columns share the binary model's penalty
    scales = (x.variances / classes + penalty).rsqrt()
    last = (n / classes) ** -0.5  # of the intercepts
    wide = torch.cat([x.rows * scales.float(), torch.full((n, 1), last)], dim=1)
    pull = (penalty * scales**2).float()[:, None]
    back = torch.cat([x.axes / scales, torch.zeros(len(x.axes), 1)], dim=1).float()  # to slopes of the coefficients

    def value(flat: Tensor) -> tuple[float, Tensor, float]:
        weights = flat.view(-1, classes)
        logs = torch.log_softmax(wide @ weights, dim=1)
        pulled = pull * weights[:-1]
        loss = -float(logs[places, truth].double().sum()) + float((weights[:-1] * pulled).double().sum()) / 2
        errors = logs.exp_()
        errors[places, truth] -= 1
        slopes = wide.T @ errors
        slopes[:-1] += pulled
        steepest = max(float((back @ slopes).abs().max()), float(slopes[-1].abs().max()) / last)
        return loss, slopes.flatten(), steepest / n

    flat, iterations = _lbfgs(value, torch.zeros(wide.shape[1] * classes), tolerance)
    weights = flat.view(-1, classes).double()
    coefficients = x.axes @ (weights[:-1] * scales[:, None])
    intercepts = weights[-1] * last - x.mean @ coefficients
    return Logistic(coefficients.numpy(), (intercepts - intercepts.mean()).numpy(), iterations)


def _lbfgs(
    value: Callable[[Tensor], tuple[float, Tensor, float]], start: Tensor, tolerance: float
) -> tuple[Tensor, int]:
    """Minimise a convex function.

    Args:
        value: point -> value, gradient, and the slope that the tolerance is compared with.
        start: where to begin, (m,).
        tolerance: the slope at which to end.

    Source:
        Nocedal and Wright 2006, Numerical Optimization, algorithms 7.4 and 3.1.
    """
    point = start
    steps: list[tuple[Tensor, Tensor, float]] = []
    now, gradient, slope = value(point)
    for iteration in range(ITERATIONS):
        if slope <= tolerance:
            return point, iteration
        direction, sizes = -gradient, []
        for step, turn, weight in reversed(steps):
            sizes.append(weight * float(step @ direction))
            direction = direction - sizes[-1] * turn
        if steps:
            step, turn, weight = steps[-1]
            direction = direction / (weight * float(turn @ turn))
        for (step, turn, weight), size in zip(steps, reversed(sizes), strict=True):
            direction = direction + (size - weight * float(turn @ direction)) * step
        falls, length = float(gradient @ direction), 1.0
        while True:
            new = point + length * direction
            there, new_gradient, slope = value(new)
            if there <= now + 1e-4 * length * falls + 1e-7 * abs(now):
                break
            length /= 2
            if length < 1e-8:  # float32 tells the two points apart no more
                return point, iteration
        step, turn = new - point, new_gradient - gradient
        if (curvature := float(step @ turn)) > 0:
            steps = [*steps, (step, turn, 1 / curvature)][-MEMORY:]
        point, now, gradient = new, there, new_gradient
    return point, ITERATIONS
