"""The search for the L2 penalty: the CLIP paper's parametric binary search, and the bracket of CoOp's code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from workbench.probes.suite.metrics import eleven_point_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.probes.logistic import Logistic

PER_DECADE = 8
GRID = tuple(10 ** (-6 + step / PER_DECADE) for step in range(12 * PER_DECADE + 1))  # 96 steps from 1e-6 to 1e6
FIRST = 2 * PER_DECADE  # steps between the seven penalties of the beginning: 1e-6, 1e-4, … 1e6
BRACKET_STEPS = 8  # of CoOp's bracket

Score: TypeAlias = tuple[float, ...]  # accuracy, and what decides between equal ones; higher is better


@dataclass(frozen=True)
class Sweep:
    """What was tried, and what was chosen."""

    points: tuple[tuple[float, float], ...]  # (strength, accuracy), by ascending strength
    strength: float  # the best; of equal ones the strongest


def validation_score(fitted: Logistic, x: NDArray[np.floating], y: NDArray[np.intp] | NDArray[np.bool_]) -> Score:
    """Return the accuracy on validation images, and the mean log probability of the truth for where it is equal.

    With few validation images accuracies are often equal, over decades of penalties. Where images show several classes,
    (n, k), the 11-point mAP stands in the place of the accuracy.
    """
    chances = fitted.probabilities(x)
    if y.ndim == 2:
        logs = np.log(np.where(y, chances, 1 - chances).clip(1e-12))
        return eleven_point_map(chances, y.astype(bool)), float(logs.mean())
    logs = np.log(chances[np.arange(len(y)), y].clip(1e-12))
    return float((chances.argmax(axis=1) == y).mean()), float(logs.mean())


def parametric_search(score: Callable[[float], Score], *, finest: int = 1) -> Sweep:
    """Find the best of 96 steps with 15 fits: seven penalties, then halves of the gap around the peak.

    A single peak is assumed, and not guaranteed.

    Args:
        score: strength -> accuracy on validation images, and what decides between equal ones.
        finest: steps of the grid at which the search ends; 8 are a decade.

    Source:
        Radford et al. 2021, arXiv:2103.00020, appendix A.3.
    """
    scores = {place: score(GRID[place]) for place in range(0, len(GRID), FIRST)}
    gap = FIRST
    while gap > finest:
        gap //= 2
        peak = _best(scores)
        for place in (peak - gap, peak + gap):
            if 0 <= place < len(GRID):
                scores[place] = score(GRID[place])
    return Sweep(tuple((GRID[place], scores[place][0]) for place in sorted(scores)), GRID[_best(scores)])


def bracket_search(score: Callable[[float], Score]) -> Sweep:
    """Find a penalty as CoOp's released code does: a bracket of one decade to each side, halved eight times.

    Of the ends of the bracket, the one that scores lower moves to the middle, in logarithms; at equal scores the
    stronger penalty stays.

    Source:
        Zhou et al. 2022, arXiv:2109.01134, `lpclip/linear_probe.py` of its code.
    """
    starts = {10.0**power: score(10.0**power)[0] for power in range(-6, 7, 2)}
    peak = max(starts, key=lambda strength: (starts[strength], -strength))  # of equal ones its first, the weakest
    low, high = peak / 10, peak * 10
    tried = dict(starts)
    for _ in range(BRACKET_STEPS):
        tried |= {end: score(end)[0] for end in (low, high) if end not in tried}
        middle = (low * high) ** 0.5
        # its C is one over the strength: the lower C, which stays at equal scores, is the stronger penalty
        chosen = low if tried[high] < tried[low] else high
        low, high = (low, middle) if chosen == low else (middle, high)
    return Sweep(tuple(sorted(tried.items())), chosen)


def _best(scores: dict[int, Score]) -> int:
    return max(scores, key=lambda place: (scores[place], place))
