"""What can be added to an index: files, folders, zips, tables, tars, data sets and videos, as one stream of entries."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.datasets import ImageSample, read_samples
from workbench.datasets.folders import image_names
from workbench.datasets.samples import IMAGE_SUFFIXES, class_of
from workbench.errors import BadInput

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ogv", ".ts", ".gif")
CAPTION_COLUMNS = ("caption", "text", "sentence", "title")


@dataclass(frozen=True)
class SourceEntry:
    """One image or one video that may be added, with what is known without opening it."""

    path: str  # under which it is kept; absolute
    sample: ImageSample
    size: int  # bytes; 0 where not known
    modified: int  # nanoseconds since 1970, of the file or of what holds it
    video: bool = False


@dataclass
class SourceListing:
    """What the given paths lead to."""

    entries: list[SourceEntry] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)  # absolute; their files that are gone leave the index
    failed: list[tuple[str, str]] = field(default_factory=list)  # path, reason


def find_entries(paths: Sequence[str]) -> SourceListing:
    """List what the given paths lead to; nothing is decoded. Hidden files and folders are skipped.

    Args:
        paths: images, videos, folders, zips, CSV, Parquet or tar files, or `hf:NAME`.

    Raises:
        BadInput: no path, nothing at a path, or a table that cannot be read.
    """
    if not paths:
        raise BadInput("Name at least one file or folder to add.")
    listing = SourceListing()
    for path in paths:
        _add(path, listing)
    if not listing.entries and not listing.failed:
        raise BadInput(f"There is no PNG, JPEG or WebP image and no video at {', '.join(map(repr, paths[:3]))[:300]}.")
    unique = {entry.path: entry for entry in listing.entries}
    listing.entries = list(unique.values())
    return listing


def is_video(name: str) -> bool:
    """Return whether a name ends like a video's and is not hidden."""
    return name.lower().endswith(VIDEO_SUFFIXES) and not Path(name).name.startswith(".")


def _add(path: str, listing: SourceListing) -> None:
    if path.startswith("hf:"):
        _listing(path, read_samples(path.removeprefix("hf:"), kind="hf"), listing)
    elif os.path.isdir(path) and not _shards(path):
        root = os.path.abspath(path)
        listing.folders.append(root)
        listing.entries += _folder(root)
    elif is_video(path) or path.lower().endswith(IMAGE_SUFFIXES):
        entry = _file(os.path.abspath(path), class_name="")
        if entry is None:
            listing.failed.append((path, f"There is no file {Path(path).name!r}."))
        else:
            listing.entries.append(entry)
    else:
        _listing(path, read_samples(path, caption=_caption_column(path)), listing)


def _shards(path: str) -> bool:
    """Whether a folder holds Parquet files or tars, which are read as one data set."""
    return any(name.endswith((".parquet", ".tar")) for name in os.listdir(path))


def _folder(root: str) -> Iterator[SourceEntry]:
    for name in image_names(root):
        if (entry := _file(os.path.join(root, name), class_name=class_of(name))) is not None:
            yield entry
    for where, folders, files in os.walk(root):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(filter(is_video, files)):
            if (entry := _file(os.path.join(where, name), class_name="")) is not None:
                yield entry


def _file(path: str, *, class_name: str) -> SourceEntry | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    sample = ImageSample(path, Path(path), class_name)
    return SourceEntry(path, sample, state.st_size, state.st_mtime_ns, video=is_video(path))


def _listing(path: str, listing: object, into: SourceListing) -> None:
    from workbench.datasets import Listing

    assert isinstance(listing, Listing)
    base = path if path.startswith("hf:") else os.path.abspath(path)
    newest = max((one.stat().st_mtime_ns for one in listing.files if one.is_file()), default=0)
    for sample in listing.samples:
        if isinstance(sample.source, Path):
            entry = _file(os.path.abspath(sample.source), class_name="")
            if entry is None:
                into.failed.append((str(sample.source), f"There is no file {sample.source.name!r}."))
            else:
                into.entries.append(SourceEntry(entry.path, sample, entry.size, entry.modified))
        else:
            into.entries.append(SourceEntry(f"{base}/{sample.name}", sample, sample.size, newest))
    into.failed += [(path, reason) for reason in listing.skipped]


def _caption_column(path: str) -> str:
    """Return the column of captions that a table has, "" where it has none."""
    if path.endswith((".csv", ".tsv")) and os.path.isfile(path):
        with open(path, encoding="utf-8-sig", errors="replace") as opened:
            header = opened.readline(10_000)
        columns = [one.strip().strip('"') for one in header.split("\t" if path.endswith(".tsv") else ",")]
    elif path.endswith(".parquet") and os.path.isfile(path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            columns = pq.read_schema(path).names
        except (pa.ArrowInvalid, OSError):
            return ""
    else:
        return ""
    return next((name for name in CAPTION_COLUMNS if name in columns), "")
