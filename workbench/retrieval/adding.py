"""Add images and videos to an index: only what is new is opened, only new contents are embedded, and nothing twice.

Rows are written every few seconds, so that after any interruption the same command continues.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.embedding import prefetch
from workbench.embedding.ray_data import check_ray
from workbench.errors import BadInput, Cancelled
from workbench.progress import Progress
from workbench.retrieval import table as tables
from workbench.retrieval.conditions import isin, quoted
from workbench.retrieval.index import ModelTable, make_table
from workbench.retrieval.lance import VECTOR_INDEXES
from workbench.retrieval.location import writing
from workbench.retrieval.opening import OpenedImage, open_image, row_of
from workbench.retrieval.pixels import embed_pixels
from workbench.retrieval.ray_adding import embed_on_ray, embed_videos_on_ray
from workbench.retrieval.rows import IndexRow
from workbench.retrieval.sources import SourceEntry, SourceListing, find_entries
from workbench.retrieval.video_rows import UNFINISHED, VideoTask, file_hash, frame_hash, frame_rows
from workbench.retrieval.writer import RowWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from workbench.engine import Session

BATCH = 32  # images of one pass
AHEAD = 2  # batches that are prepared in advance
FRAMES_PER_SECOND = 1.0  # of a video


@dataclass(repr=False)
class AddReport:
    """What adding did."""

    added: int = 0  # images and frames that were embedded
    reused: int = 0  # whose content was in the index already: moved files and copies
    unchanged: int = 0  # files that were not opened
    removed: int = 0  # rows of files that are gone
    failed: list[tuple[str, str]] = field(default_factory=list)  # path, reason
    rows: int = 0  # in the table at the end
    vector_index: str = ""  # kind, where there is one

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, and path and error of each file that failed."""
        return {**vars(self), "failed": [{"path": path, "error": reason} for path, reason in self.failed]}

    def to_frame(self) -> DataFrame:
        """Return a row per file that failed: path, error."""
        import pandas as pd

        return pd.DataFrame(self.failed, columns=["path", "error"])

    def __str__(self) -> str:
        return (
            f"{self.added} embedded, {self.reused} taken from the same content, {self.unchanged} unchanged, "
            f"{self.removed} removed, {len(self.failed)} failed; {self.rows} rows in all"
        )

    def __repr__(self) -> str:
        return f"AddReport({self})"


@dataclass(frozen=True)
class AddOptions:
    """How images and videos are added."""

    fps: float = FRAMES_PER_SECOND  # frames a second of videos
    vector_index: str = ""  # one of `table.VECTOR_INDEXES`: build it even where another is, or the table is small
    ray_workers: int = 0  # models that embed images and frames on Ray Data; 0: this process does


def add(
    name: str,
    session: Session,
    paths: Sequence[str],
    *,
    stopped: Callable[[], bool] = lambda: False,
    options: AddOptions | None = None,
) -> Generator[Progress, None, AddReport]:
    """Add images and videos to an index, and yield progress; the report is the generator's value.

    A file whose size and time are those in the index is not opened. A content that is there under another path is not
    embedded again, be it an image or a video. Files that are gone from a given folder leave the index.

    Args:
        name: of the index, or its folder or address; made where it is missing.
        session: the model.
        paths: see `find_entries`.
        stopped: says when to stop, after the images at hand; what is done stays.
        options: see `AddOptions`.

    Raises:
        BadInput: see `find_entries`.
        Busy: something else is being added to it.
        Cancelled: on request.
        Unsupported: Ray is wanted and not installed.
    """
    options = options or AddOptions()
    tables.check_kind(options.vector_index)
    if options.ray_workers:
        check_ray()
    listing = find_entries(paths)
    with writing(name):
        model, scope = session.spec.key, session.scope
        opened = make_table(name, model=model, fingerprint=session.fingerprint, dim=session.dim, scope=scope)
        adding = _Adding(opened, session, stopped)
        adding.report.failed += listing.failed
        yield from adding.images([entry for entry in listing.entries if not entry.video], options.ray_workers)
        yield from adding.videos([entry for entry in listing.entries if entry.video], options.fps, options.ray_workers)
        adding.forget(listing)
        yield from adding.finish(options.vector_index)
        return adding.report


