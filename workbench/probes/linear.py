"""The CLIP paper's linear probe: one hyperparameter, chosen on validation images; tested once.

Source: Radford et al. 2021, arXiv:2103.00020, appendix A.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.probes.labelled import TEST, TRAIN, VALIDATION, LabelledImages
from workbench.probes.logistic import Logistic, Rotated, Solver, rotated, solve, solve_apart, takes_torch
from workbench.probes.strength import Score, Sweep, parametric_search, validation_score
from workbench.statistics.intervals import Interval, Share, bootstrap, proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.statistics.calibration import CalibrationError


@dataclass(frozen=True, eq=False)
class ProbeResult:
    """A fitted probe, and how well it answers on the test images."""

    model: Logistic
    sweep: Sweep  # accuracy on the validation images by strength
    accuracy: Share  # of the test images
    per_class: Interval  # mean over classes of the share of the class that is right
    calibration: CalibrationError
    probabilities: NDArray[np.float64]  # (n, k) of all images, those trained on included
    classes: dict[str, Share]  # share right, by class

    @property
    def strength(self) -> float:
        """L2 penalty that was chosen."""
        return self.sweep.strength


def probe(
    features: NDArray[np.floating],
    images: LabelledImages,
    *,
    solver: Solver = "auto",
    search: Callable[[Callable[[float], Score]], Sweep] = parametric_search,
) -> ProbeResult:
    """Choose the penalty on the validation images, fit on train and validation together, and test once.

    Args:
        features: (n, width) of the images, before the projection.
        images: n images of one class each, with their parts.
        solver: see `logistic.solve`.
        search: how the penalty is found.
    """
    fitted, sweep = fitted_probe(features, images, solver=solver, search=search)
    return judged(fitted, sweep, fitted.probabilities(features), images=images)


def fitted_probe(
    features: NDArray[np.floating],
    images: LabelledImages,
    *,
    solver: Solver = "auto",
    search: Callable[[Callable[[float], Score]], Sweep] = parametric_search,
) -> tuple[Logistic, Sweep]:
    """Choose the penalty and fit, as `probe` does; where images may show several classes, each against all others."""
    train, validation = images.rows(TRAIN), images.rows(VALIDATION)
    inputs = rotated(features[train]) if takes_torch(features[train], solver) else features[train]
    y = images.y if images.shown is None else images.shown

    def fit(x: NDArray[np.floating] | Rotated, rows: NDArray[np.bool_], strength: float) -> Logistic:
        if images.shown is None:
            return solve(x, images.y[rows], strength, solver=solver)
        return solve_apart(x, images.shown[rows], strength, solver=solver)

    sweep = search(lambda strength: validation_score(fit(inputs, train, strength), features[validation], y[validation]))
    both = train | validation
    return fit(features[both], both, sweep.strength), sweep


def judged(
    fitted: Logistic, sweep: Sweep, probabilities: NDArray[np.float64], *, images: LabelledImages
) -> ProbeResult:
    """Measure a fitted probe on the test images."""
    from workbench.statistics.calibration import expected_calibration_error

    test = images.rows(TEST)
    truth, chances = images.y[test], probabilities[test]
    right = chances.argmax(axis=1) == truth
    return ProbeResult(
        fitted,
        sweep,
        proportion(int(right.sum()), len(right)),
        mean_per_class(right, truth, seed=images.seed),
        expected_calibration_error(chances.max(axis=1), right, rng=images.seed),
        probabilities,
        {
            name: proportion(int(right[truth == number].sum()), int((truth == number).sum()))
            for number, name in enumerate(images.classes)
        },
    )


def mean_per_class(right: NDArray[np.bool_], truth: NDArray[np.intp], *, seed: int) -> Interval:
    """Return the mean over classes of the share right, with a bootstrap interval over images.

    Args:
        right: (n,) whether each image's answer is right.
        truth: (n,) numbers of classes.
        seed: of the bootstrap.
    """

    def statistic(rows: NDArray[Any]) -> float:
        hits, count = (np.bincount(rows[:, 1], weights=weight) for weight in (rows[:, 0], np.ones(len(rows))))
        seen = count > 0
        return float((hits[seen] / count[seen]).mean())

    return bootstrap(np.column_stack([right.astype(np.intp), truth]), statistic, rng=seed)
