"""The largest difference between groups' numbers of any kind, from resamples: test and interval from one statistic.

The statistic is the largest difference of two groups in its standard errors; its null are the draws, centred. The
interval's lower end lies above 0 exactly where the p-value is below 1 - level.

Source:
    Romano and Wolf 2005, Econometrica 73:1237 (largest of studentised errors).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.statistics import p_values
from workbench.statistics._test_inversion import TIE, critical_value, normal_quantiles
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

_POWER = 0.841621  # normal quantile of 80 of 100 runs


@dataclass(frozen=True)
class LargestDifference:
    """The distance between the extreme groups, and whether chance would do."""

    interval: Interval
    null_mean: float
    null_q95: float
    p_value: float
    lowest: int  # place of the group with the smallest number
    highest: int
    detectable: float  # smallest difference that 80 of 100 runs would find


def largest_difference(
    values: NDArray[np.float64],
    errors: NDArray[np.float64],
    *,
    centred: NDArray[np.float64],
    drawn_errors: NDArray[np.float64],
    method: str,
) -> LargestDifference:
    """Return the largest difference between k groups.

    Args:
        values: (k,) one number a group.
        errors: (k,) their standard errors, above 0.
        centred: (draws, k) bootstrap draws minus what they are draws of.
        drawn_errors: (draws, k) the standard errors of the draws; (1, k) where they are not worked out anew.
        method: name of the bootstrap.
    """
    one, other = np.triu_indices(len(values), 1)
    difference, spread = np.abs(values[one] - values[other]), np.hypot(errors[one], errors[other])
    null = np.abs(centred[:, one] - centred[:, other])
    largest = (null / np.hypot(drawn_errors[:, one], drawn_errors[:, other])).max(axis=1)
    hits = int((largest >= (difference / spread).max() - TIE).sum())
    bounds = _MaxTBounds(difference, spread, np.sort(largest)[::-1], method)
    return LargestDifference(
        interval=bounds(0.95),
        null_mean=float(null.max(axis=1).mean()),
        null_q95=float(np.quantile(null.max(axis=1), 0.95)),
        p_value=p_values.resampled(hits, len(largest)),
        lowest=int(values.argmin()),
        highest=int(values.argmax()),
        detectable=float((np.quantile(largest, 0.95) + _POWER) * spread.min()),
    )


def largest_row(metric: str, apart: LargestDifference, names: Sequence[str], *, n: int, **fields: Any) -> Measure:
    """Return a largest difference between named groups as a row; `n` of the smallest group."""
    return number(
        metric,
        apart.interval,
        n=n,
        reference=f"{names[apart.lowest]} to {names[apart.highest]}",
        null_mean=apart.null_mean,
        null_q95=apart.null_q95,
        p_value=apart.p_value,
        **fields,
    )


@dataclass(frozen=True, eq=False)
class _MaxTBounds:
    """The interval at any level."""

    differences: NDArray[np.float64]  # of each pair of groups, 0 or more
    errors: NDArray[np.float64]  # their standard errors
    null: NDArray[np.float64]  # largest studentised differences under chance, largest first
    method: str

    def __call__(self, level: float) -> Interval:
        critical = critical_value(self.null, level)
        low = max(0.0, float((self.differences - critical * self.errors).max()))
        high = float((self.differences + normal_quantiles(level)[1] * self.errors).max())
        return Interval(float(self.differences.max()), low, high, level, self.method, at_level=self)
