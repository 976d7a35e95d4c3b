"""A visitor's own images become a data set: a folder, a zip, files with a CSV, or images sent from other views.

Everything goes into a new private folder under checked names, and is read by the same readers as all data.
Does not know about widgets or audits.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from apps.limits import LOCAL
from apps.shared.folder_box import inside
from apps.shared.upload_folders import folder_beside_uploads, shown
from audits.datasets.unpacked import link
from workbench.datasets.csv_files import read_csv
from workbench.datasets.samples import IMAGE_SUFFIXES
from workbench.datasets.uploads import read_uploads
from workbench.errors import BadInput

MOST_IMAGES = 2000  # of files that are uploaded one by one; a zip has its own, smaller limit
MOST_ROWS = 5 * MOST_IMAGES  # of a table, which may name images that are not there
TABLE = "samples.csv"


def from_files(files: Sequence[str], table: str = "") -> str:
    """Put a zip, or single files with a table, into a folder of their own; return the reference of the data set.

    A zip keeps its folders, which are the labels where there is no table.

    Args:
        files: one zip, or images.
        table: a CSV with their labels; "" where the zip's folders do.

    Raises:
        BadInput: nothing given, a zip that is refused, two paths that differ only in case, images without labels, or a
            table over 5 MB or 10,000 rows.
    """
    if not files:
        raise BadInput("Choose images, or a zip whose folders are the labels.")
    zipped = files[0].lower().endswith(".zip")
    if not zipped and not table:
        raise BadInput(
            "Single images need a CSV with the columns path and label, and any attributes such as gender. "
            "Or give a folder, or a zip, whose folders are the labels."
        )
    if table:
        _check_size(Path(table))
    samples = read_uploads(files, limit=MOST_IMAGES).samples
    _check_distinct([PurePosixPath(sample.name) for sample in samples])
    place = _place()
    for sample in samples:
        target = place / sample.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with sample.file() as file:
            shutil.copyfile(file, target)
    if not table:
        return f"folder:{shown(place)}"
    shutil.copyfile(table, place / TABLE)
    return f"csv:{shown(place / TABLE)}"


def from_folder(given: Sequence[tuple[str, str]]) -> str:
    """Put an uploaded folder into a folder of its own; return the reference of the data set.

    The first folders inside it are the labels, unless it holds a CSV, which then has the labels.

    Args:
        given: uploaded file, and its path in the folder as the browser sends it.

    Raises:
        BadInput: nothing given, a path that leads elsewhere or stands there twice, several CSVs, a CSV over
            5 MB or 10,000 rows, or neither folders nor a CSV.
    """
    paths = _below_the_top([inside(path) for _, path in given])
    tables = [path for path in paths if path.suffix.lower() == ".csv"]
    images = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise BadInput("Choose a folder with PNG, JPEG or WebP images; the given one has none.")
    if len(images) > MOST_IMAGES:
        raise BadInput(f"At most {MOST_IMAGES} images at once; the folder holds {len(images)}.")
    if len(tables) > 1:
        names = ", ".join(str(path)[:60] for path in tables[:4])
        raise BadInput(f"A folder may hold one CSV with labels; this one holds {len(tables)}: {names}.")
    if not tables and not any(len(path.parts) > 1 for path in images):
        raise BadInput(
            "The images are not in labelled folders. Put them into folders named after their labels, such as cat/ and "
            "dog/, or add a CSV with the columns path and label."
        )
    for (file, _), path in zip(given, paths, strict=True):
        if path in tables:
            _check_size(Path(file))
    _check_distinct(paths)
    place = _place()
    for (file, _), path in zip(given, paths, strict=True):
        if path in (*tables, *images):
            link(Path(file), place / path)
    return f"csv:{shown(place / tables[0])}" if tables else f"folder:{shown(place)}"


def from_collected(collected: Sequence[tuple[str, str]]) -> str:
    """Put images sent from other views into a folder per label; return the reference of the data set.

    Args:
        collected: image file, and its label.

    Raises:
        BadInput: no image, or a label that cannot name a folder.
    """
    if not collected:
        raise BadInput("Send images here from another view first, and add each with its label.")
    given = []
    for number, (file, label) in enumerate(collected, start=1):
        if "/" in label:
            raise BadInput(f"The label of a sent image may not contain a slash; got {label[:80]!r}.")
        given.append((file, f"collected/{label}/{number:04d}{Path(file).suffix.lower()}"))
    return from_folder(given)


def _below_the_top(paths: list[PurePosixPath]) -> list[PurePosixPath]:
    """Drop the name of the chosen folder itself, with which every path begins."""
    tops = {path.parts[0] for path in paths}
    if len(tops) == 1 and all(len(path.parts) > 1 for path in paths):
        return [PurePosixPath(*path.parts[1:]) for path in paths]
    return paths


def _check_size(table: Path) -> None:
    """Refuse a table that would take long to read."""
    read_csv(table, max_bytes=LOCAL.csv_bytes, max_rows=MOST_ROWS)


def _check_distinct(paths: Sequence[PurePosixPath]) -> None:
    paths_seen: set[str] = set()
    for path in paths:
        if str(path).casefold() in paths_seen:
            raise BadInput(f"Every file of a folder needs its own path; {str(path)[:80]!r} is there twice.")
        paths_seen.add(str(path).casefold())


def _place() -> Path:
    return folder_beside_uploads("audit-data-")
