"""Read a data set by its reference: `folder:PATH`, `csv:PATH`, `scam:PATH` and so on, or the key of a built-in one.

A built-in data set is drawn once, under a temporary name, and read like any other CSV.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from audits.datasets import builtin, captioned
from audits.datasets.dataset import About, Dataset
from audits.datasets.drawn import SAMPLES
from audits.datasets.fairface import fairface_rows
from audits.datasets.imagenet_shifts import shift_rows
from audits.datasets.rows import Row, Watch, assemble, limited, rows_of
from audits.datasets.typographic_photos import disentangling_rows, named_rows, scam_rows
from audits.datasets.unpacked import ABOUT, unpack, write_folder
from audits.datasets.utkface import utkface_rows
from workbench.datasets.csv_files import csv_samples
from workbench.datasets.folders import read_folder
from workbench.errors import BadInput, unknown_name
from workbench.places import home, read_json
from workbench.probes.labelled import by_part

ROWS: dict[str, Callable[[Path], Sequence[Row]]] = {  # how each kind of folder or table is read
    "folder": lambda path: rows_of(by_part(read_folder(path))),
    "csv": lambda path: rows_of(csv_samples(path)),
    "fairface": fairface_rows,
    "utkface": utkface_rows,
    "scam": scam_rows,
    "rta-100": named_rows,
    "paint": named_rows,
    "disentangling": disentangling_rows,
    "shifts": shift_rows,
    "sugarcrepe": captioned.sugarcrepe_rows,
    "aro": captioned.aro_rows,
    "winoground": captioned.winoground_rows,
    "negbench": captioned.negbench_rows,
}
UNPACKED = ("hf", "parquet", "zip", "webdataset")  # kinds whose images are written to disk first
KINDS = (*ROWS, *UNPACKED, "builtin")
TITLES = {  # what `list datasets` shows for each kind of path
    "folder": "Images in class folders, with train/ and test/ above them or not",
    "csv": "A CSV or TSV that names image files",
    "parquet": "A Parquet file with images or paths",
    "zip": "A zip of class folders",
    "webdataset": "A WebDataset tar, or a pattern of tars",
    "hf": "A data set of the package datasets",
    "fairface": "FairFace: its label files beside train/ and val/",
    "utkface": "UTKFace: attributes in the file names",
    "scam": "SCAM: photographs with a word on them",
    "rta-100": "RTA-100: photographs with a word on them",
    "paint": "PAINT's typographic attacks",
    "disentangling": "Materzynska et al.: photographs with a word on them",
    "shifts": "ImageNet and its shifts, one folder each",
    "sugarcrepe": "SugarCrepe: its JSON files beside COCO's images",
    "aro": "ARO: Visual Genome relation and attribution",
    "winoground": "Winoground: examples.jsonl beside images/",
    "negbench": "NegBench: its CSV files beside images/",
}


def read(reference: str, *, limit: int | None = None, download: bool = False, watch: Watch | None = None) -> Dataset:
    """Read a data set.

    Args:
        reference: KIND:PATH with one of `KINDS` (`hf` takes a name as well), or a built-in key; `~` and `$VARIABLE` of
            a path are filled in when it is read, and stay as they are in reports.
        limit: take that many images, spread over the whole.
        download: allow `hf:` to download what is not on this machine.
        watch: called with the number of images checked so far, and of all.

    Raises:
        UnknownName: no such kind or key.
        BadInput: what is there cannot be read as a data set.
    """
    kind, path = _split(reference)
    if kind == "builtin":
        entry = _find_builtin(path)
        source = Path(entry.pictures.__code__.co_filename)  # a set drawn by other code is not reused
        code = hashlib.sha256(source.read_bytes() if source.is_file() else b"").hexdigest()[:12]
        root, about = home() / "audit-data" / f"{path}-{entry.version}-{code}", entry.about
        if not (root / SAMPLES).is_file():
            write_folder(root, entry.build)
        rows, key = ROWS["csv"](root / SAMPLES), f"builtin:{path}"
    elif kind in UNPACKED:
        root, about = unpack(kind, path if kind == "hf" else str(Path(path).expanduser()), download=download)
        rows, key = ROWS["csv"](root / SAMPLES), reference
    else:
        file = Path(os.path.expandvars(path)).expanduser()
        root = file.parent if kind == "csv" else file
        rows = list(ROWS[kind](file))
        about, key = _about(root, file, kind), reference
    return assemble(key, about, root=root, rows=limited(rows, limit), watch=watch)


def known(reference: str) -> None:
    """Refuse a reference that no reader takes, before anything is read.

    Raises:
        UnknownName: no such kind or built-in key.
    """
    kind, path = _split(reference)
    if kind == "builtin":
        _find_builtin(path)


def _split(reference: str) -> tuple[str, str]:
    kind, _, path = reference.partition(":")
    return (kind, path) if path and kind in KINDS else ("builtin", reference)


def _find_builtin(key: str) -> builtin.Builtin:
    sets = {one.key: one for one in builtin.BUILTIN}
    if key not in sets:
        raise unknown_name("data set", key, (*sets, *(f"{kind}:PATH" for kind in KINDS[:-1])))
    return sets[key]


def _about(root: Path, path: Path, kind: str) -> About:
    """Return the contents of `about.json` beside the images, else the path's name as the title."""
    if (root / ABOUT).is_file():
        fields = read_json(root / ABOUT)
        try:
            return About(**fields)
        except TypeError:
            raise BadInput(
                f"{ABOUT} beside the images has the fields title, licence, source, people and shows; "
                f"got {', '.join(sorted(fields))[:200] or 'none'}."
            ) from None
    return About(title=path.name or str(path), people=kind in ("fairface", "utkface"))
