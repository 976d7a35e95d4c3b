"""Pairs from WebDataset tars: `0001.jpg` with `0001.txt`, many to a tar, read where they lie.

A tar's headers say where each member begins, so any picture is one read away and nothing is unpacked; that is all that
training asks of the format, and why no library for it is needed. Compressed tars have no such places and are refused.
"""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from workbench.errors import BadInput, BadPicture
from workbench.images import MAX_BYTES
from workbench.training.data.folders import MAX_SIDECAR, SUFFIXES
from workbench.training.data.pairs import Found, Pair, decode, usable


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a member's bytes lie."""

    file: Path
    start: int
    size: int

    def read(self) -> bytes:
        with self.file.open("rb") as opened:
            opened.seek(self.start)
            return opened.read(self.size)


def from_tars(files: Sequence[Path]) -> Found:
    """Read uncompressed tars; members of one name up to the first dot belong together.

    Raises:
        BadInput: no tar, a compressed one, or no pair at all.
    """
    pairs: list[Pair] = []
    passed_over: list[str] = []
    for file in files:
        for key, members in _groups(file).items():
            name = f"{file.name}: {key}"
            picture = next((members[suffix] for suffix in SUFFIXES if suffix in members), None)
            if picture is None:
                continue
            if (words := members.get(".txt")) is None or words.size > MAX_SIDECAR:
                passed_over.append(f"{name}: it has no .txt of at most 100 kB")
                continue
            try:
                text = " ".join(words.read().decode("utf-8-sig").split())
            except UnicodeDecodeError:
                passed_over.append(f"{name}: its .txt cannot be read as UTF-8")
                continue
            pairs.append(Pair(name, text, False, partial(_open, picture, name), picture.size))
    kept, said = usable(pairs, passed_over, where=f"{files[0].name!r}")
    return Found(kept, tuple(said), tuple(files))


def _groups(file: Path) -> dict[str, dict[str, _Span]]:
    """Return the regular members of a tar by name and suffix, in the tar's order."""
    found: dict[str, dict[str, _Span]] = {}
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                if not member.isreg() or member.issparse():
                    continue
                folder, slash, last = member.name.rpartition("/")
                stem, dot, suffix = last.partition(".")
                if stem and dot:
                    place = _Span(file, member.offset_data, member.size)
                    found.setdefault(f"{folder}{slash}{stem}", {})[f".{suffix.lower()}"] = place
    except (tarfile.TarError, OSError, ValueError) as error:
        raise BadInput(f"{file.name!r} cannot be read as an uncompressed tar: {str(error)[:200]}") from None
    return found


def _open(place: _Span, name: str) -> Image.Image:
    if place.size > MAX_BYTES:
        raise BadPicture(f"Pictures may have at most {MAX_BYTES // 10**6} MB; {name!r} has {place.size / 1e6:.1f} MB.")
    try:
        return decode(place.read(), name)
    except OSError as error:
        raise BadPicture(f"The tar of {name!r} cannot be opened ({error.strerror}).") from None
