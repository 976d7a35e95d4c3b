"""Open one image for an index: read, hash, decode; a content that is known already is not decoded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import BadPicture
from workbench.images import safe_decode
from workbench.retrieval.pixels import thumbnail
from workbench.retrieval.rows import IndexRow

if TYPE_CHECKING:
    from PIL import Image

    from workbench.retrieval.sources import SourceEntry


@dataclass(frozen=True)
class OpenedImage:
    """What a worker hands on."""

    path: str
    row: IndexRow | None = None  # None where it failed
    pixels: Any = None  # (3, size, size) uint8 tensor, or on Ray the vector already; None where the content is known
    error: str = ""


def open_image(entry: SourceEntry, known: Container[bytes], prepare: Callable[[Image.Image], Any]) -> OpenedImage:
    """Read, hash and decode one image.

    Args:
        entry: the image.
        known: the first 16 bytes of the hashes that the index holds.
        prepare: of the model.
    """
    try:
        data = entry.sample.read()
        digest = hashlib.sha256(data).hexdigest()
        if bytes.fromhex(digest[:32]) in known:
            return OpenedImage(entry.path, row_of(entry, digest))
        picture = safe_decode(data, os.path.basename(entry.sample.name))
        return OpenedImage(entry.path, row_of(entry, digest, picture), prepare(picture))
    except BadPicture as error:
        return OpenedImage(entry.path, error=str(error))


def row_of(entry: SourceEntry, sha256: str, picture: Image.Image | None = None) -> IndexRow:
    """Return the row of an image; size and thumbnail are missing without the picture."""
    sample = entry.sample
    return IndexRow(
        path=entry.path,
        sha256=sha256,
        size=entry.size,
        modified=entry.modified,
        width=picture.width if picture else 0,
        height=picture.height if picture else 0,
        label=sample.label,
        caption=sample.captions[0] if sample.captions else "",
        tags=tuple(f"{name}={value}" for name, value in sample.attributes.items() if value),
        second=None,
        thumbnail=thumbnail(picture) if picture else b"",
    )
