"""Pairs of an image and its text, made from any data set that `workbench.datasets` reads, or drawn as shapes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from workbench import datasets
from workbench.errors import BadInput
from workbench.text import MAX_TEXT
from workbench.training import shapes

KINDS = ("auto", *datasets.KINDS, "shapes")
RENDERED = 4096  # shapes in the built-in data set
NAMED = 5  # names in a message; the record holds them all
MAX_HASHED = 2_000_000_000  # bytes; of a larger data set, only names, sizes and texts are hashed


@dataclass(frozen=True, slots=True)
class ImageTextPair:
    """One image with its text."""

    name: str  # what a message calls it
    text: str  # a caption as it stands, or a label that goes into a template
    is_label: bool
    open: Callable[[], Image.Image]  # upright RGB; raises BadPicture
    size: int = 0  # bytes of the image's file, where known without reading it


@dataclass(frozen=True)
class PairListing:
    """All pairs of a data set."""

    pairs: tuple[ImageTextPair, ...]
    passed_over: tuple[str, ...] = ()  # images without a usable text, each with the reason
    files: tuple[Path, ...] = ()  # whose contents are the data

    def hashes(self) -> dict[str, str | int | None]:
        """Return what distinguishes this data set from any other.

        Returns:
            pairs: how many; listing_sha256: over names, sizes and texts in order; content_sha256: over all files,
            None where they hold more than 2 GB together or there are none.
        """
        listing = hashlib.sha256()
        for pair in self.pairs:
            listing.update(f"{pair.name}\0{pair.size}\0{pair.text}\n".encode("utf-8", "surrogatepass"))
        return {
            "pairs": len(self.pairs),
            "listing_sha256": listing.hexdigest(),
            "content_sha256": _content_hash(self.files),
        }


def find_pairs(
    path: str, *, kind: str = "auto", image: str = "image", text: str = "text", seed: int = 0
) -> PairListing:
    """Find all pairs of a data set; no image is opened yet.

    Where any image has a caption, captions are the texts, and images without one are passed over. Else the labels are,
    with `_` read as a space.

    Args:
        path: see `datasets.read_samples`. Ignored for `shapes`.
        kind: one of `KINDS`; `auto` looks at suffixes.
        image: the column of images in a table.
        text: the column of captions in a table.
        seed: of the built-in shapes.

    Raises:
        BadInput: nothing there, a kind that does not fit, or no image with a text.
    """
    if kind == "shapes":
        drawings, side = shapes.draw(RENDERED, seed=seed), 4 * shapes.SIDE
        return PairListing(
            tuple(
                ImageTextPair(f"shape {number}: {one.caption}", one.caption, False, partial(one.render, side))
                for number, one in enumerate(drawings)
            )
        )
    if kind not in KINDS:
        raise BadInput(f"Kinds of data are {', '.join(KINDS)}; got {kind!r}.")
    listing = datasets.read_samples(path, kind=kind, image=image, caption=text)
    captioned = any(sample.captions for sample in listing.samples)
    pairs: list[ImageTextPair] = []
    passed_over = list(listing.skipped)
    for sample in listing.samples:
        words = "".join(sample.captions[:1]) if captioned else sample.label.replace("_", " ")
        if not words.strip():
            reason = "it has no caption" if captioned else "it has no caption and is in no class folder"
            passed_over.append(f"{sample.name}: {reason}")
        elif len(words) > MAX_TEXT:
            passed_over.append(f"{sample.name}: its caption has more than {MAX_TEXT} characters")
        else:
            pairs.append(ImageTextPair(sample.name, words, not captioned, sample.open, sample.size))
    if not pairs:
        more = f" Passed over: {'; '.join(passed_over[:NAMED])}." if passed_over else ""
        raise BadInput(f"Training needs images with texts; {path[-200:]!r} has none.{more}")
    return PairListing(tuple(pairs), tuple(passed_over), listing.files)


def _content_hash(files: Sequence[Path]) -> str | None:
    if not files or sum(file.stat().st_size for file in files if file.is_file()) > MAX_HASHED:
        return None
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()
