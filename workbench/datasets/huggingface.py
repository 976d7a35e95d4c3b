"""Data sets that the package `datasets` reads: from a local folder, or by name where a download is allowed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from workbench.datasets.csv_files import NAMES
from workbench.datasets.samples import SEVERAL, ImageSample, Listing
from workbench.errors import BadInput, BadPicture, Unsupported
from workbench.places import home


def read_huggingface(name: str, *, caption: str = "", download: bool = False) -> Listing:
    """Read a data set with one column of images; class numbers become class names, and lists of them `a|b`.

    Args:
        name: a folder that `save_to_disk` wrote, one with Parquet files, or one of images with `metadata.csv`; or,
            with `download`, `owner/name` or `owner/name:split` of the hub.
        caption: the column of captions.
        download: allow the network.

    Raises:
        Unsupported: the package `datasets` is not installed.
        BadInput: nothing there that it reads, no such column, or not exactly one column of images.
    """
    os.environ.setdefault("HF_DATASETS_DISABLE_TELEMETRY", "1")
    try:
        import datasets
    except ModuleNotFoundError:
        raise Unsupported(
            "hf: needs the package datasets, which is not installed: pip install 'clip-workbench[datasets]'."
        ) from None
    rows, title, version = _load(datasets, name, download)
    images = [key for key, kind in rows.features.items() if isinstance(kind, datasets.Image)]
    if len(images) != 1:
        raise BadInput(
            f"Exactly one column must hold the images; got {', '.join(images) or 'none'} of {', '.join(rows.features)}."
        )
    if caption and caption not in rows.features:
        raise BadInput(f"The data set has no column {caption!r}; it has: {', '.join(rows.features)[:300]}.")
    rows = rows.cast_column(images[0], datasets.Image(decode=False))
    plain = {key: kind for key, kind in rows.features.items() if key != images[0] and _plain(kind)}
    samples = []
    for number, row in enumerate(rows.select_columns(list(plain)) if plain else [{}] * len(rows)):
        texts = {key: _text(row[key], kind) for key, kind in plain.items() if key != caption}
        known = {"label" if key in NAMES["label"] else key: text for key, text in texts.items()}
        label, captions = known.pop("label", ""), (_text(row[caption], None),) if caption else ()
        samples.append(ImageSample(f"row {number}", partial(_bytes, rows, images[0], number), label, captions, known))
    about = rows.info
    return Listing(
        tuple(samples),
        title=title,
        licence=str(about.license or ""),
        homepage=str(about.homepage or ""),
        version=version,
    )


def state_of(path: Path) -> str:
    """Return names, sizes and times of all files in a folder, or of one file: equal texts, equal contents."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return "\n".join(f"{file} {(stat := file.stat()).st_size} {stat.st_mtime_ns}" for file in files)


def _load(datasets: Any, name: str, download: bool) -> tuple[Any, str, str]:
    """Return the rows, a title, and what changes with the contents."""
    path = Path(name).expanduser()
    try:
        if path.is_dir():
            return _from_disk(datasets, path), path.name, state_of(path)
        if not download:
            raise BadInput(
                f"There is no folder {name[-200:]!r}; a data set of that name is fetched only with --download."
            )
        repository, _, split = name.partition(":")
        rows = datasets.load_dataset(repository, split=split or "test")
    except (OSError, ValueError, KeyError, datasets.exceptions.DatasetsError) as error:
        raise BadInput(f"The package datasets cannot read {name[-200:]!r}: {str(error)[:300]}") from None
    return rows, name, str(rows._fingerprint)


def _from_disk(datasets: Any, path: Path) -> Any:
    if (path / "state.json").is_file() or (path / "dataset_dict.json").is_file():
        rows = datasets.load_from_disk(str(path))
        if isinstance(rows, Mapping):
            rows = rows.get("test") or rows.get("validation") or next(iter(rows.values()))
        return rows
    place = str(home() / "audit-data" / "datasets")
    if files := sorted(str(file) for file in path.rglob("*.parquet")):
        return datasets.Dataset.from_parquet(files, cache_dir=place)
    return datasets.load_dataset("imagefolder", data_dir=str(path), split="train", cache_dir=place)


def _bytes(rows: Any, column: str, number: int) -> bytes:
    cell = rows[number][column] or {}
    try:
        return bytes(cell.get("bytes") or (Path(cell["path"]).read_bytes() if cell.get("path") else b""))
    except OSError as error:
        raise BadPicture(f"The image of row {number} cannot be read ({error.strerror}).") from None


def _plain(feature: Any) -> bool:
    """Whether a column is text: values, or lists of classes."""
    return hasattr(feature, "dtype") or hasattr(getattr(feature, "feature", None), "int2str")


def _text(value: Any, feature: Any) -> str:
    """Return a value as text; the name of a class in place of its number, and several joined."""
    if value is None:
        return ""
    if isinstance(value, list) and _plain(feature):
        return SEVERAL.join(_text(one, feature.feature) for one in value)
    if hasattr(feature, "int2str") and isinstance(value, int) and value >= 0:
        return str(feature.int2str(value))
    return str(value)
