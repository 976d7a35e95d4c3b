"""From raw rows to a data set: ids, paths that stay inside, pictures that can be opened, and what is left out and why.

Knows no reader. Whether a picture can be opened is remembered until the file changes, so that each is decoded for this
purpose once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audits.datasets.dataset import FIXED, About, Dataset
from workbench.errors import BadInput, BadPicture, OutOfResources
from workbench.images import safe_open
from workbench.places import home, read_json, write_json

if TYPE_CHECKING:
    from pandas import DataFrame

Watch = Callable[[int, int], None]  # pictures looked at, pictures in all; may raise to stop
Row = Mapping[str, str]

THREADS = max(1, min(8, os.cpu_count() or 1))
TAKEN = ("variant", "label_set", "y_true", "y_pred", "rank_true", "topk", "scores")  # columns of an audit's samples
LONGEST = 2_000  # characters of one value
AT_ONCE = 256  # pictures looked at before progress is told


@dataclass(frozen=True)
class _Looked:
    sha256: str
    why: str  # it cannot be used; empty where it can


def assemble(key: str, about: About, *, root: Path, rows: Sequence[Row], watch: Watch | None = None) -> Dataset:
    """Check rows, look at each picture, and return the data set of those that can be used.

    Args:
        key: what the data set is called in commands and files.
        about: what a reader must know.
        root: the folder that all paths stay in.
        rows: `path` and whatever is known: sample_id, label, cluster, split, sha256, attributes.
        watch: is told how far the looking is.

    Raises:
        BadInput: an id twice, a name of a column that audits use themselves, a path that leaves the folder.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    attributes = tuple(name for name in names if name not in FIXED)
    _check_names(attributes)
    table, excluded = _distinct(root, rows, attributes)
    looked = _look(root, [row["path"] for row in table], watch)
    kept = []
    for row in table:
        seen = looked[row["path"]]
        wanted = row["sha256"]
        why = seen.why or ("its bytes are not the recorded ones" if wanted not in ("", seen.sha256) else "")
        if why:
            excluded.append((row["path"], why))
        else:
            kept.append({**row, "sha256": seen.sha256})
    return Dataset(key, about, _frame(kept, attributes), root, attributes, tuple(sorted(excluded)))


def limited(rows: Sequence[Row], limit: int | None) -> list[Row]:
    """Return at most `limit` rows, spread over the whole by a hash of their ids, in the order given; all for None.

    Pictures of one cluster stay together, so that a person's gallery and probe do. The first ten are among the first
    twenty. A first cluster that is larger than the limit is cut.

    Raises:
        BadInput: a limit below one.
    """
    if limit is None:
        return list(rows)
    if limit < 1:
        raise BadInput(f"A limit is at least one picture; got {limit}.")
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row.get("cluster") or sample_id(row), []).append(sample_id(row))
    chosen: set[str] = set()
    for name in sorted(groups, key=lambda name: hashlib.sha256(name.encode()).digest()):
        if chosen and len(chosen) + len(groups[name]) > limit:
            break
        chosen.update(groups[name][:limit])
    return [row for row in rows if sample_id(row) in chosen]


def sample_id(row: Row) -> str:
    """Return a row's id: its own, or else its path."""
    return row.get("sample_id") or row["path"]


def duplicates(dataset: Dataset) -> list[str]:
    """Name groups of pictures with the same bytes, one line a group."""
    groups = dataset.table.groupby("sha256")["sample_id"].apply(list)
    return [", ".join(sorted(group)[:5]) for group in groups if len(group) > 1]


def _check_names(attributes: tuple[str, ...]) -> None:
    for name in attributes:
        if name in TAKEN or name.startswith("outcome:") or not name.strip() or not name.isprintable():
            raise BadInput(f"No column of a data set may be called {name[:40]!r}: audits use that name themselves.")


def _distinct(
    root: Path, rows: Sequence[Row], attributes: tuple[str, ...]
) -> tuple[list[dict[str, str]], list[tuple[str, str]]]:
    seen: dict[str, int] = {}
    table, excluded = [], []
    inside = root.resolve()
    for number, row in enumerate(rows, start=1):
        name = sample_id(row)
        if any(len(value) > LONGEST for value in row.values()):
            raise BadInput(f"A value may have {LONGEST} characters; row {number} has a longer one.")
        if name in seen:
            raise BadInput(
                f"Every picture needs an id of its own; {name[:80]!r} stands in rows {seen[name]} and {number}."
            )
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
        raise BadInput(f"Row {number} names no picture.")
    try:
        return (inside / path).resolve().relative_to(inside).as_posix()
    except (ValueError, OSError, RuntimeError):
        raise BadInput(
            f"Pictures lie in the data set's own folder or below it; row {number} leads outside: {path[:80]!r}."
        ) from None


def _look(root: Path, paths: Sequence[str], watch: Watch | None) -> dict[str, _Looked]:
    place = home() / "audit-data" / "looked" / f"{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:24]}.json"
    before = read_json(place)
    found: dict[str, _Looked] = {}
    notes: dict[str, list[object]] = {}
    with ThreadPoolExecutor(THREADS, thread_name_prefix="look") as pool:
        for at in range(0, len(paths), AT_ONCE):
            part = paths[at : at + AT_ONCE]
            for path, (note, seen) in zip(
                part, pool.map(lambda one: _look_at(root / one, before.get(one)), part), strict=True
            ):
                found[path], notes[path] = seen, note
            if watch:
                watch(at + len(part), len(paths))
    if any(before.get(path) != note for path, note in notes.items()):
        try:
            write_json(place, {**before, **notes})
        except OutOfResources:  # only costs the looking again next time
            return found
    return found


def _look_at(path: Path, before: object) -> tuple[list[object], _Looked]:
    try:
        stat = path.stat()
        mark: list[object] = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        if isinstance(before, list) and before[:3] == mark and len(before) == 5:
            return before, _Looked(str(before[3]), str(before[4]))
        why = ""
        try:
            safe_open(path)
        except BadPicture as error:
            why = str(error)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return [], _Looked("", f"it cannot be read ({error.strerror})")
    return [*mark, digest, why], _Looked(digest, why)


def _frame(rows: list[dict[str, str]], attributes: tuple[str, ...]) -> DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=[*FIXED, *attributes], dtype=str).reset_index(drop=True)
