"""Labelled images that a visitor gives: an uploaded folder, a zip, or drawings made on the spot."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from apps.shared.folder_box import inside
from apps.shared.markdown import literal
from audits.datasets.moved_drawings import DRAWN, EACH, variation
from workbench.datasets import ImageSample, Listing
from workbench.datasets.samples import class_of, is_image
from workbench.datasets.uploads import read_uploads
from workbench.errors import BadInput
from workbench.pictures import draw

MOST_IMAGES = 2000  # of a folder or a zip
WRONG = 4  # drawings that stand in the folder of another class, for the label errors to find


def given(folder: Sequence[tuple[str, str]] | None, sent: Sequence[tuple[str, str]] = ()) -> Listing:
    """Return the images of an uploaded folder or zip, those that another view sent, or drawings where nothing is given.

    Args:
        folder: pairs of the uploaded file and its path in the folder; a zip is a pair alone.
        sent: image files of another view with their labels.

    Raises:
        BadInput: several zips, too many images, or a path that leads elsewhere.
    """
    zips = [file for file, name in folder or () if name.lower().endswith(".zip")]
    if len(zips) > 1:
        raise BadInput(f"Give a folder or one zip; got {len(zips)} zips.")
    if zips:
        listing = read_uploads(zips, limit=MOST_IMAGES)
        return Listing(tuple(_named(one) for one in _below_the_top(listing.samples)), title=listing.title)
    if not folder and sent:
        named = [(f"{label}/{number:04d}{Path(file).suffix}", file, label) for number, (file, label) in enumerate(sent)]
        return Listing(
            tuple(ImageSample(name, Path(file), label) for name, file, label in named), title="Images of the map"
        )
    if not folder:
        return drawings()
    return from_folder(folder)


def from_folder(folder: Sequence[tuple[str, str]]) -> Listing:
    """Return the images of an uploaded folder.

    Raises:
        BadInput: too many images, or a path that leads elsewhere.
    """
    samples = [ImageSample(str(inside(name)), Path(file)) for file, name in folder]
    images = [sample for sample in samples if is_image(sample.name)]
    if len(images) > MOST_IMAGES:
        raise BadInput(f"At most {MOST_IMAGES} images at once; the folder holds {len(images)}.")
    title = PurePosixPath(images[0].name).parts[0] if images else "the folder"
    return Listing(tuple(_named(one) for one in _below_the_top(images)), title=title)


def classes_line(images: Sequence[tuple[str, str]]) -> str:
    """Say how many images another view sent, and in which classes."""
    counts = Counter(label for _, label in images)
    classes = ", ".join(f"{count} {literal(label)}" for label, count in counts.most_common(8))
    return f"**{len(images)} images from another view:** {classes}. A folder or a zip given here takes their place."


@cache
def drawings() -> Listing:
    """Return drawings of eight things, each moved, turned and coloured anew; a few stand in a wrong folder."""
    rng, samples = np.random.default_rng(0), []
    names = list(DRAWN)
    for place, (name, glyph) in enumerate(DRAWN.items()):
        drawing = draw(glyph)
        for number in range(EACH):
            folder = names[(place + 1) % len(names)] if number == 0 and place < WRONG else name
            data = _png(variation(drawing, rng))
            path = f"{folder}/{name}-{number:02}.png"
            samples.append(ImageSample(path, partial(bytes, data), folder, size=len(data)))
    return Listing(tuple(samples), title="Drawings of eight things")


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _below_the_top(samples: Sequence[ImageSample]) -> list[ImageSample]:
    """Drop the name of the chosen folder itself, with which every path begins."""
    tops = {sample.name.split("/")[0] for sample in samples}
    if len(tops) == 1 and all("/" in sample.name for sample in samples):
        return [ImageSample(sample.name.partition("/")[2], sample.source, size=sample.size) for sample in samples]
    return list(samples)


def _named(sample: ImageSample) -> ImageSample:
    return ImageSample(sample.name, sample.source, class_of(sample.name), size=sample.size)
