"""One picture with its sentence, and what was found where pairs were looked for.

Knows no file format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from workbench.errors import BadInput, BadPicture
from workbench.images import MAX_BYTES, safe_decode
from workbench.text import MAX_TEXT

NAMED = 5  # names in a message; the record holds them all
HASHED = 2_000_000_000  # bytes; of a larger data set, only names, sizes and sentences are hashed


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture with its sentence."""

    name: str  # what a message calls it
    text: str  # a caption as it stands, or a label that goes into a template
    is_label: bool
    open: Callable[[], Image.Image]  # upright RGB; raises BadPicture
    size: int = 0  # bytes of the picture's file, where known without reading it


@dataclass(frozen=True)
class Found:
    """What a data set holds."""

    pairs: tuple[Pair, ...]
    passed_over: tuple[str, ...] = ()  # pictures without a sentence and the like, each with the reason
    files: tuple[Path, ...] = ()  # whose contents are the data

    def hashes(self) -> dict[str, str | int | None]:
        """Return what tells this data set from any other.

        Returns:
            pairs: how many; listing_sha256: over names, sizes and sentences in order; content_sha256: over all files,
            None where they hold more than 2 GB together or there are none.
        """
        listing = hashlib.sha256()
        for pair in self.pairs:
            listing.update(f"{pair.name}\0{pair.size}\0{pair.text}\n".encode("utf-8", "surrogatepass"))
        return {
            "pairs": len(self.pairs),
            "listing_sha256": listing.hexdigest(),
            "content_sha256": _content(self.files),
        }


def usable(found: Sequence[Pair], passed_over: Sequence[str], *, where: str) -> tuple[tuple[Pair, ...], list[str]]:
    """Leave out pairs whose sentence is blank or too long, and refuse a data set that holds no other.

    Raises:
        BadInput: nothing is left.
    """
    kept, said = [], list(passed_over)
    for pair in found:
        if not pair.text.strip():
            said.append(f"{pair.name}: its sentence is blank")
        elif len(pair.text) > MAX_TEXT:
            said.append(f"{pair.name}: its sentence has more than {MAX_TEXT} characters")
        else:
            kept.append(pair)
    if not kept:
        more = f" Passed over: {'; '.join(said[:NAMED])}." if said else ""
        raise BadInput(f"Training needs pictures with sentences; {where} holds none.{more}")
    return tuple(kept), said


def decode(data: bytes | memoryview, name: str) -> Image.Image:
    """Open the bytes of a picture.

    Raises:
        BadPicture: see `images.safe_open`.
    """
    if len(data) > MAX_BYTES:
        raise BadPicture(f"Pictures may have at most {MAX_BYTES // 10**6} MB; {name!r} has {len(data) / 1e6:.1f} MB.")
    return safe_decode(bytes(data), name)


def _content(files: Sequence[Path]) -> str | None:
    if not files or sum(file.stat().st_size for file in files if file.is_file()) > HASHED:
        return None
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()
