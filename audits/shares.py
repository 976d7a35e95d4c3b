"""Rows of the measures' table from outcomes picture by picture, where pictures of one thing count for less.

Knows no audit; the statistics are `audits.statistics`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np

from audits.statistics import intervals
from audits.statistics.clusters import effective
from audits.statistics.measures import Extra, Measure, number, share
from audits.statistics.paired import Paired

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
    """Return the share of outcomes (0 or 1) as a row; several pictures of one cluster count for less."""
    values = np.asarray(outcomes, dtype=np.float64)
    k, n = int(values.sum()), len(values)
    if len(set(cluster)) == n:
        return share(metric, k, n, slice=slice, **extra)
    fewer = intervals.proportion(*effective(values, list(cluster)))
    if n == 0 or fewer.low is None or fewer.high is None:
        return share(metric, k, n, slice=slice, **extra)
    value = k / n
    method = f"{fewer.method}, n / design effect of clusters"
    found = intervals.Interval(value, min(fewer.low, value), max(fewer.high, value), fewer.level, method)
    return number(metric, found, n=n, slice=slice, **extra)


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
