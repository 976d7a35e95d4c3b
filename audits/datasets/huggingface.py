"""Data sets that the package `datasets` reads: from a folder on this machine, or by name where a download is allowed.

The pictures' bytes are written down once, as they are, and read from then on as any other CSV. Knows no audit.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from audits.datasets.dataset import About
from audits.datasets.tables import NAMES
from workbench.errors import BadInput, OutOfResources, Unsupported
from workbench.places import home

SAMPLES = "samples.csv"
ENDINGS = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp"}
LABELS = NAMES["label"]


def materialise(name: str, *, download: bool = False) -> tuple[Path, About]:
    """Return the folder of a data set's pictures and table, and what is known of it.

    Args:
        name: a folder that `save_to_disk` wrote, one with Parquet files, one of pictures with `metadata.csv`; or, with
            `download`, `owner/name`, `owner/name:split` of the hub.
        download: allow the network.

    Raises:
        Unsupported: the package `datasets` is not installed.
        BadInput: nothing there that it reads, or no column of pictures.
    """
    os.environ.setdefault("HF_DATASETS_DISABLE_TELEMETRY", "1")
    try:
        import datasets
    except ModuleNotFoundError:
        raise Unsupported(
            "hf: needs the package datasets, which is not installed: pip install 'clip-workbench[datasets]'."
        ) from None
    rows, about, mark = _load(datasets, name, download)
    column = _pictures(datasets, rows)
    place = home() / "audit-data" / f"hf-{hashlib.sha256(f'{name} {mark}'.encode()).hexdigest()[:24]}"
    if not (place / SAMPLES).is_file():
        _write(rows.cast_column(column, datasets.Image(decode=False)), column, place)
    return place, about


def _load(datasets: Any, name: str, download: bool) -> tuple[Any, About, str]:
    path = Path(name).expanduser()
    try:
        if path.is_dir():
            return (*_from_disk(datasets, path), _state(path))
        if not download:
            raise BadInput(
                f"There is no folder {name[-200:]!r}; a data set of that name is fetched only with --download."
            )
        repository, _, split = name.partition(":")
        rows = datasets.load_dataset(repository, split=split or "test")
    except (OSError, ValueError, KeyError, datasets.exceptions.DatasetsError) as error:
        raise BadInput(f"The package datasets cannot read {name[-200:]!r}: {str(error)[:300]}") from None
    return rows, _about(rows, name), str(rows._fingerprint)


def _state(path: Path) -> str:
    """Say what lies in a folder, so that another content is not taken for what was written down before."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return "\n".join(f"{file} {(stat := file.stat()).st_size} {stat.st_mtime_ns}" for file in files)


def _from_disk(datasets: Any, path: Path) -> tuple[Any, About]:
    if (path / "state.json").is_file() or (path / "dataset_dict.json").is_file():
        rows = datasets.load_from_disk(str(path))
        if isinstance(rows, Mapping):
            rows = rows.get("test") or rows.get("validation") or next(iter(rows.values()))
    elif files := sorted(str(file) for file in path.rglob("*.parquet")):
        rows = datasets.Dataset.from_parquet(files, cache_dir=str(home() / "audit-data" / "datasets"))
    else:
        place = str(home() / "audit-data" / "datasets")
        rows = datasets.load_dataset("imagefolder", data_dir=str(path), split="train", cache_dir=place)
    return rows, _about(rows, path.name)


def _about(rows: Any, name: str) -> About:
    told = rows.info
    return About(title=name, licence=str(told.license or ""), source=str(told.homepage or ""))


def _pictures(datasets: Any, rows: Any) -> str:
    found = [name for name, kind in rows.features.items() if isinstance(kind, datasets.Image)]
    if len(found) != 1:
        raise BadInput(
            f"One column holds the pictures; got {', '.join(found) or 'none'} of {', '.join(rows.features)}."
        )
    return str(found[0])


def _write(rows: Any, column: str, place: Path) -> None:
    names = {name: feature for name, feature in rows.features.items() if name != column and hasattr(feature, "dtype")}
    half = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        half.mkdir(parents=True)
        with (half / SAMPLES).open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(("path", *(_ours(name) for name in names)))
            table.writerows(_lines(rows, column, names, half))
        os.replace(half, place)
    except OSError as error:
        if not (place / SAMPLES).is_file():  # else another process was quicker
            raise OutOfResources(f"The data set could not be written down ({error.strerror}).") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _lines(rows: Iterable[Any], column: str, names: Mapping[str, Any], half: Path) -> Iterator[list[str]]:
    for number, row in enumerate(rows):
        cell = row[column] or {}
        data = cell.get("bytes") or (Path(cell["path"]).read_bytes() if cell.get("path") else b"")
        ending = next((one for start, one in ENDINGS.items() if data.startswith(start)), ".bin")
        name = f"{number:07}{ending}"
        (half / name).write_bytes(data)
        yield [name, *(_text(row[one], feature) for one, feature in names.items())]


def _ours(name: str) -> str:
    return "label" if name in LABELS else name


def _text(value: Any, feature: Any) -> str:
    """Return a value as text; the name of a class in place of its number."""
    if value is None:
        return ""
    if hasattr(feature, "int2str") and isinstance(value, int) and value >= 0:
        return str(feature.int2str(value))
    return str(value)
