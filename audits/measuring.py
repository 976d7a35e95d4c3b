"""Outcomes of images -> one row of the table: share, mean, gap or paired change, with clusters.

Images of one person or thing (a cluster) are not independent. One rule for each kind of number:

    share     a yes/no outcome: its count is divided by the design effect of the clusters
    mean      any numbers: Student's t over images, or over clusters of one size; else a cluster bootstrap
    gap       largest minus smallest share of all groups: clusters that hold every group are control strata, other
              clusters shrink the counts by their design effect
    mean_gap  largest minus smallest mean of all groups: bootstrap of clusters, test and lower bound from the same draws
    change    the same images twice: paired, by cluster

The value is always that of the images; bounds from shrunken counts are widened to hold it. Arguments of all: outcomes
(0 or 1) or values (any numbers), (n,); `cluster` and `groups`, n names; `slice`, attribute -> value; `rng` of
resampling; further fields of the measure by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.statistics import clusters, gaps, intervals, paired
from workbench.statistics.intervals import RESAMPLES, Interval
from workbench.statistics.max_t import largest_difference, largest_row
from workbench.statistics.measures import Extra, Measure, number, of_gap
from workbench.statistics.measures import share as share_row
from workbench.statistics.power import minimum_detectable_difference

FEW, FREE = 10, 5  # clusters of a group that has a spread of its own; degrees of freedom of any spread
DETECTABLE = (1.959964 + 0.841621) / 1.959964  # smallest difference found in 80 of 100 runs, in half 95 % intervals


def share(
    metric: str,
    outcomes: ArrayLike,
    cluster: Sequence[str],
    *,
    slice: Mapping[str, str] | None = None,
    **extra: Unpack[Extra],
) -> Measure:
    """Return the share of outcomes that are 1, with its interval; no outcome gives an undefined row.

    Raises:
        BadInput: outcomes that are not 0 or 1, or another number of clusters.
    """
    values = np.asarray(outcomes, dtype=np.float64)
    k, n = int(values.sum()), len(values)
    if repeated(cluster) is None:
        return share_row(metric, k, n, slice=slice, **extra)
    fewer, size = clusters.effective(values, list(cluster))
    interval = widened(intervals.proportion(fewer, size), k / n, ", effective n")
    return replace(number(metric, interval, n=n, slice=slice, **extra), k_pos=k, n_effective=size)


def mean(
    metric: str,
    values: ArrayLike,
    cluster: Sequence[str],
    *,
    rng: np.random.Generator,
    slice: Mapping[str, str] | None = None,
    **extra: Unpack[Extra],
) -> Measure:
    """Return the mean of any numbers, with its interval, cut to 0..1 where all numbers lie there."""
    x = np.asarray(values, dtype=np.float64)
    parts = pd.Series(x).groupby(np.asarray(cluster, dtype=object), sort=True)
    if repeated(cluster) is None:
        interval = intervals.mean(x)
    elif parts.size().nunique() == 1:
        interval = intervals.mean(parts.mean().to_numpy(float))
        interval = replace(interval, method=f"{interval.method} over {parts.ngroups} clusters")
    else:
        interval = intervals.bootstrap(x, rng=rng, cluster=list(cluster))
    low, high = interval.low, interval.high
    if low is not None and high is not None and x.min() >= 0 and x.max() <= 1:
        interval = replace(interval, low=max(0.0, low), high=min(1.0, high))
    if len(x) > 1 and x.min() == x.max():
        interval = replace(interval, method=f"degenerate: all values equal; {interval.method}")
    return number(metric, interval, n=len(x), slice=slice, **extra)


def gap(
    metric: str,
    outcomes: ArrayLike,
    cluster: Sequence[str],
    *,
    groups: Sequence[str],
    rng: np.random.Generator,
    **extra: Any,
) -> Measure:
    """Return the largest minus the smallest share of yes/no outcomes between groups, 0..1, beside what chance gives."""
    names, kinds = repeated(cluster), [str(group) for group in groups]
    if names is not None and gaps.matched(pd.Series(kinds, dtype=object), pd.Series(names, dtype=object)):
        extra = {"control": "cluster", **extra}
    apart = gaps.gap_of_cases(outcomes, kinds, rng=rng, cluster=names)
    row = of_gap(metric, apart, **extra)
    if row.value is None:
        return row
    k, n = (sum(pair[at] for pair in apart.counts.values()) for at in (0, 1))
    smallest = [  # difference of a group from the others that 80 of 100 runs would find
        minimum_detectable_difference(size, round((k - hits) / (n - size), 3), others=n - size).smallest
        for hits, size in apart.counts.values()
        if 0 < size < n
    ]
    return replace(row, detectable=min((one for one in smallest if one is not None), default=None))


def mean_gap(
    metric: str,
    values: ArrayLike,
    cluster: Sequence[str],
    *,
    groups: Sequence[str],
    rng: np.random.Generator,
    **extra: Any,
) -> Measure:
    """Return the largest minus the smallest mean between groups, beside what chance gives; arguments as for `gap`.

    The test is the largest difference of two means in its standard errors, against centred bootstrap draws of whole
    clusters; the lower bound uses the same draws, so it lies above 0 exactly where the test finds a gap. A group of
    fewer than ten clusters takes the spread within all groups.

    Source:
        Romano and Wolf 2005, Econometrica 73:1237 (largest of studentised errors).
    """
    fields: dict[str, Any] = {"unit": "difference", "contrast": "between_groups", "direction": "lower", **extra}
    rows = pd.DataFrame({"value": np.asarray(values, float), "cluster": list(cluster), "group": list(groups)})
    sums = rows.groupby(["group", "cluster"], sort=True)["value"].agg(["sum", "size"])
    units = {str(name): part.to_numpy(float) for name, part in sums.groupby(level="group", sort=True)}
    means = {name: part[:, 0].sum() / part[:, 1].sum() for name, part in units.items()}
    residuals = [part[:, 0] - means[name] * part[:, 1] for name, part in units.items()]
    free = sum(map(len, residuals)) - len(units)
    why = "fewer than two groups with images" if len(units) < 2 else "no image differs within its group"
    if len(units) < 2 or free < FREE or not any(one.any() for one in residuals):
        why = "too few images" if len(units) > 1 and free < FREE else why
        return number(metric, Interval(None, None, None, 0.95, f"undefined: {why}"), n=len(rows), **fields)
    floor = float(np.mean([(one**2).mean() for one in residuals if len(one) > 1]))  # for groups in which nothing varies
    pooled = np.concatenate([one / part[:, 1] for one, part in zip(residuals, units.values(), strict=True)])
    pooled *= np.sqrt(len(pooled) / free)
    unsure = np.sqrt(rng.chisquare(free, RESAMPLES) / free)  # as the pooled spread would be, of normal numbers
    error, centred, errors = [], [], []
    for name, part in units.items():
        if len(part) < FEW:
            each = rng.choice(pooled, (RESAMPLES, len(part)))
            error.append(pooled.std() / np.sqrt(len(part)))
            centred.append(each.mean(1))
            errors.append(error[-1] * unsure)
        else:
            drawn = part[rng.integers(0, len(part), (RESAMPLES, len(part)))]
            error.append(_standard_error(part[None], floor)[0])
            centred.append(drawn[..., 0].sum(1) / drawn[..., 1].sum(1) - means[name])
            errors.append(_standard_error(drawn, floor))
    method = "max-t bootstrap over clusters" if repeated(cluster) else "max-t bootstrap"
    apart = largest_difference(
        np.array(list(means.values())),
        np.array(error),
        centred=np.column_stack(centred),
        drawn_errors=np.column_stack(errors),
        method=method,
    )
    smallest, names = min(int(part[:, 1].sum()) for part in units.values()), list(means)
    return replace(largest_row(metric, apart, names, n=smallest, **fields), n=len(rows), detectable=apart.detectable)


def change(metric: str, before: ArrayLike, after: ArrayLike, *, cluster: Sequence[str], **extra: Any) -> Measure:
    """Return the mean of after minus before for the same images, with a paired interval and test.

    The bounds of a difference, of numbers from 0 to 1, end at -1 and 1.
    """
    result = paired.compare(before, after, cluster=repeated(cluster))
    fields: dict[str, Any] = {"unit": "difference", "contrast": "paired", **extra, "p_value": result.p_value}
    row = number(metric, result.difference, n=result.n, **fields)
    low, high = row.ci_low, row.ci_high
    if low is None or high is None:
        return row
    row = replace(row, detectable=DETECTABLE * (high - low) / 2)
    return replace(row, ci_low=max(-1.0, low), ci_high=min(1.0, high)) if row.unit == "difference" else row


def repeated(cluster: Sequence[str]) -> list[str] | None:
    """Return the clusters as a list, or None where each image is a cluster of its own."""
    names = list(cluster)
    return names if len(set(names)) < len(names) else None


def widened(interval: Interval, value: float, note: str = "") -> Interval:
    """Return an interval from shrunken counts around the value of all images, widened to hold it."""
    if interval.low is None or interval.high is None:
        return interval
    low, high = min(interval.low, value), max(interval.high, value)
    return Interval(value, low, high, interval.level, interval.method + note, at_level=interval.at_level)


def _standard_error(units: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """(m, clusters, 2) sums and sizes -> (m,) cluster-robust standard errors; `floor`: of constant groups."""
    count = units.shape[1]
    total = units[..., 1].sum(1)
    means = units[..., 0].sum(1) / total
    squares = ((units[..., 0] - means[:, None] * units[..., 1]) ** 2).sum(1)
    squares = np.where(squares > 1e-12, squares, floor * count)
    return np.asarray(np.sqrt(count / (count - 1) * squares) / total)
