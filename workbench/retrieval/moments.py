"""Moments of a video for a sentence: a curve over time, its peaks as segments with start and end.

Training-free: each frame's cosine with the sentence is measured against stock sentences on the same frame (`chance`),
smoothed by a median over three frames, and cut half way between the video's ground and the peak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import Cancelled, TooCostly
from workbench.prepared import thumbnail
from workbench.progress import Progress
from workbench.retrieval.chance import Chance
from workbench.retrieval.decoding import VideoFacts, facts, frames
from workbench.retrieval.pixels import embed_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session

BATCH = 32  # frames of one pass
CUT = 3.0  # standard deviations above the stock sentences that a segment's peak must reach
GAP = 1.0  # seconds; closer segments are one
GROUND = 0.2  # quantile of a curve that stands for the frames that do not show it
CONTRAST = 1.5  # standard deviations between ground and peak below which the whole video is one segment
SAME = 0.8  # of the height above the ground that neighbouring shots share to be one segment
SHOT = 0.75  # cosine of two frames in a row below which a new shot may begin


@dataclass(frozen=True)
class VideoSegment:
    """A segment of a video."""

    start: float  # seconds
    end: float
    score: float  # mean cosine of its frames with the query
    deviation: float  # of its peak, in standard deviations above the stock sentences
    likely: bool  # beyond the cut-off


@dataclass(frozen=True)
class VideoVectors:
    """The sampled frames of a video, in order."""

    seconds: NDArray[np.float64]  # (n,) times
    vectors: NDArray[np.float32]  # (n, dim) unit rows
    step: float  # seconds between two frames
    facts: VideoFacts
    thumbnails: tuple[bytes, ...] = field(default=(), repr=False)  # JPEG, one a frame

    @property
    def end(self) -> float:
        """When the last frame stops being shown, as far as known."""
        last = float(self.seconds[-1]) + self.step
        return min(last, self.facts.seconds) if self.facts.seconds > self.seconds[-1] else last


def embed_video(
    session: Session,
    path: Path | str,
    *,
    fps: float = 2.0,
    max_frames: int = 0,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Progress | VideoVectors]:
    """Embed a video's frames as they are decoded; yield progress, and the vectors at the end.

    Args:
        session: the model.
        path: a local video.
        fps: frames a second.
        max_frames: at most that many, spread over the video; 0 for no limit.
        stopped: says when to stop; what is done by then is the result.

    Raises:
        BadInput: see `decoding.frames`; after the vectors, where a video was too costly to be looked at in full.
        Cancelled: stopped before the first frame was embedded.
    """
    known = facts(path, scope=session.scope)
    if max_frames and known.seconds:
        fps = min(fps, max_frames / known.seconds)
    expected = int(known.seconds * fps)
    seconds: list[float] = []
    small: list[bytes] = []
    rows: list[NDArray[np.float32]] = []
    waiting: list[object] = []
    which: list[int] = []  # of each time, the number of its image: one that stays is embedded once
    image, costly = None, None
    with closing(frames(path, fps=fps, limit=max_frames, scope=session.scope)) as sampled:
        try:
            for frame in sampled:
                if stopped():
                    break
                if frame.image is not image:
                    image = frame.image
                    small.append(thumbnail(image))
                    waiting.append(session.prepare(image))
                seconds.append(frame.second)
                which.append(len(small) - 1)
                yield Progress(len(seconds), max(expected, len(seconds)), "frames", "embed")
                if len(waiting) >= BATCH:
                    rows.append(embed_pixels(session, waiting))
                    waiting = []
        except Cancelled:
            pass  # what is done by then is the result
        except TooCostly as error:
            costly = error
    if waiting and not session.scope.over():
        rows.append(embed_pixels(session, waiting))
    done = sum(image < sum(map(len, rows)) for image in which)
    if not done:
        raise costly or Cancelled("Stopped before the first frames were embedded.")
    vectors, shown = np.concatenate(rows)[which[:done]], tuple(small[image] for image in which[:done])
    yield VideoVectors(np.array(seconds[:done]), vectors, 1 / fps, known, shown)
    if costly is not None:
        raise costly


def curve(
    video: VideoVectors, vector: NDArray[np.float32], chance: Chance
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return each frame's cosine with a query, and how many standard deviations above the null it lies; (n,) each."""
    cosines = video.vectors @ vector
    _, deviations = chance.measure(video.vectors, cosines, cosines)
    return cosines, deviations if np.isfinite(deviations).all() else _standardised(cosines)


