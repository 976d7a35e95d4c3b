"""Write data sets that are no folder of files (`datasets`, Parquet, zips, tars) to disk once, as images with a CSV.

The images' bytes are copied as they are, under a temporary name that is replaced when all are there.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from audits.datasets.dataset import About
from audits.datasets.drawn import SAMPLES
from audits.datasets.rows import check_complete
from workbench.datasets import ImageSample, Listing, read_samples
from workbench.datasets.huggingface import state_of
from workbench.errors import BadPicture, OutOfResources
from workbench.places import home, write_json
from workbench.probes.labelled import TEST, TRAIN, LabelledImages

ABOUT = "about.json"
SUFFIXES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp"}


def unpack(kind: str, path: str, *, download: bool = False) -> tuple[Path, About]:
    """Return the folder of a data set's images and table, and what is known about it.

    Raises:
        Unsupported, BadInput: see `workbench.datasets.read_samples`; a row that cannot be used.
        OutOfResources: it cannot be written.
    """
    listing = read_samples(path, kind=kind, download=download)
    check_complete(listing)
    about = About(title=listing.title, licence=listing.licence, source=listing.homepage)
    version = listing.version or "\n".join(map(state_of, listing.files))
    place = home() / "audit-data" / f"{kind}-{hashlib.sha256(f'{path} {version}'.encode()).hexdigest()[:24]}"
    if not (place / SAMPLES).is_file():
        write_folder(place, lambda folder: _write(folder, listing, ids=kind != "hf"))
    return place, about


def write_folder(place: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a new folder with images and `samples.csv`; it appears when it is complete.

    Raises:
        OutOfResources: it cannot be written.
    """
    half = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        half.mkdir(parents=True)
        write(half)
        os.replace(half, place)
    except OSError as error:
        if not (place / SAMPLES).is_file():  # else another process was quicker
            raise OutOfResources(
                f"The data set {place.name!r} could not be written ({error.strerror}); "
                "point CLIP_WORKBENCH_HOME at a writable folder."
            ) from None
    finally:
        shutil.rmtree(half, ignore_errors=True)


def write_labelled(images: LabelledImages, out: Path) -> Path:
    """Write labelled images with their parts: a table of them beside the images, which are second names of the files.

    Args:
        images: validation images count as training images; an audit draws its own.
        out: where their folder goes; the same images are written there once.

    Returns:
        The table, as `csv:PATH` takes it.

    Raises:
        BadPicture: an image of an archive cannot be read.
        OutOfResources: it cannot be written.
    """
    rows = zip(images.samples, images.labels, images.parts, strict=True)
    samples = tuple(
        replace(sample, label=label, attributes={**sample.attributes, "split": TEST if part == TEST else TRAIN})
        for sample, label, part in rows
    )
    digest = hashlib.sha256()
    for sample in samples:
        state = state_of(sample.source) if isinstance(sample.source, Path) else hashlib.sha256(sample.read()).digest()
        digest.update(repr((sample.name, sample.label, sorted(sample.attributes.items()), state)).encode())
    place = out / f"images-{digest.hexdigest()[:16]}"

    def write(folder: Path) -> None:
        _write(folder, Listing(samples), ids=True, linked=True)
        write_json(folder / ABOUT, asdict(About(title=images.title)))

    if not (place / SAMPLES).is_file():
        write_folder(place, write)
    return place / SAMPLES


def _write(folder: Path, listing: Listing, *, ids: bool, linked: bool = False) -> None:
    names = list(dict.fromkeys(name for sample in listing.samples for name in sample.attributes if name != "path"))
    with (folder / SAMPLES).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow((*(["sample_id"] if ids else []), "path", "label", *names))
        table.writerows(_lines(folder, listing, names, ids=ids, linked=linked))


def _lines(folder: Path, listing: Listing, names: list[str], *, ids: bool, linked: bool) -> Iterator[list[str]]:
    for number, sample in enumerate(listing.samples):
        if linked and isinstance(sample.source, Path):
            name = f"{number:07}{sample.source.suffix.lower()}"
            link(sample.source, folder / name)
        else:
            name = _copied(folder, number, sample)
        known = [sample.attributes.get(column, "") for column in names]
        yield [*([sample.name] if ids else []), name, sample.label, *known]


def _copied(folder: Path, number: int, sample: ImageSample) -> str:
    """Write an image's bytes; return the name of the file."""
    try:
        data = sample.read()
    except BadPicture:
        data = b""  # an image that cannot be read; the data set leaves it out and says so
    suffix = next((one for start, one in SUFFIXES.items() if data.startswith(start)), ".bin")
    name = f"{number:07}{suffix}"
    (folder / name).write_bytes(data)
    return name


def link(file: Path, target: Path) -> None:
    """Give a file a second name, or a copy where the disk cannot."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)
