"""How numbers are written: as many digits as their interval supports, and no more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from audits.run_directory.rows import known
from workbench.statistics import p_values
from workbench.statistics.row import LEAST_P

MAX_DECIMALS = 4  # of a percentage or a plain number, however narrow its interval
SIGNIFICANT = 3  # digits of a number that has no interval
MISSING = "not measured"
PERCENT = "%"
SHARE, DIFFERENCE = "share", "difference"  # units of the metrics table that are written times 100


@dataclass(frozen=True)
class WrittenNumber:
    """One number with its interval, ready to be read."""

    value: str  # "12.3 %", or "not measured"
    interval: str  # "9.8 to 15.2 %", or "" where there is none

    @property
    def text(self) -> str:
        """Both in one line, as in a sentence."""
        return f"{self.value} ({self.interval})" if self.interval else self.value


def written(row: Mapping[str, object]) -> WrittenNumber:
    """Write a row of the metrics table: its value and its interval, with equal decimals.

    Args:
        row: has `value`, `ci_low`, `ci_high` and `unit`; shares are written in per cent, their differences in points.
    """
    value, low, high = (known(row.get(name)) for name in ("value", "ci_low", "ci_high"))
    if value is None:
        return WrittenNumber(MISSING, "")
    factor, unit = scale(row.get("unit"))
    places = _decimals(factor * low, factor * high) if low is not None and high is not None else None
    write = writer(places, unit)
    if low is None or high is None:
        return WrittenNumber(write(factor * value), "")
    return WrittenNumber(write(factor * value), f"{writer(places, '')(factor * low)} to {write(factor * high)}")


def scale(unit: object) -> tuple[float, str]:
    """Return by what a value is multiplied and what stands behind it."""
    if unit in (SHARE, DIFFERENCE):
        return 100.0, PERCENT if unit == SHARE else "points"
    return 1.0, "" if unit in (None, "") or not isinstance(unit, str) else unit


def _decimals(low: float, high: float) -> int:
    """Return how many decimals show the width of an interval with two significant digits.

    A width of 5.4 gives 1, of 54 gives 0, of 0.24 gives 2.
    """
    width = high - low
    if not math.isfinite(width) or width <= 0:
        return MAX_DECIMALS if width == 0 and low % 1 else 1
    return min(MAX_DECIMALS, max(0, 1 - math.floor(math.log10(width))))


def writer(places: int | None, unit: str) -> Callable[[float], str]:
    """Return what writes a number with so many decimals, or with three significant digits for None."""
    behind = f" {unit}" if unit else ""

    def write(number: float) -> str:
        if places is None:
            text = f"{number:.{SIGNIFICANT}g}"
            text = f"{number:,.0f}" if "e+" in text else text
        else:
            text = f"{number:.{places}f}"
        if float(text.replace(",", "")) == 0:
            text = text.removeprefix("-")
        return text.replace("-", "−") + behind

    return write


def p_value(value: object, flags: object = "") -> str:
    """Write a p-value for a column: "0.012", "< 0.0001", "≤ 0.0005" where the row's flags say so, "" where none is."""
    number = known(value)
    return "" if number is None else p_values.written(number, bound=LEAST_P in str(flags)).removeprefix("= ")


def count(value: object) -> str:
    """Write a count with thousands apart, "" where there is none."""
    number = known(value)
    return "" if number is None else f"{number:,.0f}"
