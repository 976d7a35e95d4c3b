"""How many labelled images a class zero-shot is worth.

Source: Radford et al. 2021, arXiv:2103.00020, section 3.1.5 and figure 7.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from workbench.statistics.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 500


def equivalent_shots(zero_shot: float, curve: dict[int, float]) -> float | None:
    """Return how many shots reach the zero-shot accuracy, by log-linear interpolation; None beyond the last point.

    Below the first point, 1 is an upper bound and is returned as it is.

    Args:
        zero_shot: accuracy, 0..1.
        curve: shots -> accuracy.

    Source:
        Radford et al. 2021, figure 7.
    """
    points = sorted(curve.items())
    if zero_shot <= points[0][1]:
        return float(points[0][0])
    for (few, low), (many, high) in itertools.pairwise(points):
        if low <= zero_shot <= high and high > low:
            part = (zero_shot - low) / (high - low)
            return float(np.exp(np.log(few) + part * (np.log(many) - np.log(few))))
    return None


def equivalent_interval(
    zero_shot: NDArray[np.bool_], curve: dict[int, NDArray[np.bool_]], *, seed: int, level: float = 0.95
) -> Interval:
    """Return the shots that zero-shot is worth, with an interval that draws seeds and test images anew.

    A bound that is None lies beyond the last point of the curve; a bound of the curve's first point is "at most".

    Args:
        zero_shot: (n,) whether each test image is answered correctly.
        curve: shots -> (seeds, n) the same for probes of so many images a class.
        seed: of the resampling.
        level: of confidence.
    """
    rng, n = np.random.default_rng(seed), len(zero_shot)
    by_image = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n  # (resamples, n)
    means = {}
    for shots, right in curve.items():
        by_seed = rng.multinomial(len(right), np.full(len(right), 1 / len(right)), len(by_image)) / len(right)
        means[shots] = ((by_seed @ right) * by_image).sum(axis=1)
    drawn = []
    for at, value in enumerate(by_image @ zero_shot):
        worth = equivalent_shots(float(value), {few: float(mean[at]) for few, mean in means.items()})
        drawn.append(np.inf if worth is None else worth)
    value = equivalent_shots(float(zero_shot.mean()), {few: float(right.mean()) for few, right in curve.items()})
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], method="nearest")
    lower, upper = (float(bound) if np.isfinite(bound) else None for bound in (low, high))
    return Interval(value, lower, upper, level, f"bootstrap over seeds and {n} images")


def worth(shots: Interval, most: int) -> str:
    """Return a number of shots with its interval in words: "3.2 (at most 1 to more than 16)".

    Args:
        shots: of `equivalent_interval`.
        most: images a class where the curve ends.
    """
    value, low, high = (
        f"more than {most}" if end is None else "at most 1" if end == 1 else f"{end:.1f}"
        for end in (shots.value, shots.low, shots.high)
    )
    return value if value == low == high else f"{value} ({low} to {high})"
