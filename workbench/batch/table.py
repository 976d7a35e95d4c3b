"""The table of a batch: filters over rows, and the k likeliest labels of each image as plain cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.batch.run import Row
from workbench.errors import BadInput


@dataclass(frozen=True)
class RowFilter:
    """A filter over rows; the default keeps all."""

    label: str = ""  # only where this is the likeliest label; empty for any
    at_least: float = 0.0  # only where the likeliest label has this probability
    errors: bool = False  # only images that could not be read
    wrong: bool = False  # only where the true label is known and is not the likeliest


def select(rows: Sequence[Row], chosen: RowFilter, truth: Mapping[str, str] | None = None) -> list[Row]:
    """Return the rows that pass a filter, in order.

    Args:
        rows: all rows.
        chosen: the filter.
        truth: file name -> true label, as far as known.

    Raises:
        BadInput: only wrong answers are wanted, and no true label is known.
    """
    if chosen.wrong and not truth:
        raise BadInput("“Only wrong” needs true labels: give a CSV with the columns file and label.")
    return [row for row in rows if _passes(row, chosen, truth or {})]


def _passes(row: Row, chosen: RowFilter, truth: Mapping[str, str]) -> bool:
    if row.error:
        return not (chosen.label or chosen.at_least > 0 or chosen.wrong)
    if chosen.errors:
        return False
    label, probability, _ = row.ranked[0]
    if chosen.wrong and truth.get(row.file, label) == label:
        return False
    return label == (chosen.label or label) and probability >= chosen.at_least


def headers(k: int, *, truth: bool) -> list[str]:
    """Return the column names of a table of the k likeliest labels."""
    ranks = [f"{what} {rank}" for rank in range(1, k + 1) for what in ("label", "probability", "cosine")]
    return ["file", *(["true label"] if truth else []), *ranks, "error"]


def cells(
    rows: Sequence[Row], k: int, truth: Mapping[str, str] | None = None, *, digits: int | None = 4
) -> list[list[str | float]]:
    """Return the table below `headers`; probabilities and cosines are rounded unless `digits` is None."""
    table: list[list[str | float]] = []
    for row in rows:
        line: list[str | float] = [row.file, *([truth.get(row.file, "")] if truth else [])]
        for label, *numbers in row.ranked[:k]:
            line += [label, *(number if digits is None else round(number, digits) for number in numbers)]
        line += [""] * (3 * (k - min(k, len(row.ranked))))
        table.append([*line, row.error])
    return table
