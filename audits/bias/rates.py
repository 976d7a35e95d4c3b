"""One metric in one slice as a row of the table, where several pictures may show the same scene or person.

Two cases are told apart. Clusters that hold *every* group compared are matched: chance deals outcomes within them only,
so that what the pictures of a cluster share cannot look like a difference between groups. In all other data, counts are
shrunk by the design effect of the clusters before they are tested. Knows no label and no model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from audits.shares import counted
from workbench.statistics import gaps, intervals, paired
from workbench.statistics.measures import Measure, number, of_gap

if TYPE_CHECKING:
    from pandas import DataFrame

SEPARATOR = " · "  # between the values of an intersection


def share(metric: str, rows: DataFrame, *, label_set: str = "", slice: Mapping[str, str] | None = None) -> Measure:
    """Return the share of rows (columns `value`, 0 or 1, and `cluster`) with its interval.

    The value is the plain mean; with clusters the bounds are those of the effective number of pictures.
    """
    return counted(
        metric, rows["value"].to_numpy(float), cluster=list(rows["cluster"]), label_set=label_set, slice=slice
    )


def mean(
    metric: str,
    rows: DataFrame,
    *,
    label_set: str = "",
    slice: Mapping[str, str] | None = None,
    rng: np.random.Generator,
    unit: str = "probability",
) -> Measure:
    """Return the mean of `value` with Student's interval over pictures, or over clusters where they are of one size."""
    values, names = rows["value"].to_numpy(float), _clusters(rows)
    if names is None:
        found = intervals.mean(values)
    elif rows.groupby("cluster").size().nunique() == 1:
        found = intervals.mean(rows.groupby("cluster", sort=True)["value"].mean().to_numpy(float))
        found = dataclasses.replace(found, method=f"{found.method} over {rows['cluster'].nunique()} clusters")
    else:
        found = intervals.bootstrap(values, rng=rng, cluster=names)
    return number(metric, found, n=len(values), label_set=label_set, slice=slice, unit=unit)


def gap(metric: str, rows: DataFrame, *, by: Sequence[str], label_set: str = "", rng: np.random.Generator) -> Measure:
    """Return the largest minus the smallest share between groups (column `group`), beside what chance gives."""
    control = "cluster" if _clusters(rows) is not None and gaps.matched(rows["group"], rows["cluster"]) else ""
    apart = gaps.gap_of_cases(rows["value"], rows["group"].astype(str).to_numpy(), rng=rng, cluster=_clusters(rows))
    return of_gap(metric, apart, slice_by=",".join(by), label_set=label_set, control=control)


def changed(
    metric: str,
    rows: DataFrame,
    *,
    sets: tuple[str, str],
    slice: Mapping[str, str] | None = None,
) -> Measure:
    """Return how the mean changes from one label set (column `value`) to another (`after`), for the same pictures."""
    found = paired.compare(rows["value"].to_numpy(float), rows["after"].to_numpy(float), cluster=_clusters(rows))
    before, after = sets
    return number(
        metric,
        found.difference,
        n=found.n,
        slice=slice,
        unit="difference",
        label_set=after,
        contrast="paired",
        reference=f"label set {before}",
        p_value=found.p_value,
        family=f"{metric}|change of label set",
    )


def _clusters(rows: DataFrame) -> Sequence[str] | None:
    """Return the clusters, or None where each picture stands alone."""
    names: list[str] = list(rows["cluster"])
    return names if len(set(names)) < len(names) else None
