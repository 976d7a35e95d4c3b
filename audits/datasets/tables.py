"""Rows of a CSV, of class folders, and of file names that carry attributes; hostile files are refused with a sentence.

Knows no picture: whether one can be opened is asked later.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from audits.datasets.rows import Row
from workbench.errors import BadInput

MAX_BYTES = 200_000_000  # of a CSV
MAX_ROWS = 2_000_000
MAX_COLUMNS = 200
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
NAMES = {  # accepted in place of our own: lower case -> ours
    "path": ("path", "file", "filepath", "file_path", "filename", "file_name", "image", "image_path"),
    "sample_id": ("sample_id", "id", "image_id"),
    "label": ("label", "class", "target"),
    "cluster": ("cluster", "subject", "person", "scene_id"),
    "split": ("split",),
    "sha256": ("sha256",),
}
UTKFACE = re.compile(r"^(?P<age>\d{1,3})_(?P<gender>[01])_(?P<race>[0-4])_\d+")
UTKFACE_GENDERS = ("Male", "Female")
UTKFACE_RACES = ("White", "Black", "Asian", "Indian", "Others")
AGES = (
    (2, "0-2"),
    (9, "3-9"),
    (19, "10-19"),
    (29, "20-29"),
    (39, "30-39"),
    (49, "40-49"),
    (59, "50-59"),
    (69, "60-69"),
)


def csv_rows(path: Path) -> list[Row]:
    """Return the rows of a UTF-8 CSV with a header; one column names picture files, relative to the CSV's folder.

    Raises:
        BadInput: missing, too large, no CSV, without a column of files, or with a row of another length.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        columns = _columns(path.name, header)
        rows: list[Row] = []
        for values in reader:
            if not values:
                continue
            if len(values) != len(header):
                raise BadInput(
                    f"Every row of {path.name!r} needs {len(header)} values; line {reader.line_num} has {len(values)}."
                )
            if len(rows) >= MAX_ROWS:
                raise BadInput(f"A data set may have {MAX_ROWS:,} rows; {path.name!r} has more.")
            rows.append({ours: value.strip() for ours, value in zip(columns, values, strict=True)})
    except csv.Error as error:
        raise BadInput(f"{path.name!r} is no CSV: line {reader.line_num}: {error}.") from None
    return rows


def folder_rows(path: Path) -> list[Row]:
    """Return one row a picture: the first folder below `path` is its label; hidden files are passed over.

    Raises:
        BadInput: no such folder.
    """
    rows: list[Row] = [{"path": name, "label": name.split("/")[0] if "/" in name else ""} for name in _pictures(path)]
    return rows


def utkface_rows(path: Path) -> list[Row]:
    """Return one row a picture named `[age]_[gender]_[race]_[date]…`, as UTKFace's files are.

    Raises:
        BadInput: no folder, or no picture is named so.
    """
    rows: list[Row] = []
    for name in _pictures(path):
        found = UTKFACE.match(Path(name).name)
        if found:
            age = next((word for most, word in AGES if int(found["age"]) <= most), "more than 70")
            gender, race = UTKFACE_GENDERS[int(found["gender"])], UTKFACE_RACES[int(found["race"])]
            rows.append({"path": name, "label": "", "age": age, "gender": gender, "race": race})
    if not rows:
        raise BadInput(f"Files are named [age]_[gender]_[race]_[date].jpg in UTKFace; {path.name!r} holds none such.")
    return rows


def _pictures(path: Path) -> list[str]:
    if not path.is_dir():
        raise BadInput(f"There is no folder {str(path)[-200:]!r}.")
    return list(_walk(path))


def _walk(path: Path) -> Iterator[str]:
    for root, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield (Path(root) / name).relative_to(path).as_posix()


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"A CSV may have at most {MAX_BYTES // 10**6} MB; {path.name!r} has more.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"A CSV is UTF-8 text; {path.name!r} is not.") from None
    except OSError as error:
        raise BadInput(f"The file {path.name!r} cannot be read ({error.strerror}).") from None
    if "\0" in text:
        raise BadInput(f"{path.name!r} is no CSV: it holds NUL bytes.")
    return text


def _columns(name: str, header: list[str]) -> list[str]:
    """Return our names for a header's."""
    if len(header) > MAX_COLUMNS:
        raise BadInput(f"A CSV may have {MAX_COLUMNS} columns; {name!r} has {len(header)}.")
    ours = list(header)
    for wanted, accepted in NAMES.items():
        if wanted in header:
            continue
        at = next((header.index(one) for one in accepted if one in header), None)
        if at is not None:
            ours[at] = wanted
    if len(set(ours)) != len(ours):
        raise BadInput(f"Each column of {name!r} needs a name of its own; got {', '.join(header)[:200]}.")
    if "path" not in ours:
        raise BadInput(
            f"One column of {name!r} names the files: {', '.join(NAMES['path'])}; got {', '.join(header)[:200]}."
        )
    return ours
