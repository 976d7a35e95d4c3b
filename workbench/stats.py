"""Shares with their intervals: how sure one may be of “7 of 10 right”.

Knows nothing of pictures or models; the statistics themselves are statsmodels'.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.errors import BadInput

WILSON = "Wilson"


@dataclass(frozen=True)
class Share:
    """A part of a whole, with the interval that it was measured to; all NaN where nothing was counted."""

    value: float  # 0..1
    low: float  # lower end of the interval, 0..1
    high: float  # upper end
    n: int  # how many were counted
    method: str  # of the interval
    confidence: float = 0.95

    def __str__(self) -> str:
        if not self.n:
            return "not measured (n = 0)"
        value, low, high = (f"{100 * part:.1f}" for part in (self.value, self.low, self.high))
        level = f"{100 * self.confidence:g} % interval"
        return f"{value} % ({level} {low} to {high} %, n = {self.n}, {self.method})"


def share(successes: int, n: int, confidence: float = 0.95) -> Share:
    """Return successes / n with its Wilson score interval.

    Args:
        successes: how many of the n, 0..n.
        n: how many were counted; 0 gives NaN, never 0.
        confidence: of the interval, strictly between 0 and 1.

    Raises:
        BadInput: counts that cannot be, or a confidence outside (0, 1).

    Source:
        Wilson 1927, J. Am. Stat. Assoc. 22:209; recommended by Brown, Cai and DasGupta 2001, Stat. Sci. 16:101.
    """
    if not 0 <= successes <= n:
        raise BadInput(f"Of n counted, 0 to n can be successes; got {successes} of {n}.")
    if not 0 < confidence < 1:
        raise BadInput(f"A confidence lies between 0 and 1, such as 0.95; got {confidence}.")
    if n == 0:
        return Share(math.nan, math.nan, math.nan, 0, WILSON, confidence)
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    return Share(successes / n, float(low), float(high), n, WILSON, confidence)
