"""Tables as files: CSV whose cells no spreadsheet runs as formulas, and exact JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.datasets import csv_files
from workbench.places import write_whole

if TYPE_CHECKING:
    from workbench.batch.run import Row

MAX_CSV = 5_000_000  # bytes
MAX_ROWS = 100_000
_STARTS = frozenset("=+-@＝＋－＠")  # characters that start a formula in spreadsheets, full-width forms included
_BREAKS = frozenset("\t\r\n")
_QUOTES = frozenset("'\"")


def neutralise(cell: str) -> str:
    """Put an apostrophe before text that a spreadsheet might run, even after quotes and white space."""
    return f"'{cell}" if _dangerous(cell) else cell


def restore(cell: str) -> str:
    """Undo `neutralise`, exactly."""
    return cell[1:] if cell.startswith("'") and _dangerous(cell[1:]) else cell


def write_csv(path: Path, headers: Sequence[str], rows: Iterable[Sequence[str | float]]) -> None:
    """Write a table as UTF-8 CSV with a byte order mark; text is neutralised, numbers stay numbers."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in (headers, *rows):
        writer.writerow([neutralise(cell) if isinstance(cell, str) else repr(float(cell)) for cell in row])
    write_whole(path, text.getvalue().encode("utf-8-sig", errors="backslashreplace"))


def read_csv(path: Path | str) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows of a CSV, as text, with what `write_csv` neutralised restored.

    Raises:
        BadInput: over 5 MB or 100,000 rows; see `datasets.csv_files.read_csv`.
    """
    table = csv_files.read_csv(Path(path), max_bytes=MAX_CSV, max_rows=MAX_ROWS)
    return [restore(cell) for cell in table.columns], [[restore(cell) for cell in cells] for _, cells in table.rows]


def to_json(rows: Sequence[Row], truth: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return one object per image, in the format of `classify --json`, with the true label where it is known."""
    objects = []
    for row in rows:
        entry: dict[str, Any] = {"image": row.file}
        if row.error:
            entry["error"] = row.error
        else:
            entry["labels"] = [{"label": label, "probability": p, "cosine": c} for label, p, c in row.ranked]
        if truth and row.file in truth:
            entry["truth"] = truth[row.file]
        objects.append(entry)
    return objects


def write_json(path: Path, value: object) -> None:
    """Write JSON; numbers read back are the same to the bit.

    Raises:
        ValueError: NaN or infinity.
    """
    write_whole(path, json.dumps(value, ensure_ascii=True, allow_nan=False, indent=1).encode("ascii"))


def _dangerous(cell: str) -> bool:
    for character in cell:
        if character in _STARTS or character in _BREAKS:
            return True
        if not (character.isspace() or character in _QUOTES or not character.isprintable()):
            return False
    return False
