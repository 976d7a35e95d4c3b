"""WebDataset tars: `0001.jpg` with `0001.txt`, `0001.cls` or `0001.json`, read in place.

A tar's headers say where each member begins, so any image is one read away and nothing is unpacked. Compressed tars
allow no such access and are refused.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from workbench.datasets.folders import read_caption
from workbench.datasets.samples import IMAGE_SUFFIXES, MAX_TEXT_FILE, ImageSample, Listing, is_image
from workbench.errors import BadInput, BadPicture
from workbench.images import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Span:
    """Where the bytes of a tar's member are."""

    file: Path
    start: int
    size: int

    def read(self) -> bytes:
        """Return the bytes of an image.

        Raises:
            BadPicture: over 10 MB, or the tar cannot be read any more.
        """
        if self.size > MAX_BYTES:
            raise BadPicture(
                f"Images may have at most {MAX_BYTES // 10**6} MB; one in {self.file.name!r} has {self.size / 1e6:.1f}."
            )
        try:
            return self.head(self.size)
        except OSError as error:
            raise BadPicture(f"The tar {self.file.name!r} cannot be opened ({error.strerror}).") from None

    def head(self, most: int) -> bytes:
        """Return at most that many bytes."""
        with self.file.open("rb") as opened:
            opened.seek(self.start)
            return opened.read(min(most, self.size))


def read_tars(files: Sequence[Path]) -> Listing:
    """Read uncompressed tars; members of one name up to the first dot belong together.

    `.txt` is the caption, `.cls` the label, and the texts and numbers in `.json` are attributes (or the label, under
    that name).

    Raises:
        BadInput: not a tar, or a compressed one.
    """
    samples: list[ImageSample] = []
    skipped: list[str] = []
    for file in files:
        for key, members in _groups(file).items():
            name = f"{file.name}: {key}"
            suffix = next((one for one in IMAGE_SUFFIXES if one in members), "")
            if not is_image(f"{key}{suffix}"):
                continue
            try:
                texts = {one: _text(members[one]) for one in (".txt", ".cls") if one in members}
                attributes = _json(members)
            except (ValueError, OSError) as error:
                skipped.append(f"{name}: a text file beside it {error}")
                continue
            label = texts.get(".cls") or attributes.pop("label", "")
            captions = (texts[".txt"],) if ".txt" in texts else ()
            samples.append(
                ImageSample(
                    name, partial(Span.read, members[suffix]), label, captions, attributes, members[suffix].size
                )
            )
    return Listing(tuple(samples), tuple(skipped), tuple(files), title=files[0].name)


def _text(member: Span) -> str:
    return read_caption(member.head(MAX_TEXT_FILE + 1))


def _json(members: Mapping[str, Span]) -> dict[str, str]:
    if ".json" not in members:
        return {}
    values = json.loads(_text(members[".json"]))
    if not isinstance(values, dict):
        raise ValueError("is JSON, but no object")
    return {str(key): str(value) for key, value in values.items() if isinstance(value, str | int | float)}


def _groups(file: Path) -> dict[str, dict[str, Span]]:
    """Return the regular members of a tar by name and suffix, in the tar's order."""
    groups: dict[str, dict[str, Span]] = {}
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                if not member.isreg() or member.issparse():
                    continue
                folder, slash, last = member.name.rpartition("/")
                stem, dot, suffix = last.partition(".")
                if stem and dot:
                    span = Span(file, member.offset_data, member.size)
                    groups.setdefault(f"{folder}{slash}{stem}", {})[f".{suffix.lower()}"] = span
    except (tarfile.TarError, OSError, ValueError) as error:
        raise BadInput(f"{file.name!r} cannot be read as an uncompressed tar: {str(error)[:200]}") from None
    return groups
