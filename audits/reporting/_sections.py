"""What a report says of one run: its measures, figures, words and where its numbers come from.

Knows no HTML but the charts'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from audits.reporting import _charts
from audits.reporting._numbers import count, known, writer, written
from audits.reporting.record import Record
from audits.reporting._tables import Block, blocks, rows, title
from audits.reporting._text import slice_text, visible
from audits.reporting._words import html

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.analysis import Figure

OPEN_BLOCKS = 8  # measures of one run that are shown open
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
class Room:
    """How much of a run goes into one page; the files always have all of it."""

    rows: int = 400  # of one measure
    figures: int = 24  # of one run
    points: int = 400  # rows of a figure's table
    table: int = 200  # rows of a further table
    tables: int = 30


ROOMS = (Room(), Room(120, 16, 120, 60, 16), Room(40, 8, 40, 20, 8), Room(16, 3, 16, 8, 3), Room(6, 0, 0, 0, 0))


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


def drawn(figure: Figure, room: Room, *, fixed: bool) -> Drawn:
    """Draw a figure and put its numbers beside it."""
    left = len(figure.data) - _charts.drawn_rows(figure)
    note = f"The drawing leaves out {left} of {len(figure.data)} rows." if left > 0 else ""
    return Drawn(
        title=visible(figure.title),
        kind=figure.kind,
        x=visible(figure.x, 80),
        y=visible(figure.y, 80),
        alt=visible(figure.alt, 600),
        note=note,
        svg=Markup(_charts.svg(figure, fixed=fixed)),
        table=table(figure.title, figure.data, room.points),
    )


def table(name: str, data: DataFrame, most: int) -> Table:
    """Write a table: numbers with up to four significant digits, words made visible."""
    import pandas as pd

    kinds = {column: pd.api.types.is_numeric_dtype(data[column]) for column in data.columns}
    head = [Column(visible(key, 60), TITLES.get(str(key), visible(key, 60)), kinds[key]) for key in data.columns]
    kept = data.head(most)
    return Table(
        visible(name),
        head,
        [[cell(value) for value in line] for line in kept.itertuples(index=False, name=None)],
        len(data) - len(kept),
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
    missing = value is None or (isinstance(value, float) and value != value) or str(value) in ("<NA>", "NaT")
    return Cell("" if missing else visible(value), None)


def measures(record: Record, room: Room) -> list[Block]:
    """Return the blocks of a run's metrics table."""
    return blocks(record.metrics, room.rows)


def sensitivity(record: Record) -> tuple[Table | None, str]:
    """Return what each label set gives for the same measure, and a sentence about the largest spread."""
    found: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = {}
    for row in rows(record.metrics):
        labels = row.get("label_set")
        if labels and known(row.get("value")) is not None:
            key = (str(row["metric"]), str(row.get("contrast") or "none"), str(row.get("slice") or ""))
            found.setdefault(key, {}).setdefault(str(labels), row)
    several = {key: sets for key, sets in found.items() if len(sets) > 1}
    if not several:
        return None, ""
    spread = {key: _spread(sets) for key, sets in several.items()}
    ordered = sorted(several, key=lambda key: -spread[key])[:30]
    names = list(dict.fromkeys(name for key in ordered for name in several[key]))
    head = [Column("name", "Measure", False), *(Column(name, visible(name, 60), True) for name in names)]
    lines = [_set_line(key, several[key], names) for key in ordered]
    widest = ordered[0]
    low, high = (_edge(several[widest], end) for end in (min, max))
    text = (
        f"{title(widest[0])} ({slice_text(widest[2])}) goes from {low} to {high}, depending on the label set alone. "
        "Rows are in order of this spread."
    )
    return Table("The same measure with each label set", head, lines, len(several) - len(ordered)), text


def _spread(sets: dict[str, dict[str, Any]]) -> float:
    values = [float(row["value"]) for row in sets.values()]
    return max(values) - min(values)


def _edge(sets: dict[str, dict[str, Any]], end: Any) -> str:
    return written(end(sets.values(), key=lambda row: float(row["value"]))).text


def _set_line(key: tuple[str, str, str], sets: dict[str, dict[str, Any]], names: list[str]) -> list[Cell]:
    cells = [Cell(f"{title(key[0])}, {slice_text(key[2])}", None)]
    for name in names:
        row = sets.get(name)
        cells.append(Cell(written(row).value, repr(float(row["value"]))) if row else Cell("", None))
    return cells


def provenance(record: Record) -> list[tuple[str, str]]:
    """Return where a run's numbers come from, as names and values."""
    spec, hashes = record.of("spec", default={}), record.of("hashes", default={})
    facts = [("run", record.run_id), ("status", record.of("status"))]
    facts += [("started", record.of("created")), ("finished", record.of("finished"))]
    facts += [(f"hash of the {name}", value) for name, value in hashes.items()]
    facts += [(name.replace("_", " "), value) for name, value in spec.items() if name not in ("title", "question")]
    data = record.of("dataset", default={})
    facts += [(f"data: {name}", data[name]) for name in ("key", "title", "licence", "source", "n") if name in data]
    facts += [(f"model: {name.replace('_', ' ')}", value) for name, value in record.of("model", default={}).items()]
    for part, values in record.of("provenance", default={}).items():
        if part != "packages":
            facts += list(_flat(str(part), values))
    for name, stage in record.of("stages", default={}).items():
        facts += list(_flat(f"stage {name}", stage))
    told = [(visible(name, 80), visible(value, 400)) for name, value in facts if value not in ("", None, [], {})]
    return list(dict.fromkeys(told))


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}: {str(key).replace('_', ' ')}", inner)
    elif isinstance(value, list | tuple):
        yield name, " ".join(map(str, value))
    else:
        yield name, value


def packages(record: Record) -> list[str]:
    """Return every installed distribution with its version."""
    return [
        visible(f"{name} {version}", 80) for name, version in record.of("provenance", "packages", default={}).items()
    ]


def words(record: Record) -> dict[str, Any]:
    """Return the protocol word for word."""
    rules = record.protocol
    sets = [
        {
            "name": visible(name),
            "labels": [visible(label, 500) for label in one.get("labels", ())],
            "groups": [
                (visible(group), visible(", ".join(map(str, members)), 2000))
                for group, members in one.get("groups", {}).items()
            ],
        }
        for name, one in (rules.get("label_sets") or {}).items()
    ]
    facts = [
        ("version", rules.get("version")),
        ("hash", record.of("hashes", "protocol")),
        ("decision", rules.get("decision")),
    ]
    facts += [("source", rules.get("source")), ("notes", rules.get("notes"))]
    facts += [(f"setting: {name}", value) for name, value in (rules.get("settings") or {}).items()]
    return {
        "key": record.of("hashes", "protocol") or str(rules.get("name")),
        "title": visible(f"{record.audit}: {rules.get('title') or rules.get('name')}"),
        "warning": visible(rules.get("content_warning") or "", 600),
        "templates": [visible(text, 500) for text in rules.get("templates") or ()],
        "sets": sets,
        "facts": [(visible(name, 80), visible(value, 2000)) for name, value in facts if value not in (None, "")],
    }


def prose(record: Record) -> dict[str, Markup]:
    """Return the audit's and the data set's own words as HTML."""
    texts = {name: html(record.texts.get(name, "")) for name in ("how_to_read", "limits")}
    return {**texts, "shows": html(str(record.of("dataset", "shows")))}
