"""Find videos of a collection by a sentence, and in each the moments that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.retrieval.chance import FEW, Chance, against
from workbench.retrieval.collection import CollectionItem, read_items
from workbench.retrieval.decoding import VideoFacts
from workbench.retrieval.moments import CUT, VideoSegment, VideoVectors, curve, find_moments
from workbench.retrieval.pooling import pooled_scores
from workbench.retrieval.query import Term, embed_query
from workbench.retrieval.stock import stock_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session
    from workbench.retrieval.index import ModelTable

_UNKNOWN = VideoFacts(0.0, 0, 0, 0.0, "")  # an index keeps frames, no headers


@dataclass(frozen=True)
class VideoHit:
    """One video of a collection, measured with a query."""

    path: str
    score: float  # by the pooling
    beats: float  # share of the videos with a lower score, 0..1
    chance: float  # share of the stock sentences that score as high on this video, 0..1
    deviation: float  # of the score above the stock sentences, in standard deviations
    likely: bool  # its best moment is beyond the cut-off, or its score is
    moments: tuple[VideoSegment, ...]  # the best first
    curve: NDArray[np.float64]  # (frames,) standard deviations above the stock sentences


def search_videos(
    session: Session, opened: ModelTable, terms: Sequence[Term], *, pooling: str = "mean"
) -> list[VideoHit]:
    """Rank the videos of an index for a query, the best first.

    Args:
        session: the table's model.
        opened: the table.
        terms: the query.
        pooling: how frames make one score; one of `pooling.POOLINGS`.

    Raises:
        BadInput: see `embed_query`.
        UnknownName: another pooling.
    """
    videos = {item.path: as_video(item) for item in read_items(opened, videos_only=True)}
    stock = stock_vectors(session) if all(term.text for term in terms) else None
    return rank_videos(videos, embed_query(session, terms), stock, pooling=pooling)


def rank_videos(
    videos: dict[str, VideoVectors],
    vector: NDArray[np.float32],
    stock: NDArray[np.float32] | None,
    *,
    pooling: str = "mean",
) -> list[VideoHit]:
    """Rank videos for a query, the best first.

    Args:
        videos: path -> sampled frames.
        vector: (dim,) of unit length.
        stock: (m, dim) unit rows of the stock sentences; None for queries with an image, which are measured against the
            other videos.
        pooling: one of `pooling.POOLINGS`.
    """
    if not videos:
        return []
    frames = [video.vectors for video in videos.values()]
    scores = pooled_scores(frames, vector[None], pooling)[0]
    if stock is not None:
        reached, deviations = against(scores, pooled_scores(frames, stock, pooling).T)
    else:
        reached = np.array([np.mean(scores >= one) for one in scores])
        enough = len(scores) >= FEW and float(scores.std()) > 0
        deviations = (scores - scores.mean()) / scores.std() if enough else np.zeros(len(scores))
    hits = []
    for at, (path, video) in enumerate(videos.items()):
        cosines, heights = curve(video, vector, Chance(stock))
        moments = tuple(find_moments(video, cosines, heights))
        likely = bool(deviations[at] >= CUT) or any(one.likely for one in moments)
        score, beats = float(scores[at]), float(np.mean(scores < scores[at] - 1e-6))
        hits.append(
            VideoHit(path, score, beats, float(reached[at]), float(deviations[at]), likely, moments, curve=heights)
        )
    return sorted(hits, key=lambda hit: (-hit.score, hit.path))


def as_video(item: CollectionItem) -> VideoVectors:
    """Return a video of an index as moments are looked for in it."""
    step = float(np.median(np.diff(item.seconds))) if len(item.seconds) > 1 else 1.0
    return VideoVectors(item.seconds, item.vectors, step, _UNKNOWN)
