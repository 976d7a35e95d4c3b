"""Open a bundle of pictures, files or one zip, without trusting names, sizes or counts in it.

Knows no model. Pictures of a zip are unpacked one at a time, under names of our own, into a
private folder that goes at once.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workbench.batch.zips import checked_members
from workbench.errors import BadInput, BadPicture
from workbench.images import MAX_BYTES

MAX_PICTURES = 256
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True)
class Entry:
    """One picture of a bundle; it may turn out to be none."""

    name: str  # as the visitor knows it; distinct within the bundle
    folder: str = ""  # name of the folder that it lies in, within a zip
    path: Path | None = None  # where its file lies; None within a zip


class Bundle:
    """Pictures in order, and the names of what is none; made by `open_bundle`."""

    def __init__(self, entries: Sequence[Entry], ignored: Sequence[str], archive: zipfile.ZipFile | None) -> None:
        self.entries = tuple(entries)
        self.ignored = tuple(ignored)  # names of a zip that are no pictures by their suffix
        self._archive = archive

    @contextmanager
    def file(self, entry: Entry) -> Iterator[Path]:
        """Give a file that holds the picture, within the `with` block.

        Raises:
            BadPicture: the zip does not hold what it promises here.
        """
        if entry.path is not None:
            yield entry.path
            return
        with tempfile.TemporaryDirectory(prefix="clip-workbench-zip-") as folder:  # mode 0700
            yield self._unpack(entry, Path(folder))

    def _unpack(self, entry: Entry, folder: Path) -> Path:
        if self._archive is None:
            raise RuntimeError("an entry of a zip needs its bundle open")
        path = folder / f"picture{PurePosixPath(entry.name).suffix.lower()}"
        try:
            with self._archive.open(entry.name) as packed, path.open("wb") as unpacked:
                written = 0
                while chunk := packed.read(_CHUNK):
                    written += len(chunk)
                    if written > MAX_BYTES:
                        raise BadPicture(f"Pictures may have at most {MAX_BYTES // 10**6} MB; this one has more.")
                    unpacked.write(chunk)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
            raise BadPicture(f"The zip is damaged here, and the picture cannot be unpacked ({error}).") from None
        return path


@contextmanager
def open_bundle(paths: Sequence[Path | str], *, limit: int = MAX_PICTURES) -> Iterator[Bundle]:
    """Give the pictures of a list of files, or of one zip.

    Args:
        paths: 1 to `limit` pictures, or exactly one zip.
        limit: how many pictures there may be.

    Raises:
        BadInput: nothing given, too many, zips mixed with others, or a zip that is refused as a whole.
    """
    files = [Path(path) for path in paths]
    if not files:
        raise BadInput("Choose some pictures, or one zip of pictures; got none.")
    zips = [file for file in files if file.suffix.lower() == ".zip"]
    if not zips:
        yield Bundle(_file_entries(files, limit), (), None)
        return
    if len(files) > 1:
        raise BadInput(f"Give pictures or one zip; got {len(zips)} zip(s) and {len(files) - len(zips)} other file(s).")
    try:
        archive_file = zips[0].open("rb")
    except OSError:
        raise BadInput(f"There is no zip {zips[0].name!r} that can be read.") from None
    with archive_file:
        members = checked_members(archive_file, zips[0].name)
        with zipfile.ZipFile(archive_file) as archive:
            yield _zip_bundle(archive, members, limit)


def _file_entries(files: Sequence[Path], limit: int) -> list[Entry]:
    _check_count(len(files), limit)
    seen: dict[str, int] = {}
    entries = []
    for file in files:
        seen[file.name] = seen.get(file.name, 0) + 1
        again = f" ({seen[file.name]})" if seen[file.name] > 1 else ""
        entries.append(Entry(f"{file.name}{again}", path=file))
    return entries


def _zip_bundle(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], limit: int) -> Bundle:
    pictures = [member.filename for member in members if _is_picture(member.filename)]
    ignored = [member.filename for member in members if not _is_picture(member.filename)]
    if not pictures:
        raise BadInput(f"The zip holds no PNG, JPEG or WebP pictures; it holds {len(ignored)} other file(s).")
    _check_count(len(pictures), limit)
    return Bundle([Entry(name, PurePosixPath(name).parent.name) for name in pictures], ignored, archive)


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts  # what file managers leave behind
    return path.suffix.lower() in PICTURE_SUFFIXES and not hidden


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise BadInput(f"At most {limit} pictures at once; got {count}.")
