"""Pictures of a visitor's own become a data set: a folder, a zip, or files with a CSV.

Everything lands in a new private folder under names that were checked, and is read by the readers of anybody's data.
Knows no widget and no audit.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from apps._folder_box import inside
from apps._uploads import folder_beside_uploads
from workbench.datasets.samples import IMAGE_SUFFIXES
from workbench.datasets.uploads import read_uploads
from workbench.errors import BadInput

MOST_PICTURES = 2000  # of files that are uploaded one by one; a zip has its own, smaller limit
TABLE = "samples.csv"


def from_files(files: Sequence[str], table: str = "") -> str:
    """Put a zip, or single files with a table, into a folder of their own; return the reference of the data set.

    A zip keeps its folders, which are the labels where no table says more.

    Args:
        files: one zip, or pictures.
        table: a CSV that says what they show; "" where the zip's folders do.

    Raises:
        BadInput: nothing given, a zip that is refused, two paths that differ in case alone, or pictures without any
            label.
    """
    if not files:
        raise BadInput("Choose pictures, or a zip of folders named after what they show.")
    zipped = files[0].lower().endswith(".zip")
    if not zipped and not table:
        raise BadInput(
            "Pictures that lie in no folder need a CSV that says what they show: columns path and label, and any "
            "attributes such as gender. Or give a folder, or a zip, whose folders are the labels."
        )
    samples = read_uploads(files, limit=MOST_PICTURES).samples
    _check_distinct([PurePosixPath(sample.name) for sample in samples])
    place = _place()
    for sample in samples:
        target = place / sample.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with sample.file() as file:
            shutil.copyfile(file, target)
    return _reference(place, table)


def from_folder(given: Sequence[tuple[str, str]]) -> str:
    """Put an uploaded folder into a folder of its own; return the reference of the data set.

    The first folders inside it are the labels, unless a CSV lies in it: then that says what the pictures show.

    Args:
        given: uploaded file, and its path in the folder as the browser tells it.

    Raises:
        BadInput: nothing given, a path that leads elsewhere or stands there twice, several CSVs, or neither folders nor
            a CSV.
    """
    paths = _below_the_top([inside(told) for _, told in given])
    tables = [path for path in paths if path.suffix.lower() == ".csv"]
    pictures = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
    if not pictures:
        raise BadInput("Choose a folder with PNG, JPEG or WebP pictures; there is none in what was given.")
    if len(pictures) > MOST_PICTURES:
        raise BadInput(f"At most {MOST_PICTURES} pictures at once; the folder holds {len(pictures)}.")
    if len(tables) > 1:
        names = ", ".join(str(path)[:60] for path in tables[:4])
        raise BadInput(f"One CSV says what the pictures of a folder show; this one holds {len(tables)}: {names}.")
    if not tables and not any(len(path.parts) > 1 for path in pictures):
        raise BadInput(
            "The pictures lie loose in the folder. Put them into folders named after what they show, such as cat/ and "
            "dog/, or put a CSV beside them with the columns path and label."
        )
    _check_distinct(paths)
    place = _place()
    for (file, _), path in zip(given, paths, strict=True):
        if path in (*tables, *pictures):
            _link(Path(file), place / path)
    return f"csv:{place / tables[0]}" if tables else f"folder:{place}"


def _below_the_top(paths: list[PurePosixPath]) -> list[PurePosixPath]:
    """Drop the name of the chosen folder itself, with which every path begins."""
    tops = {path.parts[0] for path in paths}
    if len(tops) == 1 and all(len(path.parts) > 1 for path in paths):
        return [PurePosixPath(*path.parts[1:]) for path in paths]
    return paths


def _check_distinct(paths: Sequence[PurePosixPath]) -> None:
    seen: set[str] = set()
    for path in paths:
        if str(path).casefold() in seen:
            raise BadInput(f"Every file of a folder has a path of its own; {str(path)[:80]!r} stands there twice.")
        seen.add(str(path).casefold())


def _place() -> Path:
    return folder_beside_uploads("audit-data-")


def _link(file: Path, target: Path) -> None:
    """Give an uploaded file a second name, or a copy where the disk cannot."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)


def _reference(place: Path, table: str) -> str:
    if not table:
        return f"folder:{place}"
    shutil.copyfile(table, place / TABLE)
    return f"csv:{place / TABLE}"
