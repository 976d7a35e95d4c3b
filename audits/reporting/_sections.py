"""How much of a run goes into a page, and what its label sets do to its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from audits.reporting._numbers import written
from audits.reporting._shown import Cell, Column, Table
from audits.reporting._tables import title
from audits.reporting._text import slice_text, visible
from audits.run_directory.reader import Run
from audits.run_directory.rows import known, rows

OPEN_BLOCKS = 8  # measures of one run that are shown open


@dataclass(frozen=True)
class Room:
    """How much of a run goes into one page; the files always have all of it."""

    rows: int = 400  # of one measure
    figures: int = 24  # of one run
    points: int = 400  # rows of a figure's table
    table: int = 200  # rows of a further table
    tables: int = 30


ROOMS = (Room(), Room(120, 16, 120, 60, 16), Room(40, 8, 40, 20, 8), Room(16, 3, 16, 8, 3), Room(6, 0, 0, 0, 0))


def sensitivity(run: Run) -> tuple[Table | None, str]:
    """Return what each label set gives for the same measure, and a sentence about the largest spread."""
    by_measure: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = {}
    for row in rows(run.metrics):
        labels = row.get("label_set")
        if labels and known(row.get("value")) is not None:
            key = (str(row["metric"]), str(row.get("contrast") or "none"), str(row.get("slice") or ""))
            by_measure.setdefault(key, {}).setdefault(str(labels), row)
    several = {key: sets for key, sets in by_measure.items() if len(sets) > 1}
    if not several:
        return None, ""
    values = {key: [float(row["value"]) for row in sets.values()] for key, sets in several.items()}
    spread = {key: max(numbers) - min(numbers) for key, numbers in values.items()}
    ordered = sorted(several, key=lambda key: -spread[key])[:30]
    names = list(dict.fromkeys(name for key in ordered for name in several[key]))
    head = [Column("name", "Measure", False), *(Column(name, visible(name, 60), True) for name in names)]
    lines = []
    for key in ordered:
        cells = [Cell(f"{title(key[0])}, {slice_text(key[2])}", None)]
        for one in map(several[key].get, names):
            cells.append(Cell(written(one).value, repr(float(one["value"]))) if one else Cell("", None))
        lines.append(cells)
    widest = ordered[0]
    sets, value = several[widest].values(), itemgetter("value")
    low, high = written(min(sets, key=value)).text, written(max(sets, key=value)).text
    text = (
        f"{title(widest[0])} ({slice_text(widest[2])}) goes from {low} to {high}, depending on the label set alone. "
        "Rows are in order of this spread."
    )
    return Table("The same measure with each label set", head, lines, len(several) - len(ordered)), text
