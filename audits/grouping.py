"""Which rows belong to which group; a row whose value of an attribute is "" is in no group of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pandas import DataFrame

SEPARATOR = " · "  # between the values of an intersection

By = tuple[str, ...]  # attributes whose values, joined, are the groups


def keyed(rows: DataFrame, by: By) -> DataFrame:
    """Add the column `group`; rows without a value of some attribute are left out."""
    known = rows[(rows[list(by)] != "").all(axis=1)]
    names = [SEPARATOR.join(values) for values in zip(*(known[name] for name in by), strict=True)]
    return known.assign(group=names)


def sides(part: DataFrame, by: By) -> dict[str, Any]:
    """Return clusters and groups of rows from `keyed`, and what divides them: arguments of `measuring.gap`."""
    return {"cluster": list(part["cluster"]), "groups": list(part["group"]), "slice_by": ",".join(by)}


def slices(rows: DataFrame, compared: Sequence[By]) -> Iterator[tuple[dict[str, str], DataFrame]]:
    """Yield every group of every comparison, with its rows."""
    for by in compared:
        for key, part in keyed(rows, by).groupby(list(by), sort=True):
            yield dict(zip(by, map(str, key), strict=True)), part