class _Adding:
    """One run over the sources."""

    def __init__(self, opened: ModelTable, session: Session, stopped: Callable[[], bool]) -> None:
        self.report = AddReport()
        self._table, self._session, self._stopped = opened.table, session, stopped
        self._writer = RowWriter(opened.table)
        self._known: dict[str, tuple[int, int]] = {}  # path -> size, modified
        self._videos: dict[str, tuple[int, int]] = {}  # path of a video that is complete -> size, modified
        self._contents: set[bytes] = set()  # the first half of each hash
        names = ("path", "size", "modified", "sha256", "second")
        for batch in opened.table.scan(names):
            for path, size, modified, sha256, second in zip(*(batch[one].to_pylist() for one in names), strict=True):
                self._known[path] = (size, modified)
                if second is None:
                    self._contents.add(bytes.fromhex(sha256[:32]))
                elif size != UNFINISHED:
                    self._videos[file_of(path)] = (size, modified)

    def images(self, entries: Sequence[SourceEntry], ray_workers: int = 0) -> Iterator[Progress]:
        """Embed the images that are new or changed."""
        new = [one for one in entries if self._known.get(one.path) != (one.size, one.modified)]
        self.report.unchanged = done = len(entries) - len(new)
        began, computed = time.monotonic(), 0
        try:
            for opened, vectors in self._opened(new, ray_workers):
                self._put_group(opened, vectors)
                computed += len(vectors)
                done += len(opened)
                seconds = time.monotonic() - began
                yield Progress.timed(done, len(entries), "images", seconds=seconds, computed=computed, stage="embed")
                self._check()
        finally:
            self._writer.flush()

    def _opened(
        self, new: Sequence[SourceEntry], ray_workers: int
    ) -> Iterator[tuple[list[OpenedImage], dict[str, NDArray[np.float32]]]]:
        """Yield opened images in groups, with the vectors of their contents, each once."""
        if ray_workers and new:
            for opened in embed_on_ray(new, self._contents, self._session, workers=ray_workers):
                yield opened, {one.row.sha256: one.pixels for one in opened if one.row and one.pixels is not None}
            return
        groups = [new[start : start + BATCH] for start in range(0, len(new), BATCH)]
        model, scope = self._session.backend, self._session.scope
        for opened in prefetch(
            groups, lambda entry: open_image(entry, self._contents, model, scope=scope), ahead=AHEAD, check=self._check
        ):
            fresh = {one.row.sha256: one.pixels for one in opened if one.row and one.pixels is not None}
            yield opened, dict(zip(fresh, embed_pixels(self._session, list(fresh.values())), strict=True))

    def videos(self, entries: Sequence[SourceEntry], fps: float, ray_workers: int = 0) -> Iterator[Progress]:
        """Embed frames of the videos that are new or changed."""
        new = [one for one in entries if self._videos.get(one.path) != (one.size, one.modified)]
        self.report.unchanged += len(entries) - len(new)
        try:
            if ray_workers and new:
                new = yield from self._videos_on_ray(new, fps, ray_workers)
            for number, entry in enumerate(new):
                try:
                    yield from self._video(entry, fps, f"video {number + 1} of {len(new)}")
                except BadInput as error:
                    self.report.failed.append((entry.path, str(error)))
                finally:
                    self._writer.flush()
        finally:
            self._writer.flush()

    def forget(self, listing: SourceListing) -> None:
        """Delete the rows of files that are gone from the given folders."""
        roots = tuple(folder.rstrip(os.sep) + os.sep for folder in listing.folders)
        inside = [path for path in self._known if roots and path.startswith(roots)]
        gone = [path for path in inside if not os.path.exists(file_of(path))]
        for condition in isin("path", gone):
            self._table.delete(condition)
        self.report.removed += len(gone)

    def finish(self, wanted: str = "") -> Iterator[Progress]:
        """Do the table's housekeeping."""
        state = self._table.state()
        rows, kind = state["rows"], state["vector_index"]
        if self._writer.scattered or (kind and self.report.added + self.report.reused):
            yield Progress(0, 0, "rows", "compact the table")
            self._writer.compact()
        if wanted not in ("", kind) or (not kind and rows >= tables.VECTOR_INDEX_FROM):
            yield Progress(0, 0, "rows", "build the vector index")
            self._table.build_vector_index(wanted or next(iter(VECTOR_INDEXES)))
        self.report.rows, self.report.vector_index = rows, self._table.state()["vector_index"]

    def _check(self) -> None:
        if self._stopped():
            raise Cancelled("Stopped on request; finished work is kept, and the same command continues.")

    def _put_group(self, opened: Sequence[OpenedImage], vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Hand a group to the writer; equal contents share a vector."""
        self.report.failed += [(one.path, one.error) for one in opened if one.row is None]
        rows = [(one.row, one.pixels) for one in opened if one.row is not None]
        for row, pixels in rows:
            if pixels is not None:
                self._put(row, vectors[row.sha256])
        self.report.added += len(vectors)
        self.report.reused += len(rows) - len(vectors)
        self._contents |= {bytes.fromhex(sha256[:32]) for sha256 in vectors}
        self._reuse([row for row, pixels in rows if pixels is None])

    def _reuse(self, rows: Sequence[IndexRow]) -> None:
        """Give files whose content is in the index the vector and thumbnail from there."""
        if not rows:
            return
        self._writer.flush()  # the content may be among the rows that wait
        names = ("width", "height", "thumbnail", "vector")
        stored: dict[str, dict[str, Any]] = {}
        for condition in isin("sha256", {row.sha256 for row in rows}):
            for batch in self._table.scan(("sha256", *names), where=condition):
                stored |= {line["sha256"]: line for line in batch.to_pylist()}
        for row in rows:
            line = stored[row.sha256]
            same = {name: line[name] for name in names[:3]}
            self._put(replace(row, **same), np.asarray(line["vector"], np.float32))

    def _put(self, row: IndexRow, vector: Any) -> None:
        self._writer.put(row, vector, replace=row.path in self._known)
        self._known[row.path] = (row.size, row.modified)
        if row.second is not None and row.size != UNFINISHED:
            self._videos[file_of(row.path)] = (row.size, row.modified)

    def _video(self, entry: SourceEntry, fps: float, stage: str) -> Iterator[Progress]:
        """Embed a video's frames in this process, or take them over from a copy."""
        task = self._task(entry, fps)
        if self._copied(entry, task.digest):
            return
        began, computed = time.monotonic(), 0
        embed = partial(embed_pixels, self._session)
        for rows in frame_rows(task, self._session.prepare, embed, check=self._check, scope=self._session.scope):
            computed += self._put_frames(rows)
            seconds = time.monotonic() - began
            yield Progress.timed(computed, 0, "frames", seconds=seconds, computed=computed, stage=stage)

    def _videos_on_ray(
        self, entries: Sequence[SourceEntry], fps: float, workers: int
    ) -> Generator[Progress, None, list[SourceEntry]]:
        """Embed the frames of several videos at once; return what is left: unreadable files, and copies of these."""
        tasks: dict[str, VideoTask] = {}  # by content
        left = []
        for number, entry in enumerate(entries):
            yield Progress(number, len(entries), "videos", "read")
            self._check()
            try:
                task = self._task(entry, fps)
            except BadInput:
                left.append(entry)
                continue
            if task.digest in tasks:
                left.append(entry)
            elif not self._copied(entry, task.digest):
                tasks[task.digest] = task
        began, computed, done = time.monotonic(), 0, 0
        for task, rows, error in embed_videos_on_ray(list(tasks.values()), self._session, workers=workers):
            self._check()
            computed += self._put_frames(rows)
            self.report.failed += [(task.entry.path, error)] if error else []
            done += bool(error) or task.entry.path in self._videos
            seconds, stage = time.monotonic() - began, f"{done} of {len(tasks)} videos"
            yield Progress.timed(computed, 0, "frames", seconds=seconds, computed=computed, stage=stage)
        self._writer.flush()  # a copy is looked up in the table
        return left

    def _task(self, entry: SourceEntry, fps: float) -> VideoTask:
        """Delete frames of an earlier version of a video, and say what is left to do."""
        own = {path: state for path, state in self._known.items() if file_of(path) == entry.path != path}
        stale = [path for path, (size, when) in own.items() if size != UNFINISHED or when != entry.modified]
        for condition in isin("path", stale):
            self._table.delete(condition)
        for path in stale:
            del self._known[path]
        return VideoTask(entry, file_hash(entry.path), fps, frozenset(own) - frozenset(stale))

    def _copied(self, entry: SourceEntry, digest: str) -> bool:
        """Take the frames over from a complete video with the same bytes; return whether there is one."""
        where = f"sha256 = {quoted(frame_hash(digest, 0.0))}"
        held = [path for batch in self._table.scan(["path"], where=where) for path in batch["path"].to_pylist()]
        other = next((one for one in map(file_of, held) if one in self._videos and one != entry.path), None)
        if other is None:
            return False
        old = [path for path in self._known if path.startswith(other + "#t=")]
        names = ("path", "sha256", "size", "width", "height", "second", "thumbnail", "vector")
        for condition in isin("path", old):
            for batch in self._table.scan(names, where=condition):
                for line in batch.to_pylist():
                    path, vector = line.pop("path"), np.asarray(line.pop("vector"), np.float32)
                    line["size"] = entry.size if line["size"] != UNFINISHED else UNFINISHED
                    self._put(replace(row_of(entry, ""), path=entry.path + path[len(other) :], **line), vector)
        self.report.reused += len(old)
        return True

    def _put_frames(self, rows: Sequence[tuple[IndexRow, NDArray[np.float32]]]) -> int:
        for row, vector in rows:
            self._put(row, vector)
        self.report.added += len(rows)
        return len(rows)


def file_of(path: str) -> str:
    """Return the file that a row's path stands for: of a frame, its video; of a member, the archive."""
    path = path.split("#t=")[0]
    for suffix in (".zip/", ".tar/", ".parquet/"):
        if suffix in path:
            return path[: path.index(suffix) + len(suffix) - 1]
    return path
