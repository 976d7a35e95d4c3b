"""Measures of retrieval: ranks and recall of sentences and images, intersection and average precision of moments.

Sources:
    Luo et al. 2021, CLIP4Clip, arXiv:2104.08860 (R@k, MdR, MnR); ties count as rank = 1 + number better.
    Lei et al. 2021, QVHighlights, arXiv:2107.09609 (R1@IoU, mAP over thresholds 0.5 to 0.95).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput
from workbench.statistics.intervals import Interval, proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.retrieval.moments import VideoSegment

AT = (1, 5, 10)
THRESHOLDS = tuple(np.round(np.arange(0.5, 1.0, 0.05), 2).tolist())

Span = tuple[float, float]  # start and end in seconds


@dataclass(frozen=True)
class RetrievalScores:
    """How well queries find what belongs to them."""

    recall: Mapping[int, Interval]  # k -> share of queries whose best match has rank k or better
    median_rank: float
    mean_rank: float
    n: int  # queries


def ranks(scores: NDArray[np.float32], truth: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return the rank of each query's best match: 1 + number of items with a higher score.

    Args:
        scores: (queries, items).
        truth: for each query, the items that belong to it; at least one each.

    Raises:
        BadInput: a query without a match, or another number of queries.
    """
    if len(truth) != len(scores) or not all(len(one) for one in truth):
        raise BadInput("Every query needs at least one item that belongs to it.")
    best = np.array([row[list(own)].max() for row, own in zip(scores, truth, strict=True)])
    best_ranks: NDArray[np.int64] = 1 + np.count_nonzero(scores > best[:, None], axis=1)
    return best_ranks


def summarise(best_ranks: NDArray[np.int64]) -> RetrievalScores:
    """Return R@1, R@5, R@10 with intervals, median and mean rank of (n,) ranks."""
    recall = {k: proportion(int(np.count_nonzero(best_ranks <= k)), len(best_ranks)) for k in AT}
    return RetrievalScores(recall, float(np.median(best_ranks)), float(np.mean(best_ranks)), len(best_ranks))


def overlap(one: Span, other: Span) -> float:
    """Return the intersection over union of two segments, 0..1."""
    both = min(one[1], other[1]) - max(one[0], other[0])
    return max(0.0, both) / max(max(one[1], other[1]) - min(one[0], other[0]), 1e-9) if both > 0 else 0.0


def first_hits(
    segments: Sequence[Sequence[VideoSegment]], truth: Sequence[Sequence[Span]], threshold: float
) -> Interval:
    """Return R1@IoU: the share of queries whose first segment overlaps a true one by at least `threshold`."""
    right = [
        bool(moments) and max(overlap((moments[0].start, moments[0].end), span) for span in spans) >= threshold
        for moments, spans in zip(segments, truth, strict=True)
    ]
    return proportion(sum(right), len(right))


def average_precision(segments: Sequence[VideoSegment], truth: Sequence[Span], threshold: float) -> float:
    """Return the area under one query's precision and recall curve, interpolated at every recall, 0..1.

    A true segment is matched once; what matches none, or one that is taken, is a false alarm.
    """
    taken: set[int] = set()
    right = []
    for moment in segments:  # the best score first
        shares = [(overlap((moment.start, moment.end), span), -at) for at, span in enumerate(truth) if at not in taken]
        share, at = max(shares, default=(0.0, 0))
        right.append(share >= threshold)
        if share >= threshold:
            taken.add(-at)
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    best_from = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(best_from[np.array(right, bool)]) / len(truth)) if right else 0.0


def mean_average_precision(segments: Sequence[Sequence[VideoSegment]], truth: Sequence[Sequence[Span]]) -> float:
    """Return mAP over the thresholds 0.5, 0.55, … 0.95, 0..1."""
    values = [
        average_precision(moments, spans, threshold)
        for threshold in THRESHOLDS
        for moments, spans in zip(segments, truth, strict=True)
    ]
    return float(np.mean(values))
