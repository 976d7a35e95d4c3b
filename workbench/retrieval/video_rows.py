"""The rows of a video's frames with their vectors, group by group as it is decoded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput
from workbench.prepared import thumbnail
from workbench.retrieval.decoding import frames
from workbench.retrieval.opening import row_of
from workbench.retrieval.rows import IndexRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.retrieval.sources import SourceEntry
    from workbench.scheduler import CancelScope

    FrameRow = tuple[IndexRow, NDArray[np.float32]]  # with its vector, (dim,) of unit length

BATCH = 32  # frames of one pass
UNFINISHED = -1  # size in the rows of a video's frames, the last one apart


@dataclass(frozen=True)
class VideoTask:
    """A video whose frames are to be embedded."""

    entry: SourceEntry
    digest: str  # see `file_hash`
    fps: float
    have: frozenset[str]  # paths of the frames that the index holds


def frame_rows(
    task: VideoTask,
    prepare: Callable[[Image.Image], Any],
    embed: Callable[[Sequence[Any]], NDArray[np.float32]],
    *,
    check: Callable[[], None] = lambda: None,
    scope: CancelScope | None = None,
) -> Iterator[list[FrameRow]]:
    """Yield the rows that the index lacks, in groups of at most 33; the last row has the file's size: all are there.

    Args:
        task: the video.
        prepare: of the model.
        embed: prepared images to vectors, (n, dim) unit rows.
        check: called for each frame; may raise.
        scope: how long the caller waits for the decoder.

    Raises:
        BadInput: see `frames`.
    """
    entry, waiting = task.entry, []
    last: tuple[IndexRow, Any] | None = None

    def embedded(some: Sequence[tuple[IndexRow, Any]]) -> list[FrameRow]:
        return list(zip([row for row, _ in some], embed([pixels for _, pixels in some]), strict=True))

    for frame in frames(entry.sample.source, fps=task.fps, scope=scope):  # type: ignore[arg-type]
        check()
        path = f"{entry.path}#t={frame.second:g}"
        row = replace(row_of(entry, frame_hash(task.digest, frame.second)), path=path, size=UNFINISHED)
        width, height = frame.image.size
        row = replace(row, width=width, height=height, second=frame.second, thumbnail=thumbnail(frame.image))
        if last is not None and last[0].path not in task.have:
            waiting.append(last)
        last = (row, prepare(frame.image))
        if len(waiting) >= BATCH:
            yield embedded(waiting)
            waiting = []
    if last is not None:
        yield embedded([*waiting, (replace(last[0], size=entry.size), last[1])])


def file_hash(path: str) -> str:
    """Return the SHA-256 of a file's bytes, read in parts.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        with open(path, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"The file {os.path.basename(path)!r} cannot be read ({error.strerror}).") from None


def frame_hash(digest: str, second: float) -> str:
    """Return what stands for a frame's content: of the video's hash and the frame's time."""
    return hashlib.sha256(f"{digest}#t={second:g}".encode()).hexdigest()
