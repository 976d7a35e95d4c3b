"""Refuse zips that are traps, before anything of them is unpacked.

Knows nothing of pictures: it looks at the directory of the zip only, and promises that what is
unpacked later is small and stays put.
"""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import PurePosixPath
from typing import IO

from workbench.errors import BadInput

MAX_FILES = 256
_MAX_FOLDERS = 256
MAX_UNPACKED = 300_000_000  # bytes of all files together
_MAX_RATIO = 200  # unpacked to packed bytes of one file; pictures are packed already
_RATIO_FROM = 1_000_000  # bytes; smaller files may be packed as well as they like
_MAX_DIRECTORY = 1_000_000  # bytes of the zip's own list of files
ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".jar", ".cab", ".iso")

_END = struct.Struct("<4s4H2LH")  # end of central directory record
_MAX_COMMENT = 65_535


def checked_members(file: IO[bytes], name: str) -> list[zipfile.ZipInfo]:
    """Return the files of a zip that are safe to unpack one by one, folders left out.

    Args:
        file: the zip, open for reading and seeking.
        name: what the visitor calls it.

    Raises:
        BadInput: not a zip; too many entries; more than 300 MB unpacked or implausibly well packed; an entry that is
            encrypted, a link or device, an archive itself, named twice, or named to land elsewhere.
    """
    _check_directory(file, name)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise BadInput(f"{name!r} is no zip that can be read ({error}).") from None
    files = [member for member in members if not member.is_dir()]
    if len(files) > MAX_FILES or len(members) - len(files) > _MAX_FOLDERS:
        raise BadInput(f"A zip may hold at most {MAX_FILES} files; {name!r} holds {len(files)}.")
    for member in members:
        _check_name(member)
        _check_kind(member)
    _check_distinct(members)
    _check_sizes(files)
    return files


def _check_directory(file: IO[bytes], name: str) -> None:
    """Look at the record at the zip's end: reading a list of a million entries alone would take seconds."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _MAX_COMMENT))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise BadInput(f"{name!r} is no zip, or only part of one.")
    _, _, _, _, entries, directory, _, _ = _END.unpack_from(tail, at)
    if entries > MAX_FILES + _MAX_FOLDERS or directory > _MAX_DIRECTORY:  # zip64's marks are larger than both
        raise BadInput(f"A zip may hold at most {MAX_FILES} files; {name!r} holds more.")


def _check_name(member: zipfile.ZipInfo) -> None:
    given = member.orig_filename
    path = PurePosixPath(given.replace("\\", "/"))
    drive = len(given) > 1 and given[1] == ":"
    if path.is_absolute() or drive or ".." in path.parts or not path.parts or any(ord(c) < 32 for c in given):
        raise BadInput(f"The zip is refused: an entry's name leads out of it or hides something: {given[:80]!r}.")
    if path.suffix.lower() in ARCHIVES:
        raise BadInput(f"The zip is refused: it holds another archive, {given[:80]!r}. Unpack that one first.")


def _check_kind(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 0x1:
        raise BadInput(f"The zip is refused: {member.filename[:80]!r} is encrypted. Give a zip without a password.")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind and kind not in (stat.S_IFREG, stat.S_IFDIR):
        raise BadInput(f"The zip is refused: {member.filename[:80]!r} is a link or a device, not a file.")


def _check_distinct(members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for member in members:
        name = member.filename.replace("\\", "/").rstrip("/")
        if name in seen:
            raise BadInput(f"The zip is refused: it holds {name[:80]!r} more than once.")
        seen.add(name)


def _check_sizes(files: list[zipfile.ZipInfo]) -> None:
    total = sum(member.file_size for member in files)
    if total > MAX_UNPACKED:
        raise BadInput(
            f"A zip may hold at most {MAX_UNPACKED // 10**6} MB unpacked; this one promises {total / 1e6:.0f} MB."
        )
    for member in files:
        if member.file_size > _RATIO_FROM and member.file_size > _MAX_RATIO * max(1, member.compress_size):
            raise BadInput(
                f"The zip is refused: {member.filename[:80]!r} would unpack to {member.file_size / 1e6:.0f} MB from "
                f"{member.compress_size / 1e3:.0f} kB, as no picture does."
            )
