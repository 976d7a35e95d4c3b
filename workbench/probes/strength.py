"""The search for the L2 penalty: the CLIP paper's parametric binary search, and the bracket of CoOp's code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PER_DECADE = 8
GRID = tuple(10 ** (-6 + step / PER_DECADE) for step in range(12 * PER_DECADE + 1))  # 96 steps from 1e-6 to 1e6
FIRST = 2 * PER_DECADE  # steps between the seven penalties of the beginning: 1e-6, 1e-4, … 1e6
BRACKET_STEPS = 8  # of CoOp's bracket


@dataclass(frozen=True)
class Sweep:
    """What was tried, and what was chosen."""

    points: tuple[tuple[float, float], ...]  # (strength, score), by ascending strength
    strength: float  # the best; of equal ones the strongest


def parametric_search(score: Callable[[float], float], *, finest: int = 1) -> Sweep:
    """Find the best of 96 steps with 15 fits: seven penalties, then halves of the gap around the peak.

    A single peak is assumed, and not guaranteed.

    Args:
        score: strength -> accuracy on validation images; higher is better.
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
    return Sweep(tuple((GRID[place], scores[place]) for place in sorted(scores)), GRID[_best(scores)])


def bracket_search(score: Callable[[float], float]) -> Sweep:
    """Find a penalty as CoOp's released code does: a bracket of one decade to each side, halved eight times.

    Of the ends of the bracket, the one that scores lower moves to the middle, in logarithms; at equal scores the
    stronger penalty stays.

    Source:
        Zhou et al. 2022, arXiv:2109.01134, `lpclip/linear_probe.py` of its code.
    """
    starts = {10.0**power: score(10.0**power) for power in range(-6, 7, 2)}
    peak = max(starts, key=lambda strength: (starts[strength], -strength))  # of equal ones its first, the weakest
    low, high = peak / 10, peak * 10
    tried = dict(starts)
    for _ in range(BRACKET_STEPS):
        tried |= {end: score(end) for end in (low, high) if end not in tried}
        middle = (low * high) ** 0.5
        # its C is one over the strength: the lower C, which stays at equal scores, is the stronger penalty
        chosen = low if tried[high] < tried[low] else high
        low, high = (low, middle) if chosen == low else (middle, high)
    return Sweep(tuple(sorted(tried.items())), chosen)


def _best(scores: dict[int, float]) -> int:
    return max(scores, key=lambda place: (scores[place], place))
