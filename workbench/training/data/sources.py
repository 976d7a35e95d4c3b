"""Which reader a data set needs, told by what lies at its path.

Knows the kinds; each is read in a file of its own.
"""

from __future__ import annotations

import glob
import re
from functools import partial
from pathlib import Path

from workbench.errors import BadInput
from workbench.training import shapes
from workbench.training.data.folders import from_folder
from workbench.training.data.pairs import Found, Pair
from workbench.training.data.tables import from_csv, from_parquet
from workbench.training.data.tars import from_tars

KINDS = ("auto", "folder", "csv", "parquet", "webdataset", "shapes")
RENDERED = 4096  # shapes in the built-in data set
_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MOST_SHARDS = 100_000


def find_pairs(path: str, *, kind: str = "auto", image: str = "image", text: str = "text", seed: int = 0) -> Found:
    """Find all pairs of a data set; no picture is opened yet.

    Args:
        path: a folder, a table, a tar, a pattern (`*.tar`), or numbered shards (`{000..010}.tar`). Not looked at for
            `shapes`.
        kind: one of `KINDS`; `auto` goes by suffixes.
        image: the column of pictures in a table.
        text: the column of captions in a table.
        seed: of the built-in shapes.

    Raises:
        BadInput: nothing there, a kind that does not fit, or no picture with a sentence.
    """
    if kind not in KINDS:
        raise BadInput(f"Kinds of data are {', '.join(KINDS)}; got {kind!r}.")
    if kind == "shapes":
        return _shapes(seed)
    files = _files(path)
    kind = _guess(files) if kind == "auto" else kind
    if kind == "folder":
        if not files[0].is_dir():
            raise BadInput(f"Kind folder reads a folder; {path!r} is none.")
        return from_folder(files[0])
    suffixes = {"csv": (".csv", ".tsv"), "parquet": (".parquet",), "webdataset": (".tar",)}[kind]
    if len(files) == 1 and files[0].is_dir():
        files = sorted(one for one in files[0].iterdir() if one.suffix in suffixes and one.is_file())
    if not files or any(one.suffix not in suffixes for one in files) or (kind == "csv" and len(files) > 1):
        one = "one file" if kind == "csv" else "files"
        raise BadInput(f"Kind {kind} reads {one} ending in {' or '.join(suffixes)}; {path!r} leads to no such thing.")
    if kind == "csv":
        return from_csv(files[0], image=image, text=text)
    return from_parquet(files, image=image, text=text) if kind == "parquet" else from_tars(files)


def _files(path: str) -> list[Path]:
    """Return the file, the folder, or the files of a pattern."""
    if "://" in path:
        raise BadInput(f"Data are files on this machine; nothing is fetched from an address: {path[:80]!r}.")
    if match := _BRACES.search(path):
        first, last = int(match[1]), int(match[2])
        if not 0 <= last - first < _MOST_SHARDS:
            raise BadInput(f"Numbered shards run from a low to a high number; got {path!r}.")
        width = len(match[1])
        named = [Path(path[: match.start()] + f"{n:0{width}}" + path[match.end() :]) for n in range(first, last + 1)]
        missing = [one.name for one in named if not one.is_file()]
        if missing:
            raise BadInput(f"Of {len(named)} numbered shards {len(missing)} are missing, {missing[0]!r} first.")
        return named
    if Path(path).exists():
        return [Path(path)]
    found = [Path(one) for one in sorted(glob.glob(path))] if glob.has_magic(path) else []
    if not path or not found:
        raise BadInput(f"There are no training data at {path!r}: no such file or folder, and no pattern that fits.")
    return found


def _guess(files: list[Path]) -> str:
    by_suffix = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".tar": "webdataset"}
    if len(files) == 1 and files[0].is_dir():
        inside = {by_suffix.get(one.suffix) for one in files[0].iterdir() if one.suffix in (".parquet", ".tar")}
        return next((kind for kind in ("webdataset", "parquet") if kind in inside), "folder")
    kinds = {by_suffix.get(one.suffix, "") for one in files}
    if len(kinds) != 1 or kinds == {""}:
        raise BadInput(
            "Data are a folder, or files ending in .csv, .tsv, .parquet or .tar (not compressed), all of one kind; "
            f"got {files[0].name!r}{' and others' if len(files) > 1 else ''}."
        )
    return kinds.pop()


def _shapes(seed: int) -> Found:
    drawings = shapes.draw(RENDERED, seed=seed)
    side = 4 * shapes.SIDE
    return Found(
        tuple(
            Pair(f"shape {number}: {one.caption}", one.caption, False, partial(one.render, side))
            for number, one in enumerate(drawings)
        )
    )
