"""Open one image for an index: read, hash, decode; a content that is known already is not decoded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import BadPicture
from workbench.prepared import PreparedImage, prepare_file
from workbench.retrieval.rows import IndexRow

if TYPE_CHECKING:
    from workbench.retrieval.sources import SourceEntry
    from workbench.scheduler import CancelScope


@dataclass(frozen=True)
class OpenedImage:
    """What a worker hands on."""

    path: str
    row: IndexRow | None = None  # None where it failed
    pixels: Any = None  # (3, size, size) uint8 tensor, or on Ray the vector already; None where the content is known
    error: str = ""


def open_image(
    entry: SourceEntry, known: Container[bytes], model: Any, *, scope: CancelScope | None = None
) -> OpenedImage:
    """Read, hash and decode one image.

    Args:
        entry: the image.
        known: the first 16 bytes of the hashes that the index holds.
        model: see `prepare_file`.
        scope: how long the caller waits for a worker.
    """
    try:
        data = entry.sample.read()
        digest = hashlib.sha256(data).hexdigest()
        if bytes.fromhex(digest[:32]) in known:
            return OpenedImage(entry.path, row_of(entry, digest))
        prepared = prepare_file(model, data, os.path.basename(entry.sample.name), small=True, scope=scope)
        return OpenedImage(entry.path, row_of(entry, digest, prepared), prepared.square)
    except BadPicture as error:
        return OpenedImage(entry.path, error=str(error))


def row_of(entry: SourceEntry, sha256: str, prepared: PreparedImage | None = None) -> IndexRow:
    """Return the row of an image; size and thumbnail are missing where it was not decoded."""
    sample = entry.sample
    return IndexRow(
        path=entry.path,
        sha256=sha256,
        size=entry.size,
        modified=entry.modified,
        width=prepared.width if prepared else 0,
        height=prepared.height if prepared else 0,
        label=sample.label,
        caption=sample.captions[0] if sample.captions else "",
        tags=tuple(f"{name}={value}" for name, value in sample.attributes.items() if value),
        second=None,
        thumbnail=prepared.thumbnail if prepared else b"",
    )
