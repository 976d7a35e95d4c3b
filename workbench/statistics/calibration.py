"""Calibration: expected calibration error, reliability, fitted temperature; and the false positive rate at a hit rate.

Works on confidences and truths. Bins hold (low, high]; the first one holds 0 too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics import intervals, p_values
from workbench.statistics._checks import check_level, clusters_of, finite
from workbench.statistics._test_inversion import TIE, critical_value
from workbench.statistics.intervals import RESAMPLES, Interval

if TYPE_CHECKING:
    from pandas import DataFrame

BINS = 15  # Guo et al. 2017, section 4
_CELLS = 4_000_000  # of one block of resamples, to bound memory
Binning = Literal["width", "mass"]


@dataclass(frozen=True)
class CalibrationError:
    """An expected calibration error, 0..1, beside the consistency band of a calibrated model with the same confidences.

    It has no confidence interval: |accuracy - confidence| is biased upwards in every bin, by an amount that depends on
    how the error spreads over the bins, which a few thousand cases do not tell.
    """

    value: float | None
    null_mean: float | None = None  # of a calibrated model
    null_q95: float | None = None  # upper end of the band; exceeded exactly where p_value < 0.05
    p_value: float | None = None  # how often a calibrated model has one as large
    method: str = "undefined: n = 0"  # of the band, or why there is none

    def __str__(self) -> str:
        if self.value is None or self.null_q95 is None or self.p_value is None:
            return f"{self.value} ({self.method})"
        p = p_values.written(self.p_value)
        return f"{self.value:.4f} (95 of 100 calibrated models: up to {self.null_q95:.4f}; p {p})"


def expected_calibration_error(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    rng: np.random.Generator | int,
    bins: int = BINS,
    binning: Binning = "width",
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
) -> CalibrationError:
    """Return ECE, 0..1: the mean over bins, by their share of cases, of |accuracy - mean confidence|.

    In the band's draws, independent cases are right with their confidence; where clusters hold several cases, the signs
    of each cluster's errors are flipped at random instead (wild bootstrap). Bin edges stay.

    Args:
        confidence: (n,) 0..1.
        correct: (n,) bool or 0 and 1.
        rng: generator or seed.
        bins: how many.
        binning: "width" (equal width) or "mass" (equal numbers of cases, as far as equal confidences allow).
        cluster: n names of what is one independent unit.

    Raises:
        BadInput: a confidence outside 0..1, a truth that is neither 0 nor 1, other lengths, no bins.

    Source:
        Naeini, Cooper and Hauskrecht 2015, AAAI; Guo et al. 2017, arXiv:1706.04599, equation 3; Bröcker and Smith
        2007, Weather Forecast. 22:651 (consistency bars); Liu 1988, Ann. Stat. 16:1696 (wild bootstrap).
    """
    sure, right, edges = _checked(confidence, correct, bins=bins, binning=binning)
    if sure.size == 0:
        return CalibrationError(None)
    where, generator = _bin(sure, edges), np.random.default_rng(rng)
    members = clusters_of(cluster, sure.size)
    clustered = len(members) < sure.size
    unit = np.empty(sure.size, dtype=np.intp)
    for at, rows in enumerate(members):
        unit[rows] = at
    errors = np.zeros((len(members), len(edges) - 1))  # sum of right - sure of each unit in each bin
    np.add.at(errors, (unit, where), right - sure)
    value = float(np.abs(errors.sum(axis=0)).sum() / sure.size)
    if len(members) == 1:
        return CalibrationError(value, method="undefined: one independent row")
    if clustered:
        null = _blockwise(len(members), lambda size: _flipped(errors, sure.size, generator, size))
    else:
        null = _blockwise(sure.size, lambda size: _calibrated(sure, where, generator, size))
    null[::-1].sort()
    drawn = "signs of clusters flipped" if clustered else "cases right as often as confident"
    return CalibrationError(
        value,
        float(null.mean()),
        critical_value(null, 0.95),
        p_values.resampled((null >= value - TIE).sum(), len(null)),
        f"none (consistency band: {drawn}, {bins} bins of equal {binning})",
    )


def fitted_scale(
    losses: Callable[[float], NDArray[np.float64]],
    best: float,
    *,
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
    level: float = 0.95,
) -> Interval:
    """Return a positive scale (such as a temperature) that minimises a mean loss, with its robust interval.

    The standard error of its logarithm is the sandwich estimator's, of cases or clusters, with Student's quantile.

    Args:
        losses: scale -> (n,) loss of each case.
        best: the scale at which their mean is smallest.
        cluster: n names of what is one independent unit.
        level: of confidence.

    Source:
        White 1982, Econometrica 50:1.
    """
    from scipy.stats import t

    step = 0.01  # of the logarithm
    below, at, above = (losses(best * float(np.exp(side * step))) for side in (-1, 0, 1))
    slopes, curvature = (above - below) / (2 * step), float((above - 2 * at + below).sum()) / step**2
    members = clusters_of(cluster, len(at))
    if len(members) < 2 or curvature <= 0:
        reason = "one independent row" if len(members) < 2 else "no smallest loss within reach"
        return Interval(best, None, None, level, f"undefined: {reason}")
    scores = np.array([slopes[rows].sum() for rows in members])
    variance = len(members) / (len(members) - 1) * float(((scores - scores.mean()) ** 2).sum()) / curvature**2
    half = float(t.ppf((1 + level) / 2, len(members) - 1)) * math.sqrt(variance)
    return Interval(best, best * math.exp(-half), best * math.exp(half), level, "sandwich, on the logarithm")


def reliability(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = BINS, binning: Binning = "width", level: float = 0.95
) -> DataFrame:
    """Return one row a bin that holds cases: confidence (mean), accuracy, low, high (of accuracy), n, from, to.

    Raises:
        BadInput: as `expected_calibration_error`.
    """
    import pandas as pd

    sure, right, edges = _checked(confidence, correct, bins=bins, binning=binning)
    where = _bin(sure, edges)
    rows = []
    for at in np.unique(where):
        inside = where == at
        share = intervals.proportion(int(right[inside].sum()), int(inside.sum()), level=level)
        ends = float(edges[at]), float(edges[at + 1])
        rows.append((float(sure[inside].mean()), share.value, share.low, share.high, int(inside.sum()), *ends))
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


def _blockwise(units: int, draw: Callable[[int], NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return RESAMPLES draws, worked out in blocks that bound memory."""
    size = max(1, _CELLS // units)
    return np.concatenate([draw(min(size, RESAMPLES - at)) for at in range(0, RESAMPLES, size)])


def _flipped(errors: NDArray[np.float64], n: int, rng: np.random.Generator, resamples: int) -> NDArray[np.float64]:
    """(units, bins) sums of errors -> (resamples,) ECE with signs of units flipped at random."""
    signs = 2.0 * rng.integers(0, 2, size=(resamples, len(errors))) - 1
    flipped: NDArray[np.float64] = np.abs(signs @ errors).sum(axis=1) / n
    return flipped


def _calibrated(
    sure: NDArray[np.float64], where: NDArray[np.intp], rng: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    """(n,) confidences and bins -> (resamples,) ECE of cases that are right as often as they are sure."""
    off = (rng.random((resamples, sure.size)) < sure) - sure
    places = np.eye(int(where.max()) + 1)[where]
    calibrated: NDArray[np.float64] = np.abs(off @ places).sum(axis=1) / sure.size
    return calibrated


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
    sure, right = finite(confidence), finite(correct)
    if sure.shape != right.shape:
        raise BadInput(f"Each confidence needs one truth; got {sure.size} and {right.size}.")
    if sure.size and not (sure.min() >= 0 and sure.max() <= 1 + 1e-6 and np.isin(right, (0, 1)).all()):
        raise BadInput("A confidence lies between 0 and 1, and a truth is 0 or 1; got something else among them.")
    if bins < 1 or binning not in ("width", "mass"):
        raise BadInput(f"Bins are 1 or more, of equal 'width' or 'mass'; got {bins} of {binning!r}.")
    if binning == "width" or sure.size == 0:
        return sure, right, np.linspace(0, 1, bins + 1)
    edges = np.unique(np.quantile(sure, np.linspace(0, 1, bins + 1), method="inverted_cdf"))
    return sure, right, np.concatenate([[0.0], edges[1:-1] if len(edges) > 1 else [], [1.0]])


def _bin(sure: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """(n,) number of the bin (edges[i], edges[i + 1]] that holds each confidence."""
    return np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, len(edges) - 2)
