"""Accuracy on images from elsewhere against accuracy on the base images: the plane of effective robustness.

The line is that of probes that no sentence enters (of all models, at each number of shots): what lies above it is more
robust than its accuracy on the base images explains.

Source: Taori et al. 2020, arXiv:2007.00644, section 2; Radford et al. 2021, arXiv:2103.00020, section 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.probes.adapters.methods import IMAGE_PROBE
from workbench.statistics.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.probes.adaptation import Adapted

RESAMPLES = 1000
ENOUGH = 3  # points that a line needs


@dataclass(frozen=True, eq=False)
class PlanePoint:
    """One model, method and number of shots on the plane of one shift."""

    model: str
    method: str
    shots: int
    base: Interval  # accuracy on the test images of the shift's classes
    shifted: Interval  # accuracy on the shift
    effective: Interval | None  # shifted minus what the line predicts; None without a line, or on it


@dataclass(frozen=True)
class Plane:
    """Points of one shift."""

    shift: str
    points: tuple[PlanePoint, ...]
    line: tuple[float, float] | None  # intercept and slope of logit(shifted) over logit(base)


def plane(adapted: Sequence[tuple[str, Adapted]], shift: str, *, seed: int, level: float = 0.95) -> Plane:
    """Place models on the plane.

    Intervals of effective robustness draw seeds, base images and shifted images anew, the line's points among them.

    Args:
        adapted: model and what was measured, all with this shift and on the same images.
        shift: its name.
        seed: of the resampling.
        level: of confidence.
    """
    rng = np.random.default_rng(seed)
    references = np.array([one.method == IMAGE_PROBE for _, one in adapted], bool)
    seeds = {
        s: rng.multinomial(s, np.full(s, 1 / s), RESAMPLES) / s
        for s in sorted({len(one.base[shift]) for _, one in adapted})
    }  # the same drawings answer base and shifted images
    base = _drawn([one.base[shift] for _, one in adapted], seeds, rng)
    there = _drawn([one.right[shift] for _, one in adapted], seeds, rng)
    above, line = None, None
    if references.sum() >= ENOUGH and len(set(base[0, references])) > 1:
        intercepts, slopes = fitted(base[:, references], there[:, references])
        line = float(intercepts[0]), float(slopes[0])
        above = there - predicted(base, intercepts[:, None], slopes[:, None])
    points = []
    for place, (model, one) in enumerate(adapted):
        effective = None
        if above is not None and not references[place]:
            value = float(above[0, place])
            low, high = (float(end) for end in np.quantile(above[1:, place], [(1 - level) / 2, (1 + level) / 2]))
            effective = Interval(value, min(low, value), max(high, value), level, "bootstrap over seeds and images")
        points.append(
            PlanePoint(model, one.method, one.shots, one.accuracy(shift, base=True), one.accuracy(shift), effective)
        )
    return Plane(shift, tuple(points), line)


def fitted(base: NDArray[np.float64], there: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(r, points) accuracies, twice -> (r,) intercepts and (r,) slopes of least squares through logits."""
    x, y = logit(base), logit(there)
    x_mean, y_mean = x.mean(axis=1, keepdims=True), y.mean(axis=1, keepdims=True)
    slopes = ((x - x_mean) * (y - y_mean)).sum(axis=1) / ((x - x_mean) ** 2).sum(axis=1).clip(1e-12)
    return (y_mean - x_mean * slopes[:, None])[:, 0], slopes


def logit(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ln(p / (1 - p))."""
    answer: NDArray[np.float64] = np.log(share / (1 - share))
    return answer


def predicted(
    base: NDArray[np.float64], intercept: NDArray[np.float64] | float, slope: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return the accuracy on the shift that a line predicts from the accuracy on the base images."""
    from scipy.special import expit

    answer: NDArray[np.float64] = expit(intercept + slope * logit(base))
    return answer


def _drawn(
    rights: Sequence[NDArray[np.bool_]], seeds: Mapping[int, NDArray[np.float64]], rng: np.random.Generator
) -> NDArray[np.float64]:
    """(1 + resamples, points) accuracies, as measured and then with seeds and images drawn anew; 0 and 1 moved in."""
    n = rights[0].shape[1]
    by_image = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n
    columns = [
        np.concatenate([[right.mean()], ((seeds[len(right)] @ right) * by_image).sum(axis=1)]) for right in rights
    ]
    edge = 0.5 / n
    return np.stack(columns, axis=1).clip(edge, 1 - edge)
