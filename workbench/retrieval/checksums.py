"""Checksums of a table's files, since LanceDB keeps none: a file that changed since it was written is found.

Files of a table are written once and never changed; their CRC-32 stand in a file beside the table's folder.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from workbench.places import write_whole

_FOLDERS = ("data", "_versions", "_deletions", "_indices")
_PART = 1 << 20  # bytes that are read at a time


def note(place: str, title: str) -> None:
    """Note the checksums of the files that are new; of an index at an address, nothing is noted."""
    if "://" in place:
        return
    known = _known(place, title)
    sums = {name: known.get(name, -1) for name, _ in _files(place, title)}
    sums |= {name: _checksum(_root(place, title) / name) for name, value in sums.items() if value < 0}
    write_whole(_notes(place, title), json.dumps(sums).encode())


def differing(place: str, title: str, *, most: int = 0) -> list[str]:
    """Return the files whose content is not what was written.

    Args:
        place: folder of the index.
        title: of the table.
        most: bytes; of a table with more, nothing is looked at. 0 for any size.
    """
    if "://" in place or (known := _known(place, title)) == {}:
        return []
    files = [(path, size) for path, size in _files(place, title) if path in known]
    if most and sum(size for _, size in files) > most:
        return []
    return [name for name, _ in files if _checksum(_root(place, title) / name) not in (known[name], -1)]


def _files(place: str, title: str) -> Iterator[tuple[str, int]]:
    """Yield names below the table's folder, with their bytes."""
    root = _root(place, title)
    for path in (one for folder in _FOLDERS for one in (root / folder).rglob("*") if one.is_file()):
        if path.suffix != ".json":  # LanceDB's hint of the latest version changes
            yield path.relative_to(root).as_posix(), path.stat().st_size


def _checksum(path: Path) -> int:
    """Return the CRC-32 of a file; -1 where it is gone, as an old version is."""
    value = 0
    try:
        with path.open("rb") as opened:
            while part := opened.read(_PART):
                value = zlib.crc32(part, value)
    except FileNotFoundError:
        return -1
    return value


def _known(place: str, title: str) -> dict[str, int]:
    try:
        known = json.loads(_notes(place, title).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _root(place: str, title: str) -> Path:
    return Path(place) / f"{title}.lance"


def _notes(place: str, title: str) -> Path:
    return Path(place) / f"{title}.checksums.json"
