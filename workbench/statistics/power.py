"""What a slice could have shown: the smallest difference that would have been found four times out of five.

From sizes and a base rate alone. A gap below it was not ruled out: there were too few cases to find it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.errors import BadInput
from workbench.statistics._checks import check_level

POWER = 0.8


@dataclass(frozen=True)
class Detectable:
    """The smallest difference in a share that a slice can show, as positive numbers 0..1; None where none is left."""

    up: float | None  # above the base rate
    down: float | None  # below it
    power: float
    level: float

    @property
    def smallest(self) -> float | None:
        """The smaller of both directions."""
        return min((side for side in (self.up, self.down) if side is not None), default=None)


def detectable_of_interval(low: float, high: float, *, level: float = 0.95) -> float:
    """Return the smallest distance from no effect that 80 of 100 runs with an interval as long as this would show.

    Args:
        low: end of a two-sided interval whose errors are about normal.
        high: the other end.
        level: of the interval.
    """
    critical = _critical(level)
    return (high - low) / 2 * (critical + _critical(2 * POWER - 1)) / critical


def detectable_beyond_chance(null_q95: float, low: float, high: float) -> float:
    """Return the smallest value that 80 of 100 runs would find beyond the 95th percentile of chance.

    Args:
        null_q95: percentile, as a distance from no effect.
        low: end of the value's 95 % interval.
        high: the other end.
    """
    return abs(null_q95) + _critical(2 * POWER - 1) * (high - low) / 2 / _critical(0.95)


def corrected(detectable: float, level: float, *, wider: float) -> float:
    """Return what a smallest difference at one level becomes at the higher level that a correction asks for."""
    power = _critical(2 * POWER - 1)
    return detectable * (_critical(wider) + power) / (_critical(level) + power)


def minimum_detectable_difference(
    n: int, base: float, *, others: int | None = None, level: float = 0.95, power: float = POWER
) -> Detectable:
    """Return the smallest difference from a base rate that a two-sided test of a slice finds with the power given.

    Args:
        n: size of the slice.
        base: rate that it is compared with, 0..1.
        others: size of the group that the base rate comes from; None treats it as known exactly.
        level: 1 - alpha of the test.
        power: probability of finding the difference, above alpha and below 1.

    Raises:
        BadInput: a negative size, a rate outside 0..1, or a power that is not between alpha and 1.

    Source:
        Cohen 1988, Statistical Power Analysis, chapter 6 (arcsine h); statsmodels' `NormalIndPower`.
    """
    check_level(level)
    if n < 0 or (others is not None and others < 0):
        raise BadInput(f"A slice has 0 or more members; got {n if n < 0 else others}.")
    if not 0 <= base <= 1:
        raise BadInput(f"A base rate lies between 0 and 1; got {base}.")
    if not 1 - level < power < 1:
        raise BadInput(f"A power lies between alpha = {1 - level:g} and 1; got {power}.")
    if n == 0 or others == 0:
        return Detectable(None, None, power, level)
    from statsmodels.stats.power import NormalIndPower

    ratio = 0.0 if others is None else others / n
    h = float(NormalIndPower().solve_power(nobs1=n, alpha=1 - level, power=power, ratio=ratio))
    angle = math.asin(math.sqrt(base))
    up, down = angle + h / 2, angle - h / 2
    return Detectable(
        math.sin(up) ** 2 - base if up <= math.pi / 2 else None,
        base - math.sin(down) ** 2 if down >= 0 else None,
        power,
        level,
    )


def _critical(level: float) -> float:
    """Return what a normal error exceeds on either side with probability 1 - level."""
    from scipy.stats import norm

    return float(norm.ppf((1 + level) / 2))
