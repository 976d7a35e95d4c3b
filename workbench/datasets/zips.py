"""Images in a zip. One that is a trap is refused before anything of it is unpacked.

The checks read the zip's own list of files only, and promise that what is unpacked later is small and stays inside.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from workbench.datasets.samples import ImageSample, Listing, class_of, is_image
from workbench.errors import BadInput, BadPicture
from workbench.images import MAX_BYTES

MAX_FILES = 256
MAX_UNPACKED = 300_000_000  # bytes of all files together
_MAX_FOLDERS = 256  # or as many as files, where more files are allowed
_MAX_RATIO = 200  # unpacked to packed bytes of one file; images are compressed already
_RATIO_FROM = 1_000_000  # bytes; smaller files may have any ratio
_MAX_DIRECTORY = 1_000_000  # bytes of the zip's own list of files, for up to 2,500 files
_ENTRY = 400  # bytes of the list for one file, where more are allowed
ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".jar", ".cab", ".iso")

# with any other method, zipfile unpacks a whole block of input whatever its size: 300 kB of LZMA can be gigabytes
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END = struct.Struct("<4s4H2LH")  # end of central directory record
_LOCAL = struct.Struct("<4s5H3L2H")  # what stands before a packed file
_MAX_COMMENT = 65_535
_MAX_PART = 255  # bytes of a file's or folder's name
_MAX_NAME = 1_000  # bytes of a whole path


def read_zip(file: Path, *, files: int = MAX_FILES, unpacked: int = MAX_UNPACKED) -> Listing:
    """Read a zip; the first folder of an image's path is its label.

    Args:
        file: the zip.
        files: the largest number of files.
        unpacked: the most bytes of all files together.

    Raises:
        BadInput: see `checked_members`; the file cannot be read, or holds no image.
    """
    try:
        with file.open("rb") as opened:
            members = checked_members(opened, file.name, files=files, unpacked=unpacked)
    except OSError as error:
        raise BadInput(f"The zip {file.name!r} cannot be read ({error.strerror}).") from None
    images = [member for member in members if is_image(member.filename)]
    others = tuple(member.filename for member in members if not is_image(member.filename))
    if not images:
        raise BadInput(f"The zip holds no PNG, JPEG or WebP images; it holds {len(others)} other file(s).")
    samples = [
        ImageSample(
            member.filename,
            partial(_unpack, file, member),
            class_of(member.filename),
            size=member.file_size,
        )
        for member in images
    ]
    return Listing(tuple(samples), ignored=others, files=(file,), title=file.name)


def _unpack(file: Path, member: zipfile.ZipInfo) -> bytes:
    """Unpack one image by its place, without reading the zip's list of files again."""
    try:
        with file.open("rb") as packed:
            packed.seek(member.header_offset)
            header = packed.read(_LOCAL.size)
            mark, *_, name, extra = _LOCAL.unpack(header)
            if mark != b"PK\x03\x04":
                raise zipfile.BadZipFile("no file begins where the list says")
            packed.seek(name + extra, 1)
            data = packed.read(min(member.compress_size, 2 * MAX_BYTES))
        if member.compress_type == zipfile.ZIP_DEFLATED:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, MAX_BYTES + 1)
        if len(data) <= MAX_BYTES and (len(data) != member.file_size or zlib.crc32(data) != member.CRC):
            raise zipfile.BadZipFile("the contents are not those that were packed")
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError) as error:
        raise BadPicture(f"The zip is damaged: {member.filename!r} cannot be unpacked ({error}).") from None
    if len(data) > MAX_BYTES:
        raise BadPicture(f"Images may have at most {MAX_BYTES // 10**6} MB; {member.filename!r} has more.")
    return data


