"""Which rows belong to which group, and what differs between them; a row without a value is in no group of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pandas import DataFrame

from workbench.statistics.gaps import in_large_groups
from workbench.statistics.measures import Measure
from workbench.statistics.row import GAPS

SEPARATOR = " · "  # between the values of an intersection

By = tuple[str, ...]  # attributes whose values, joined, are the groups


def keyed(rows: DataFrame, by: By) -> DataFrame:
    """Add the column `group`; rows without a value of some attribute are left out."""
    known = rows[(rows[list(by)] != "").all(axis=1)]
    names = [SEPARATOR.join(values) for values in zip(*(known[name] for name in by), strict=True)]
    return known.assign(group=names)


def sides(part: DataFrame, by: By) -> dict[str, Any]:
    """Return clusters and groups of rows from `keyed`, and what divides them: arguments of `gap_rows`."""
    return {"cluster": list(part["cluster"]), "groups": list(part["group"]), "slice_by": ",".join(by)}


def gap_rows(
    make: Callable[..., Measure],
    metric: str,
    values: ArrayLike,
    *,
    cluster: Sequence[str],
    groups: Sequence[str],
    **extra: Any,
) -> list[Measure]:
    """Return the gap over all groups; where some have fewer than 30 rows, also that between the larger ones.

    `make` is `measuring.gap` or `measuring.mean_gap`; the others are its arguments.
    """
    whole = make(metric, values, cluster, groups=groups, **extra)
    keep = in_large_groups(groups)
    if keep is None:
        return [whole]
    names = [[name for name, kept in zip(column, keep, strict=True) if kept] for column in (cluster, groups)]
    large = make(metric, np.asarray(values)[keep], names[0], groups=names[1], **extra)
    return [whole, replace(large, contrast=GAPS[1])]


def slices(rows: DataFrame, compared: Sequence[By]) -> Iterator[tuple[dict[str, str], DataFrame]]:
    """Yield every group of every comparison, with its rows."""
    for by in compared:
        for key, part in keyed(rows, by).groupby(list(by), sort=True):
            yield dict(zip(by, map(str, key), strict=True)), part