def find_moments(
    video: VideoVectors, cosines: NDArray[np.float32], deviations: NDArray[np.float64], *, cut: float = CUT
) -> list[VideoSegment]:
    """Return the segments of a curve, the best first.

    A sampled frame stands for the time until the next one, so a start and an end are times of sampled frames, at most
    one step after what they are of.

    Args:
        video: whose curve it is.
        cosines: (n,) with the query.
        deviations: (n,) in standard deviations; see `curve`.
        cut: what a segment's peak must reach to be likely.
    """
    smooth = _median_of_three(deviations)
    ground, peak = float(np.quantile(smooth, GROUND)), float(smooth.max())
    level = (ground + peak) / 2 if peak - ground >= CONTRAST else ground - 1
    runs = np.flatnonzero(np.diff(np.concatenate(([0], (smooth >= level).astype(int), [0])))).reshape(-1, 2)
    segments, ends = [], [0.0, *video.seconds[1:], video.end]
    for first, last in _joined(_split(runs.tolist(), _shot_starts(video)), smooth - ground, video.step):
        start, end = float(ends[first]), float(ends[last])
        top = float(smooth[first:last].max())
        segments.append(VideoSegment(start, end, float(cosines[first:last].mean()), top, top >= cut))
    return sorted(segments, key=lambda one: (-one.score, one.start))


def shots(video: VideoVectors) -> list[float]:
    """Return the times at which a new shot begins: frames unlike the one before, more so than their neighbours are."""
    return [float(video.seconds[at]) for at in _shot_starts(video)]


def _shot_starts(video: VideoVectors) -> list[int]:
    if len(video.vectors) < 2:
        return []
    alike = np.sum(video.vectors[1:] * video.vectors[:-1], axis=1)
    around = np.array([alike[max(0, at - 2) : at + 3].mean() for at in range(len(alike))])
    return [int(at) + 1 for at in np.flatnonzero((alike < SHOT) & (alike <= around))]


def _split(runs: Sequence[Sequence[int]], starts: Sequence[int]) -> list[tuple[int, int]]:
    """Cut runs of frames where a new shot begins."""
    pieces = []
    for first, last in runs:
        edges = [first, *(at for at in starts if first < at < last), last]
        pieces += list(pairwise(edges))
    return pieces


def _joined(pieces: Sequence[tuple[int, int]], height: NDArray[np.float64], step: float) -> list[tuple[int, int]]:
    """Join neighbours that fit about as well as each other, with a short gap between them at most."""
    joined: list[tuple[int, int]] = []
    for first, last in pieces:
        if joined and (first - joined[-1][1]) * step < GAP:
            before, here = height[slice(*joined[-1])].mean(), height[first:last].mean()
            if min(before, here) >= SAME * max(before, here):
                joined[-1] = (joined[-1][0], last)
                continue
        joined.append((first, last))
    return joined


def _median_of_three(values: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.concatenate((values[:1], values, values[-1:]))
    smooth: NDArray[np.float64] = np.median(np.stack((padded[:-2], padded[1:-1], padded[2:])), axis=0)
    return smooth


def _standardised(cosines: NDArray[np.float32]) -> NDArray[np.float64]:
    values = cosines.astype(np.float64)
    return (values - float(np.median(values))) / max(float(np.std(values)), 1e-6)