def checked_members(
    file: IO[bytes], name: str, *, files: int = MAX_FILES, unpacked: int = MAX_UNPACKED
) -> list[zipfile.ZipInfo]:
    """Return the files of a zip that are safe to unpack one by one, folders left out.

    Args:
        file: the zip, open for reading and seeking.
        name: of the zip, for messages.
        files: the largest number of files.
        unpacked: the most bytes of all files together.

    Raises:
        BadInput: not a zip; too many entries; more bytes unpacked than allowed, or implausibly well packed; an entry
            that is encrypted, packed otherwise than by deflate, a link or device, an archive itself, named twice, or
            whose name leads elsewhere or is too long.
    """
    _check_directory(file, name, files)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise BadInput(f"{name!r} cannot be read as a zip ({error}).") from None
    if not all(member.filename for member in members):
        raise BadInput(f"The zip is refused: an entry of {name!r} has no name.")
    inside = [member for member in members if not member.is_dir()]
    if len(inside) > files or len(members) - len(inside) > max(_MAX_FOLDERS, files):
        raise BadInput(f"A zip may hold at most {files} files; {name!r} holds {len(inside)}.")
    for member in members:
        _check_name(member)
        _check_kind(member)
    _check_distinct(members)
    _check_sizes(inside, unpacked)
    return inside


def _check_directory(file: IO[bytes], name: str, files: int) -> None:
    """Check the record at the zip's end: a list of a million entries would take seconds to read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _MAX_COMMENT))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise BadInput(f"{name!r} is not a zip, or only part of one.")
    _, _, _, _, entries, directory, _, _ = _END.unpack_from(tail, at)
    zip64 = entries == 0xFFFF or directory == 0xFFFFFFFF  # placeholders
    if zip64 or entries > files + max(_MAX_FOLDERS, files) or directory > max(_MAX_DIRECTORY, _ENTRY * files):
        raise BadInput(f"A zip may hold at most {min(files, 0xFFFE)} files; {name!r} holds more.")


def _check_name(member: zipfile.ZipInfo) -> None:
    name = member.orig_filename
    path = PurePosixPath(name.replace("\\", "/"))
    drive = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or drive or ".." in path.parts or not path.parts or any(ord(c) < 32 for c in name):
        raise BadInput(f"The zip is refused: an entry's name leads out of it or hides something: {name[:80]!r}.")
    lengths = [len(part.encode("utf-8", "surrogatepass")) for part in path.parts]
    if max(lengths) > _MAX_PART or sum(lengths) > _MAX_NAME:
        raise BadInput(f"The zip is refused: a name in it is too long: {name[:80]!r} …")
    if path.suffix.lower() in ARCHIVES:
        raise BadInput(f"The zip is refused: it holds another archive, {name[:80]!r}. Unpack that one first.")


def _check_kind(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 0x1:
        raise BadInput(f"The zip is refused: {member.filename[:80]!r} is encrypted. Give a zip without a password.")
    if member.compress_type not in _PACKINGS:
        raise BadInput(
            f"The zip is refused: {member.filename[:80]!r} is packed in a rare way. Use plain zip (deflate)."
        )
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind and kind not in (stat.S_IFREG, stat.S_IFDIR):
        raise BadInput(f"The zip is refused: {member.filename[:80]!r} is a link or a device, not a file.")


def _check_distinct(members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    files = {member.filename for member in members if not member.is_dir()}
    for member in members:
        name = member.filename.replace("\\", "/").rstrip("/")
        if name in seen:
            raise BadInput(f"The zip is refused: it holds {name[:80]!r} more than once.")
        seen.add(name)
    for name in seen:
        if any(str(parent) in files for parent in PurePosixPath(name).parents):
            raise BadInput(f"The zip is refused: a file in it is named like the folder of {name[:80]!r}.")


def _check_sizes(files: list[zipfile.ZipInfo], unpacked: int) -> None:
    total = sum(member.file_size for member in files)
    if total > unpacked:
        raise BadInput(
            f"A zip may hold at most {unpacked // 10**6} MB unpacked; this one would have {total / 1e6:.0f} MB."
        )
    for member in files:
        if member.file_size > _RATIO_FROM and member.file_size > _MAX_RATIO * max(1, member.compress_size):
            raise BadInput(
                f"The zip is refused: {member.filename[:80]!r} would unpack to {member.file_size / 1e6:.0f} MB from "
                f"{member.compress_size / 1e3:.0f} kB, as no image does."
            )
