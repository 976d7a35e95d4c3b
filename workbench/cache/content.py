"""Keys of embeddings: equal contents get equal keys, whatever the file is called."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL import Image


class Key(NamedTuple):
    """What one embedding depends on, and nothing else."""

    fingerprint: str  # of weights, preprocessing and dtype
    kind: str  # "file", "picture" or "text"; "painting" and "facet" in memory only
    content: str  # SHA-256, hexadecimal


def file_key(fingerprint: str, data: bytes) -> Key:
    """Return the key of an image file's bytes, without decoding it."""
    return Key(fingerprint, "file", hashlib.sha256(data).hexdigest())


def picture_key(fingerprint: str, picture: Image.Image) -> Key:
    """Return the key of an opened image: of its mode, its size and its pixels."""
    digest = hashlib.sha256(f"{picture.mode} {picture.width} {picture.height} ".encode())
    digest.update(picture.tobytes())
    return Key(fingerprint, "picture", digest.hexdigest())


def text_key(fingerprint: str, text: str) -> Key:
    """Return the key of a text; every character counts."""
    return Key(fingerprint, "text", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
