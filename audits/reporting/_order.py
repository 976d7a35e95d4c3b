"""Groups in the order of their numbers: ages as 3-9, 10-19, more than 70, not as text is sorted."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audits.analysis import Figure
from audits.run_directory.rows import slice_of

_RANGE = re.compile(
    r"(?P<word>more than|older than|over|above|less than|younger than|under|below|up to|[<>≤≥]=?)?\s*"
    r"(?P<first>\d+(\.\d+)?)(\s*([-–]|to)\s*\d+(\.\d+)?)?\s*(?P<plus>\+|and (over|older|more))?( years?)?",
    re.IGNORECASE,
)
_NAMES = ("name", "row", "column", "series")  # columns of a figure's data that name something
_BELOW = ("less than", "younger than", "under", "below", "up to", "<")


def number_order(values: Iterable[str]) -> dict[str, int]:
    """Return the place of each value where all are numbers or ranges of numbers, and differ; else nothing."""
    distinct = list(dict.fromkeys(values))
    keys = [_number(value) for value in distinct]
    if len(distinct) < 2 or None in keys:
        return {}
    ordered = sorted(distinct, key=lambda value: _number(value) or (0.0, 0))
    return {value: at for at, value in enumerate(ordered)}


def ordered_figure(figure: Figure) -> Figure:
    """Return a figure whose names, rows, columns and series stand in the order of their numbers, if they have one."""
    columns = [[str(value) for value in figure.data[name]] for name in _NAMES if name in figure.data.columns]
    orders = [number_order(values) for values in columns]
    if not any(orders):
        return figure
    first_seen = [{value: at for at, value in enumerate(dict.fromkeys(values))} for values in columns]
    places = [
        [(order or seen)[value] for value in values]
        for values, order, seen in zip(columns, orders, first_seen, strict=True)
    ]
    by_place = sorted(range(len(figure.data)), key=lambda at: [place[at] for place in places])
    return dataclasses.replace(figure, data=figure.data.iloc[by_place].reset_index(drop=True))


def ordered_rows(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows of one measure: the whole first, then single groups, then intersections; ages as numbers."""
    slices = [slice_of(row.get("slice")) for row in rows]
    values: dict[str, list[str]] = {}
    for one in slices:
        for attribute, value in one.items():
            values.setdefault(attribute, []).append(value)
    orders = {attribute: number_order(distinct) for attribute, distinct in values.items()}
    first_seen = {name: {one: at for at, one in enumerate(dict.fromkeys(of))} for name, of in values.items()}
    firsts: dict[tuple[str, ...], int] = {}
    for one in slices:
        firsts.setdefault(tuple(one), len(firsts))

    def key(at: int) -> tuple[int, int, list[int], int]:
        one = slices[at]
        if not any(orders.values()):  # the table's own order holds
            return len(one), 0, [], at
        places = [(orders[name] or first_seen[name])[value] for name, value in one.items()]
        return len(one), firsts[tuple(one)], places, at

    return [rows[at] for at in sorted(range(len(rows)), key=key)]


def _number(text: str) -> tuple[float, int] | None:
    """Return where a number or a range begins, and whether it lies below (-1), at (0) or above (1) that."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        return None
    word = (match["word"] or "").lower()
    side = -1 if word.startswith(_BELOW) else 1 if word or match["plus"] else 0
    return float(match["first"]), side
