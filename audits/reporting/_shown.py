"""Tables and figures of a run as a page shows them: written numbers, with the exact ones beside for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from audits.analysis import Figure
from audits.reporting import _charts
from audits.reporting._numbers import count, writer
from audits.reporting._text import visible
from audits.run_directory.rows import known, missing

if TYPE_CHECKING:
    from pandas import DataFrame


TITLES = {
    "name": "Name",
    "value": "Value",
    "low": "Low",
    "high": "High",
    "null": "95 % of chance",
    "series": "Series",
    "confidence": "Stated probability",
    "accuracy": "Share that was right",
    "n": "n",
    "row": "Row",
    "column": "Column",
}


@dataclass(frozen=True)
class Column:
    """Head of a column."""

    key: str
    title: str
    number: bool


@dataclass(frozen=True)
class Cell:
    """One value, written; `raw` is what a script sorts and draws by."""

    text: str
    raw: str | None


@dataclass(frozen=True)
class Table:
    """A table that is shown as it is."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    left_out: int = 0


@dataclass(frozen=True)
class Drawn:
    """A figure with its numbers."""

    title: str
    kind: str
    x: str
    y: str
    alt: str
    note: str
    svg: Markup
    table: Table


def drawn(figure: Figure, points: int, svg: str) -> Drawn:
    """Put a figure's numbers beside its drawing, at most so many points of them."""
    left = len(figure.data) - len(_charts.drawn_rows(figure))
    note = f"The figure leaves out {left} of {len(figure.data)} rows." if left > 0 else ""
    return Drawn(
        title=visible(figure.title),
        kind=figure.kind,
        x=visible(figure.x, 80),
        y=visible(figure.y, 80),
        alt=visible(figure.alt, 600),
        note=note,
        svg=Markup(svg),
        table=table(figure.title, figure.data, points),
    )


def table(name: str, data: DataFrame, most: int) -> Table:
    """Write a table: numbers with up to four significant digits, words made visible."""
    import pandas as pd

    kinds = {column: pd.api.types.is_numeric_dtype(data[column]) for column in data.columns}
    head = [Column(visible(key, 60), TITLES.get(str(key), visible(key, 60)), kinds[key]) for key in data.columns]
    shown = data.head(most)
    return Table(
        visible(name),
        head,
        [[cell(value) for value in line] for line in shown.itertuples(index=False, name=None)],
        len(data) - len(shown),
    )


def cell(value: object) -> Cell:
    """Write one value."""
    number = known(value)
    if number is not None and not isinstance(value, str):
        whole = number == int(number) and abs(number) < 1e15
        text = count(number).replace("-", "−") if whole else writer(None, "")(number)
        if not whole and abs(number) >= 0.001:
            text = f"{number:.4g}".replace("-", "−")
        return Cell(text, repr(number))
    return Cell("" if missing(value) else visible(value), None)
