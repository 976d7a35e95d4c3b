"""Check raw rows and make a data set of those that can be used: ids, paths inside the folder, images that open.

Whether an image opens is remembered until the file changes, so that each is decoded once for this purpose.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from audits.datasets.dataset import FIXED, About, Dataset
from workbench.datasets import Listing
from workbench.errors import BadInput, BadPicture, OutOfResources
from workbench.images import safe_open
from workbench.places import home, read_json, write_json

Watch = Callable[[int, int], None]  # images checked so far, images in all; may raise to stop
Row = Mapping[str, str]

THREADS = max(1, min(8, os.cpu_count() or 1))
RESERVED = ("variant", "label_set", "y_true", "y_pred", "rank_true", "topk", "scores")  # columns of an audit's samples
MAX_VALUE = 2_000  # characters of one value
AT_ONCE = 256  # images checked between two reports of progress


@dataclass(frozen=True)
class _Check:
    """What a look at one file showed."""

    sha256: str
    why: str  # the reason why it cannot be used; empty where it can


def rows_of(listing: Listing) -> list[Row]:
    """Return the rows of what a reader found.

    Raises:
        BadInput: a row that cannot be used.
    """
    check_complete(listing)
    return [{"path": sample.name, "label": sample.label, **sample.attributes} for sample in listing.samples]


def assemble(key: str, about: About, *, root: Path, rows: Sequence[Row], watch: Watch | None = None) -> Dataset:
    """Check rows and images, and return the data set of those that can be used.

    `rows` hold `path` and whatever is known: sample_id, label, cluster, split, sha256, attributes. No path leaves
    `root`.

    Raises:
        BadInput: an id that occurs twice, a column name that audits use themselves, a path that leaves the folder.
    """
    import pandas as pd

    attributes = tuple(name for name in dict.fromkeys(name for row in rows for name in row) if name not in FIXED)
    for name in attributes:
        if name in RESERVED or name.startswith("outcome:") or not name.strip() or not name.isprintable():
            raise BadInput(f"No column of a data set may be called {name[:40]!r}: audits use that name.")
    table, excluded = _distinct(root, rows, attributes)
    checks = _check_images(root, [row["path"] for row in table], watch)
    usable = []
    for row in table:
        check, recorded = checks[row["path"]], row["sha256"]
        why = check.why or ("its bytes are not the recorded ones" if recorded not in ("", check.sha256) else "")
        if why:
            excluded.append((row["path"], why))
        else:
            usable.append({**row, "sha256": check.sha256})
    frame = pd.DataFrame(usable, columns=[*FIXED, *attributes], dtype=str)
    return Dataset(key, about, frame, root, attributes, tuple(sorted(excluded)))


def limited(rows: Sequence[Row], limit: int | None) -> list[Row]:
    """Return at most `limit` rows, spread over the whole by a hash of their ids, in the given order; all for None.

    Images of one cluster stay together, such as a person's gallery and probe. A smaller limit gives a subset of a
    larger one. A first cluster that is larger than the limit is cut.

    Raises:
        BadInput: a limit below one.
    """
    if limit is None:
        return list(rows)
    if limit < 1:
        raise BadInput(f"The limit must be at least one image; got {limit}.")
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row.get("cluster") or sample_id(row), []).append(sample_id(row))
    chosen: set[str] = set()
    for name in sorted(groups, key=lambda name: hashlib.sha256(name.encode()).digest()):
        if chosen and len(chosen) + len(groups[name]) > limit:
            break
        chosen.update(groups[name][:limit])
    return [row for row in rows if sample_id(row) in chosen]


def check_complete(listing: Listing) -> None:
    """Refuse a source of which rows cannot be used.

    Raises:
        BadInput: it names the first such row.
    """
    if listing.skipped:
        raise BadInput(f"Rows of {listing.title!r}: {len(listing.skipped)} cannot be used; {listing.skipped[0]}.")


def sample_id(row: Row) -> str:
    """Return a row's id: its own, or else its path."""
    return row.get("sample_id") or row["path"]


def duplicates(dataset: Dataset) -> list[str]:
    """Return the groups of images with the same bytes, as one line of ids each."""
    groups = dataset.table.groupby("sha256")["sample_id"].apply(list)
    return [", ".join(sorted(group)[:5]) for group in groups if len(group) > 1]


def _distinct(
    root: Path, rows: Sequence[Row], attributes: tuple[str, ...]
) -> tuple[list[dict[str, str]], list[tuple[str, str]]]:
    seen: dict[str, int] = {}
    table, excluded = [], []
    inside = root.resolve()
    for number, row in enumerate(rows, start=1):
        name = sample_id(row)
        if any(len(value) > MAX_VALUE for value in row.values()):
            raise BadInput(f"A value may have at most {MAX_VALUE} characters; row {number} has a longer one.")
        if name in seen:
            raise BadInput(f"Every image needs an id of its own; {name[:80]!r} is in rows {seen[name]} and {number}.")
        seen[name] = number
        path = relative(inside, row["path"], number)
        full = {column: row.get(column, "") for column in (*FIXED, *attributes)}
        full |= {"sample_id": name, "path": path}
        if (root / path).is_file():
            table.append(full)
        else:
            excluded.append((path, f"there is no such file (row {number})"))
    return sorted(table, key=lambda row: row["sample_id"]), excluded


def relative(inside: Path, path: str, number: int) -> str:
    """Return a path relative to a resolved folder.

    Raises:
        BadInput: an empty path, or one that leads outside.
    """
    if not path or "\0" in path:
        raise BadInput(f"Row {number} names no image.")
    try:
        return (inside / path).resolve().relative_to(inside).as_posix()
    except (ValueError, OSError, RuntimeError):
        raise BadInput(
            f"All images must be inside the data set's folder; row {number} leads outside: {path[:80]!r}."
        ) from None


def _check_images(root: Path, paths: Sequence[str], watch: Watch | None) -> dict[str, _Check]:
    place = home() / "audit-data" / "checked" / f"{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:24]}.json"
    before = read_json(place)
    checks: dict[str, _Check] = {}
    notes: dict[str, list[object]] = {}
    with ThreadPoolExecutor(THREADS, thread_name_prefix="check") as pool:
        for at in range(0, len(paths), AT_ONCE):
            part = paths[at : at + AT_ONCE]
            results = pool.map(lambda one: _check_image(root / one, before.get(one)), part)
            for path, (note, check) in zip(part, results, strict=True):
                checks[path], notes[path] = check, note
            if watch:
                watch(at + len(part), len(paths))
    if any(before.get(path) != note for path, note in notes.items()):
        try:
            write_json(place, {**before, **notes})
        except OutOfResources:  # only means that the next run checks again
            return checks
    return checks


def _check_image(path: Path, before: object) -> tuple[list[object], _Check]:
    try:
        stat = path.stat()
        mark: list[object] = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        if isinstance(before, list) and before[:3] == mark and len(before) == 5:
            return before, _Check(str(before[3]), str(before[4]))
        why = ""
        try:
            safe_open(path)
        except BadPicture as error:
            why = str(error)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return [], _Check("", f"it cannot be read ({error.strerror})")
    return [*mark, digest, why], _Check(digest, why)
