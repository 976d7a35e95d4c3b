"""Find the reader for a path: by its kind, or by what is there."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from workbench.datasets.csv_files import csv_samples
from workbench.datasets.folders import read_folder
from workbench.datasets.parquet import read_parquet
from workbench.datasets.samples import Listing
from workbench.datasets.webdataset import read_tars
from workbench.datasets.zips import read_zip
from workbench.errors import BadInput

KINDS = ("folder", "csv", "parquet", "zip", "webdataset", "hf")
SUFFIXES = {"csv": (".csv", ".tsv"), "parquet": (".parquet",), "zip": (".zip",), "webdataset": (".tar",)}
MAX_TABLE_BYTES = 8_000_000_000  # of a CSV; larger than `csv_files` allows, for data sets of training
MAX_TABLE_ROWS = 100_000_000
MAX_SHARDS = 100_000
MAX_ZIP_FILES = 50_000  # of one's own zip; an upload may hold fewer
MAX_ZIP_BYTES = 20_000_000_000  # unpacked
_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


def read_samples(
    path: str, *, kind: str = "auto", image: str = "", caption: str = "", download: bool = False
) -> Listing:
    """Read a data set; no image is opened yet.

    Args:
        path: a folder, a table, a zip, a tar, a pattern (`*.tar`), or numbered shards (`{000..010}.tar`); for `hf` see
            `huggingface.read_huggingface`.
        kind: one of `KINDS`; `auto` looks at suffixes.
        image: the column of images in a table; guessed where not given.
        caption: the column of captions in a table. Where given, the `.txt` files in folders are read too.
        download: let `hf` use the network.

    Raises:
        BadInput: nothing there, or a kind that does not fit.
    """
    if kind not in ("auto", *KINDS):
        raise BadInput(f"Kinds of data are auto, {', '.join(KINDS)}; got {kind!r}.")
    if kind == "hf":
        from workbench.datasets.huggingface import read_huggingface

        return read_huggingface(path, caption=caption, download=download)
    files = _files(path)
    kind = _guess(files) if kind == "auto" else kind
    if kind == "folder":
        if not files[0].is_dir():
            raise BadInput(f"The kind folder reads a folder; {path!r} is none.")
        return read_folder(files[0], captions=bool(caption))
    suffixes = SUFFIXES[kind]
    if len(files) == 1 and files[0].is_dir():
        files = sorted(one for one in files[0].iterdir() if one.suffix in suffixes and one.is_file())
    single = kind in ("csv", "zip")
    if not files or any(one.suffix not in suffixes for one in files) or (single and len(files) > 1):
        raise BadInput(
            f"The kind {kind} reads {'one file' if single else 'files'} ending in {' or '.join(suffixes)}; "
            f"{path!r} leads to no such thing."
        )
    if kind == "csv":
        bounds = {"max_bytes": MAX_TABLE_BYTES, "max_rows": MAX_TABLE_ROWS} if caption else {}
        return csv_samples(files[0], image=image, caption=caption, **bounds)
    if kind == "zip":
        return read_zip(files[0], files=MAX_ZIP_FILES, unpacked=MAX_ZIP_BYTES)
    return read_parquet(files, image=image, caption=caption) if kind == "parquet" else read_tars(files)


def _files(path: str) -> list[Path]:
    """Return the file, the folder, or the files of a pattern."""
    if "://" in path:
        raise BadInput(f"Data are files on this machine; nothing is downloaded from an address: {path[:80]!r}.")
    if match := _BRACES.search(path):
        first, last = int(match[1]), int(match[2])
        if not 0 <= last - first < MAX_SHARDS:
            raise BadInput(f"Numbered shards run from a low to a high number; got {path!r}.")
        width = len(match[1])
        named = [Path(path[: match.start()] + f"{n:0{width}}" + path[match.end() :]) for n in range(first, last + 1)]
        missing = [one.name for one in named if not one.is_file()]
        if missing:
            raise BadInput(f"Of {len(named)} numbered shards {len(missing)} are missing, {missing[0]!r} first.")
        return named
    if Path(path).exists():
        return [Path(path)]
    matches = [Path(one) for one in sorted(glob.glob(path))] if glob.has_magic(path) else []
    if not path or not matches:
        raise BadInput(f"There is no data at {path!r}: no such file or folder, and no pattern that matches.")
    return matches


def _guess(files: list[Path]) -> str:
    by_suffix = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes}
    if len(files) == 1 and files[0].is_dir():
        inside = {by_suffix.get(one.suffix) for one in files[0].iterdir()}
        return next((kind for kind in ("webdataset", "parquet") if kind in inside), "folder")
    kinds = {by_suffix.get(one.suffix, "") for one in files}
    if len(kinds) != 1 or kinds == {""}:
        raise BadInput(
            "Data are a folder, or files ending in .csv, .tsv, .parquet, .zip or .tar (not compressed), all of one "
            f"kind; got {files[0].name!r}{' and others' if len(files) > 1 else ''}."
        )
    return kinds.pop()
