"""Is a model that says 90 % right nine times out of ten? Calibration error, reliability, false alarms at a hit rate.

Knows confidences and truths, no model. Bins hold (low, high]; the first one holds 0 too.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics import intervals
from workbench.statistics._checks import check_level, clusters_of, finite
from workbench.statistics.intervals import RESAMPLES, Interval

if TYPE_CHECKING:
    from pandas import DataFrame

BINS = 15  # Guo et al. 2017, section 4
Binning = Literal["width", "mass"]


def expected_calibration_error(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    rng: np.random.Generator | int,
    bins: int = BINS,
    binning: Binning = "width",
    level: float = 0.95,
) -> Interval:
    """Return ECE, 0..1: the mean over bins, by their share of cases, of |accuracy - mean confidence|.

    The interval is the basic bootstrap of cases, which takes resampling's upward bias off; bin edges stay.

    Args:
        confidence: (n,) 0..1.
        correct: (n,) bool or 0 and 1.
        rng: generator or seed.
        bins: how many.
        binning: "width" (equal width) or "mass" (equal numbers of cases, as far as equal confidences allow).
        level: of confidence of the interval.

    Raises:
        BadInput: a confidence outside 0..1, a truth that is neither 0 nor 1, other lengths, no bins.

    Source:
        Naeini, Cooper and Hauskrecht 2015, AAAI; Guo et al. 2017, arXiv:1706.04599, equation 3.
    """
    check_level(level)
    said, right, edges = _checked(confidence, correct, bins=bins, binning=binning)
    if said.size == 0:
        return Interval(None, None, None, level, "undefined: n = 0")
    where = _bin(said, edges)
    gap = right - said
    value = float(np.abs(np.bincount(where, gap)).sum() / said.size)
    name = f"basic bootstrap, {bins} bins of equal {binning}"
    if said.size == 1:
        return Interval(value, None, None, level, "undefined: n = 1")
    drawn = _redrawn_error(where, gap, np.random.default_rng(rng))
    low, high = 2 * value - np.quantile(drawn, [(1 + level) / 2, (1 - level) / 2])
    return Interval(value, max(0.0, min(float(low), value)), min(1.0, max(float(high), value)), level, name)


def reliability(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = BINS, binning: Binning = "width", level: float = 0.95
) -> DataFrame:
    """Return one row a bin that holds cases: confidence (mean), accuracy, low, high (of accuracy), n, from, to.

    Raises:
        BadInput: as `expected_calibration_error`.
    """
    import pandas as pd

    said, right, edges = _checked(confidence, correct, bins=bins, binning=binning)
    where = _bin(said, edges)
    rows = []
    for at in np.unique(where):
        inside = where == at
        share = intervals.proportion(int(right[inside].sum()), int(inside.sum()), level=level)
        ends = float(edges[at]), float(edges[at + 1])
        rows.append((float(said[inside].mean()), share.value, share.low, share.high, int(inside.sum()), *ends))
    return pd.DataFrame(rows, columns=["confidence", "accuracy", "low", "high", "n", "from", "to"])


def fpr_at_tpr(
    scores: ArrayLike,
    positives: ArrayLike,
    *,
    rng: np.random.Generator | int,
    tpr: float = 0.95,
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
    level: float = 0.95,
) -> Interval:
    """Return the share of negatives that are let through at the strictest threshold that lets `tpr` of positives in.

    Args:
        scores: (n,) larger means more positive; a score equal to the threshold passes.
        positives: (n,) bool.
        rng: generator or seed.
        tpr: 0..1, above 0.
        cluster: n names of what is drawn together.
        level: of confidence; both classes are drawn again, each in its own size where cases are independent.

    Raises:
        BadInput: NaN among the scores, another number of truths, a tpr outside (0, 1].
    """
    check_level(level)
    x, truth = finite(scores), np.asarray(positives, dtype=bool)
    if x.shape != truth.shape:
        raise BadInput(f"Each score needs one truth; got {x.size} scores and {truth.size} truths.")
    if not 0 < tpr <= 1:
        raise BadInput(f"A true positive rate lies above 0 and at most at 1; got {tpr}.")
    if truth.all() or not truth.any():
        return Interval(None, None, None, level, "undefined: both classes are needed")
    value = _let_through(x[truth], x[~truth], tpr)
    members = None if cluster is None else clusters_of(cluster, x.size)
    drawn = _redrawn_rate(x, truth, members, rng=np.random.default_rng(rng), tpr=tpr)
    low, high = (float(bound) for bound in np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]))
    method = "percentile " + ("bootstrap" if cluster is None else "cluster bootstrap")
    if low == high:  # all or none pass in every resample: the negatives' number bounds what was not seen
        edge = intervals.proportion(round(value * int((~truth).sum())), int((~truth).sum()), level=level)
        return Interval(value, edge.low, edge.high, level, f"{edge.method}, threshold held")
    return Interval(value, min(low, value), max(high, value), level, method)


def _redrawn_error(where: NDArray[np.intp], gap: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    drawn = np.empty(RESAMPLES)
    for at in range(RESAMPLES):
        rows = rng.integers(0, gap.size, size=gap.size)
        drawn[at] = np.abs(np.bincount(where[rows], gap[rows])).sum() / gap.size
    return drawn


def _redrawn_rate(
    x: NDArray[np.float64],
    truth: NDArray[np.bool_],
    members: list[NDArray[np.intp]] | None,
    *,
    rng: np.random.Generator,
    tpr: float,
) -> list[float]:
    drawn = []
    for _ in range(RESAMPLES):
        if members is None:
            ones, zeros = (part[rng.integers(0, part.size, part.size)] for part in (x[truth], x[~truth]))
        else:
            rows = np.concatenate([members[unit] for unit in rng.integers(0, len(members), len(members))])
            ones, zeros = x[rows][truth[rows]], x[rows][~truth[rows]]
        if ones.size and zeros.size:
            drawn.append(_let_through(ones, zeros, tpr))
    return drawn


def _let_through(ones: NDArray[np.float64], zeros: NDArray[np.float64], tpr: float) -> float:
    needed = int(np.ceil(tpr * ones.size - 1e-9))
    threshold = np.partition(ones, ones.size - needed)[ones.size - needed]
    return float((zeros >= threshold).mean())


def _checked(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int, binning: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    said, right = finite(confidence), finite(correct)
    if said.shape != right.shape:
        raise BadInput(f"Each confidence needs one truth; got {said.size} and {right.size}.")
    if said.size and not (said.min() >= 0 and said.max() <= 1 + 1e-6 and np.isin(right, (0, 1)).all()):
        raise BadInput("A confidence lies between 0 and 1, and a truth is 0 or 1; got something else among them.")
    if bins < 1 or binning not in ("width", "mass"):
        raise BadInput(f"Bins are 1 or more, of equal 'width' or 'mass'; got {bins} of {binning!r}.")
    if binning == "width" or said.size == 0:
        return said, right, np.linspace(0, 1, bins + 1)
    edges = np.unique(np.quantile(said, np.linspace(0, 1, bins + 1), method="inverted_cdf"))
    return said, right, np.concatenate([[0.0], edges[1:-1] if len(edges) > 1 else [], [1.0]])


def _bin(said: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """(n,) number of the bin (edges[i], edges[i + 1]] that holds each confidence."""
    return np.clip(np.searchsorted(edges, said, side="left") - 1, 0, len(edges) - 2)
