"""CSV and TSV tables: UTF-8 with a header, of bounded size, every row as long as the header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.datasets.samples import ImageSample, Listing
from workbench.errors import BadInput

MAX_BYTES = 200_000_000
MAX_ROWS = 2_000_000
MAX_COLUMNS = 200
NAMES = {  # columns with a meaning of their own: our name -> accepted names, the first that is there wins
    "path": ("path", "file", "filepath", "file_path", "filename", "file_name", "image", "image_path"),
    "sample_id": ("sample_id", "id", "image_id"),
    "label": ("label", "class", "target", "labels"),
    "cluster": ("cluster", "subject", "person", "scene_id"),
    "split": ("split",),
    "sha256": ("sha256",),
}


@dataclass(frozen=True)
class CsvTable:
    """The cells of a table, as text."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]  # line number, and one value a column


def read_csv(file: Path, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> CsvTable:
    """Read a table; one that ends in .tsv is separated by tabs. Blank lines are skipped.

    Raises:
        BadInput: missing, too large, not UTF-8, no CSV, without a header, or with a row of another length.
    """
    name = file.name
    rows: list[tuple[int, list[str]]] = []
    try:
        if file.stat().st_size > max_bytes:
            raise BadInput(f"A CSV may have at most {max_bytes // 10**6} MB; {name!r} has more.")
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(
                _text_lines(opened, name), delimiter="\t" if file.suffix == ".tsv" else ",", strict=True
            )
            header = next((cells for cells in reader if cells), [])
            if not header:
                raise BadInput(f"The CSV {name!r} is empty.")
            if len(header) > MAX_COLUMNS:
                raise BadInput(f"A CSV may have {MAX_COLUMNS} columns; {name!r} has {len(header)}.")
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise BadInput(
                        f"Every row of {name!r} needs {len(header)} values; line {reader.line_num} has {len(cells)}."
                    )
                if len(rows) >= max_rows:
                    raise BadInput(f"A CSV may have {max_rows:,} rows; {name!r} has more.")
                rows.append((reader.line_num, cells))
    except UnicodeDecodeError:
        raise BadInput(f"A CSV is UTF-8 text; {name!r} is not.") from None
    except csv.Error as error:
        raise BadInput(f"{name!r} is not a valid CSV: line {reader.line_num}: {error}.") from None
    except OSError as error:
        raise BadInput(f"The file {name!r} cannot be read ({error.strerror}).") from None
    return CsvTable(name, tuple(header), tuple(rows))


def _text_lines(opened: Iterable[str], name: str) -> Iterator[str]:
    for number, line in enumerate(opened, start=1):
        if "\0" in line:
            raise BadInput(f"A CSV is text; line {number} of {name!r} holds a NUL character.")
        yield line


def csv_samples(
    file: Path, *, image: str = "", caption: str = "", max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> Listing:
    """Read a table that names image files, relative to its own folder.

    Args:
        file: the table.
        image: the column of paths; the first of `NAMES["path"]` where not given.
        caption: the column of captions; none where not given.
        max_bytes: of the file.
        max_rows: of the table.

    Raises:
        BadInput: see `read_csv`; a column that is missing or stands there twice; a NUL byte.
    """
    table = read_csv(file, max_bytes=max_bytes, max_rows=max_rows)
    columns = [name.strip() for name in table.columns]
    check_columns(table.name, columns, [name for name in (image, caption) if name])
    image = image or next((name for name in NAMES["path"] if name in columns), "")
    if not image:
        raise BadInput(
            f"One column of {table.name!r} names the image files: {', '.join(NAMES['path'])}; "
            f"got {', '.join(table.columns)[:200]}."
        )
    others = [at for at, name in enumerate(columns) if name not in (image, caption)]
    names = our_names([columns[at] for at in others])
    if len(set(columns)) != len(columns) or len(set(names)) != len(names):
        raise BadInput(f"Each column of {table.name!r} needs a name of its own; got {', '.join(table.columns)[:200]}.")
    samples, skipped = [], []
    for line, cells in table.rows:
        if any("\0" in cell for cell in cells):
            raise BadInput(f"{table.name!r} is not a valid CSV: line {line} holds a NUL byte.")
        known = {name: cells[at].strip() for name, at in zip(names, others, strict=True)}
        path, label = cells[columns.index(image)].strip(), known.pop("label", "")
        texts = (cells[columns.index(caption)],) if caption else ()
        if path:
            samples.append(ImageSample(path, file.parent / path, label, texts, known))
        else:
            skipped.append(f"line {line}: it names no image")
    files = (file, *sorted({sample.source for sample in samples if isinstance(sample.source, Path)}))
    return Listing(tuple(samples), tuple(skipped), files, title=file.name)


def our_names(columns: Sequence[str]) -> list[str]:
    """Return the columns besides the images under our own names."""
    ours = list(columns)
    for wanted, accepted in NAMES.items():
        present = [ours.index(name) for name in accepted if name in ours]
        if wanted != "path" and wanted not in ours and present:
            ours[present[0]] = wanted
    return ours


def check_columns(name: str, columns: Sequence[str], required: Sequence[str]) -> None:
    """Refuse a table that lacks a column.

    Raises:
        BadInput: it names the columns that are there.
    """
    for column in required:
        if column not in columns:
            raise BadInput(f"The table {name!r} has no column {column!r}; it has: {', '.join(columns)[:300]}.")
