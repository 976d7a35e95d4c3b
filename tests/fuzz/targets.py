"""What is searched: for each kind of file the program's own reader, valid files, and a maker of odd ones."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

import audits
from audits import protocol
from audits.datasets.readers import rows_of
from tests.fuzz import files
from workbench.batch.truth import read_truth
from workbench.datasets.csv_files import csv_samples
from workbench.datasets.zips import read_zip
from workbench.errors import BadInput
from workbench.generation.metadata import from_png
from workbench.images import MAX_PIXELS, safe_decode
from workbench.yaml_file import parse


@dataclass(frozen=True)
class Target:
    """One kind of file."""

    read: Callable[[bytes], Any]  # raises BadInput for what cannot be used
    seeds: Callable[[], list[bytes]]
    make: Callable[[Random], bytes]


def read_image(data: bytes) -> str:
    """Open an image as a visitor's is opened; where it holds settings, read those."""
    if b"clip_workbench" in data:
        return str(type(from_png(data, "x.png")))
    image = safe_decode(data, "x.png")
    assert image.mode == "RGB"
    assert 1 <= image.width * image.height <= MAX_PIXELS
    assert not image.info
    assert isinstance(image, Image.Image)
    return f"image {image.width > image.height}"


def read_archive(data: bytes) -> str:
    """Read a zip's list of images, and each image as far as its own limits allow."""
    with _file(data, "a.zip") as path:
        listing = read_zip(path)
        outcomes = []
        for sample in listing.samples:
            try:
                sample.open()
                outcomes.append("image")
            except BadInput as error:
                outcomes.append(str(error)[:24])
        assert [one.name for one in path.parent.iterdir()] == ["a.zip"]  # nothing is unpacked beside it
    return f"zip {sorted(set(outcomes))}"


def read_protocol(data: bytes) -> str:
    """Read YAML, and what it holds as a protocol, as the page does with a visitor's text."""
    content = parse(data, "The protocol")
    str(content).encode()
    try:
        rules = protocol.parse(content)
    except BadInput:
        return f"yaml {type(content).__name__}"
    return f"protocol {rules.audit} {len(rules.hash)}"


def read_table(data: bytes) -> str:
    """Read a CSV as the true labels of many images, and as the table of a visitor's own data set."""
    with _file(data, "a.csv") as path:
        try:
            read_truth(path, ["a.png", "cat/1.png"])
        except BadInput as error:
            reason = str(error)[:24]
        else:
            reason = "true labels"
        return f"{reason} and {len(rows_of(csv_samples(path, max_bytes=5_000_000, max_rows=10_000))) > 3}"


class _file:
    """A file of a temporary folder of its own, in memory where the machine has such a place."""

    def __init__(self, data: bytes, name: str) -> None:
        self._folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self._path = Path(self._folder.name) / name
        self._path.write_bytes(data)

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def zip_seeds() -> list[bytes]:
    """Return a zip of two classes, stored and deflated."""
    archives = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name in ("cat/1.png", "dog/1.jpg", "notes.txt"):
                archive.writestr(name, files.encoded("PNG", "RGB", size=(5, 6)))
        archives.append(out.getvalue())
    return archives


def yaml_seeds() -> list[bytes]:
    """Return the shipped protocols."""
    return [path.read_bytes() for path in sorted(Path(audits.__file__).parent.rglob("protocols/*.yaml"))]


def csv_seeds() -> list[bytes]:
    """Return tables of images."""
    return [
        b"path,label,race\ncat/1.png,cat,a\ndog/1.png,dog,b\n",
        b'\xef\xbb\xbffile,label\r\n"a, b.png","say ""cat"""\r\n',
        "image,id,person\né.png,1,x\n\nb.png,2,y\n".encode(),
    ]


TARGETS = {
    "image": Target(read_image, files.image_seeds, files.image_file),
    "zip": Target(read_archive, zip_seeds, files.zip_file),
    "yaml": Target(read_protocol, yaml_seeds, files.yaml_file),
    "csv": Target(read_table, csv_seeds, files.csv_file),
}
