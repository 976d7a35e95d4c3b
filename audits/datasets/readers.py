"""From a word to a data set: `folder:PATH`, `csv:PATH`, `scam:PATH` and so on, `hf:NAME`, or the key of one built in.

Knows no model and no audit. What is built in is made once, under a temporary name, and read back as any other CSV.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from audits.datasets import builtin
from audits.datasets.dataset import About, Dataset
from audits.datasets.imagenet_shifts import shift_rows
from audits.datasets.rows import Row, Watch, assemble, limited
from audits.datasets.tables import csv_rows, folder_rows, utkface_rows
from audits.datasets.typographic_photos import disentangling_rows, named_rows, scam_rows
from workbench.errors import BadInput, OutOfResources, unknown_name
from workbench.places import home, read_json

ROWS: dict[str, Callable[[Path], Sequence[Row]]] = {  # how each kind of folder or table is read
    "folder": folder_rows,
    "csv": csv_rows,
    "utkface": utkface_rows,
    "scam": scam_rows,
    "rta-100": named_rows,
    "paint": named_rows,
    "disentangling": disentangling_rows,
    "shifts": shift_rows,
}
KINDS = (*ROWS, "hf", "builtin")
SAMPLES = "samples.csv"  # the table of a built-in set
ABOUT = "about.json"


def read(reference: str, *, limit: int | None = None, download: bool = False, watch: Watch | None = None) -> Dataset:
    """Read a data set.

    Args:
        reference: KIND:PATH with a kind of `ROWS`, `hf:NAME_OR_FOLDER`, or a built-in key.
        limit: take that many pictures, spread over the whole.
        download: allow `hf:` to fetch what is not on this machine.
        watch: is told how many pictures are looked at, of how many.

    Raises:
        UnknownName: no such kind or key.
        BadInput: what is there cannot be read as a data set.
    """
    kind, _, rest = reference.partition(":")
    if not rest or kind not in KINDS:
        kind, rest = "builtin", reference
    if kind == "builtin":
        root, about, rows = _builtin(rest)
        key = f"builtin:{rest}"
    elif kind == "hf":
        from audits.datasets.huggingface import materialise

        root, about = materialise(rest, download=download)
        rows, key = csv_rows(root / SAMPLES), reference
    else:
        path = Path(rest).expanduser()
        root = path.parent if kind == "csv" else path
        rows = list(ROWS[kind](path))
        about, key = _told(root, path, kind), reference
    return assemble(key, about, root=root, rows=limited(rows, limit), watch=watch)


def known(reference: str) -> None:
    """Refuse a reference that no reader takes, before anything is read.

    Raises:
        UnknownName: no such kind or built-in key.
    """
    kind, _, rest = reference.partition(":")
    if not rest or kind not in KINDS:
        _row(reference)
    elif kind == "builtin":
        _row(rest)


def _row(key: str) -> builtin.Builtin:
    rows = {row.key: row for row in builtin.BUILTIN}
    if key not in rows:
        raise unknown_name("data set", key, (*rows, *(f"{kind}:PATH" for kind in ROWS), "hf:NAME"))
    return rows[key]


def _builtin(key: str) -> tuple[Path, About, list[Row]]:
    row = _row(key)
    place = home() / "audit-data" / f"{key}-{row.version}-{_recipe(row)}"
    if not (place / SAMPLES).is_file():
        _build(row, place)
    about = About(**read_json(place / ABOUT))
    return place, about, csv_rows(place / SAMPLES)


def _recipe(row: builtin.Builtin) -> str:
    """Hash the code that draws a set, so that what was drawn by other code is not taken for it."""
    source = Path(row.build.__code__.co_filename)
    return hashlib.sha256(source.read_bytes() if source.is_file() else b"").hexdigest()[:12]


def _build(row: builtin.Builtin, place: Path) -> None:
    half = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        half.mkdir(parents=True)
        about = row.build(half)
        (half / ABOUT).write_text(json.dumps(asdict(about)), encoding="utf-8")
        os.replace(half, place)
    except OSError as error:
        if not (place / SAMPLES).is_file():  # else another process was quicker
            raise OutOfResources(
                f"The data set {row.key!r} could not be made ({error.strerror}); "
                "point CLIP_WORKBENCH_HOME at a folder that can be written."
            ) from None
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _told(root: Path, path: Path, kind: str) -> About:
    """Return what `about.json` beside the pictures says; else that nothing is known."""
    if (root / ABOUT).is_file():
        found = read_json(root / ABOUT)
        try:
            return About(**found)
        except TypeError:
            raise BadInput(
                f"{ABOUT} beside the pictures has the fields title, licence, source, people and shows; "
                f"got {', '.join(sorted(found))[:200] or 'none'}."
            ) from None
    people = kind == "utkface"
    return About(title=path.name or str(path), people=people)
