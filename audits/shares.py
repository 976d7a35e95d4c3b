"""Rows of the measures' table from outcomes picture by picture, where pictures of one thing count for less.

Knows no audit; the statistics are `workbench.statistics`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

import numpy as np

from workbench.statistics import intervals
from workbench.statistics.clusters import effective
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Extra, Measure, number, share
from workbench.statistics.paired import Paired

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from pandas import DataFrame


def counted(
    metric: str,
    outcomes: ArrayLike,
    *,
    cluster: Sequence[str],
    slice: Mapping[str, str] | None = None,
    **extra: Unpack[Extra],
) -> Measure:
    """Return the share of outcomes (0 or 1) as a row; several pictures of one cluster count for less.

    The value is the plain share; the bounds are those of the effective number of pictures, widened to hold the value.

    Raises:
        BadInput: outcomes that are not 0 or 1, or another number of clusters.
    """
    values = np.asarray(outcomes, dtype=np.float64)
    k, n = int(values.sum()), len(values)
    if len(set(cluster)) == n:
        return share(metric, k, n, slice=slice, **extra)
    fewer, size = effective(values, list(cluster))
    found = held(intervals.proportion(fewer, size), k / n, ", effective n")
    return replace(number(metric, found, n=n, slice=slice, **extra), k_pos=k, n_effective=size)


def held(found: Interval, value: float, said: str = "") -> Interval:
    """Return the interval of shrunk counts around the value that was seen, which it is widened to hold."""
    if found.low is None or found.high is None:
        return found
    bounds = min(found.low, value), max(found.high, value)
    return replace(Interval(value, *bounds, found.level, found.method + said), at_level=found.at_level)


def changed(metric: str, found: Paired, *, slice: Mapping[str, str] | None = None, **extra: Unpack[Extra]) -> Measure:
    """Return a paired difference as a row."""
    given: Extra = {"unit": "difference", "contrast": "paired", **extra, "p_value": found.p_value}
    return number(metric, found.difference, n=found.n, slice=slice, **given)


def percent(value: float | None) -> str:
    """Write a share for a sentence."""
    return "not measured" if value is None else f"{100 * value:.1f} %"


def units(rows: DataFrame) -> list[str] | None:
    """Return the clusters of rows where any holds more than one picture, and None where all stand alone."""
    names = list(rows["cluster"])
    return names if len(set(names)) < len(names) else None
