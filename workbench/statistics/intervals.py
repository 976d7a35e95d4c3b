"""Confidence intervals: shares, means, AUROC, anything else by bootstrap.

One policy holds for the interval of a share in the whole project (Zero-shot, batches, training, audits, AuditFrame);
`proportion` is its only implementation:

    n < 40, or k = 0, or k = n    Clopper-Pearson: exact, never covers less than promised
    elsewhere                     Wilson: shorter, covers close to what it promises on average

so that 20 of 20 is 83.2 to 100 % wherever it is shown. Where rows are clustered, k and n are first shrunk to what
independent rows would be worth (`clusters.effective`). What is undefined is None, with the reason in `method`; never 0
and never NaN.

Source: the line at n = 40 is that of Brown, Cai and DasGupta 2001, Stat. Sci. 16:101, section 5. They find
Clopper-Pearson too long below it; an audit accepts that, because Wilson covers less than promised for some shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics._bootstrap import resampled
from workbench.statistics._checks import check_counts, check_level, clusters_of, finite
from workbench.statistics._test_inversion import bounds_of_auroc, normal_quantiles

SMALL = 40  # below this many cases `auto` takes the exact interval (Brown, Cai and DasGupta 2001, section 5)
RESAMPLES = 2000
JACKKNIFE = 30  # parts that are left out, at most


@dataclass(frozen=True)
class Interval:
    """A value between two bounds, all in the value's own unit; None where undefined.

    `at_level` works out the same interval at another level of confidence, where that can be done.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float  # of confidence, such as 0.95
    method: str  # of the bounds, or why there are none
    at_level: Callable[[float], Interval] | None = field(default=None, compare=False, repr=False, kw_only=True)

    def __str__(self) -> str:
        if self.value is None:
            return f"not measured ({self.method})"
        if self.low is None or self.high is None:
            return f"{self.value:.4g} (no interval: {self.method})"
        return f"{self.value:.4g} ({100 * self.level:g} % interval {self.low:.4g} to {self.high:.4g}, {self.method})"


@dataclass(frozen=True)
class Share(Interval):
    """A share, 0..1, with its interval and its count; None where nothing was counted."""

    n: int  # how many were counted

    def __str__(self) -> str:
        if self.value is None or self.low is None or self.high is None:
            return f"not measured (n = {self.n})"
        value, low, high = (f"{100 * part:.1f}" for part in (self.value, self.low, self.high))
        return f"{value} % ({100 * self.level:g} % interval {low} to {high} %, n = {self.n}, {self.method})"


def proportion(
    k: int, n: int, *, level: float = 0.95, method: Literal["auto", "wilson", "clopper-pearson"] = "auto"
) -> Share:
    """Return k / n, 0..1, with its interval by the policy of this module.

    Args:
        k: how many of the n, 0..n.
        n: how many were counted; 0 gives no value.
        level: of confidence, strictly between 0 and 1.
        method: `auto` is the policy; the two others are for comparison with other software.

    Raises:
        BadInput: counts that cannot be, a level outside (0, 1), or no such method.

    Source:
        Wilson 1927, J. Am. Stat. Assoc. 22:209; Clopper and Pearson 1934, Biometrika 26:404.
    """
    check_counts(k, n)
    check_level(level)
    if method not in ("auto", "wilson", "clopper-pearson"):
        raise BadInput(f"The interval of a share is 'auto', 'wilson' or 'clopper-pearson'; got {method!r}.")
    if n == 0:
        return Share(None, None, None, level, "undefined: n = 0", 0)
    from statsmodels.stats.proportion import proportion_confint

    exact = method == "clopper-pearson" or (method == "auto" and (k in (0, n) or n < SMALL))
    low, high = proportion_confint(int(k), int(n), alpha=1 - level, method="beta" if exact else "wilson")
    name = "Clopper-Pearson" if exact else "Wilson"
    return Share(k / n, max(0.0, float(low)), min(1.0, float(high)), level, name, int(n))


def mean(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the mean of n numbers with Student's interval; one number has a mean and no interval.

    Raises:
        BadInput: NaN or infinity among the values, or a level outside (0, 1).
    """
    check_level(level)
    x = finite(values)
    if x.size == 0:
        return Interval(None, None, None, level, "undefined: n = 0")
    middle = float(x.mean())
    if x.size == 1:
        return Interval(middle, None, None, level, "undefined: n = 1")
    from scipy.stats import t

    half = float(t.ppf((1 + level) / 2, x.size - 1) * x.std(ddof=1) / math.sqrt(x.size))
    return Interval(middle, middle - half, middle + half, level, "Student t")


def bootstrap(
    values: ArrayLike,
    statistic: Callable[[NDArray[Any]], float] = np.mean,
    *,
    rng: np.random.Generator | int,
    cluster: Sequence[Any] | NDArray[Any] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """Return statistic(values) with a bootstrap interval: BCa, or percentile with many rows or where BCa fails.

    Args:
        values: (n, ...) rows; whole rows are drawn.
        statistic: (m, ...) rows -> one number.
        rng: generator or seed.
        cluster: n names; rows of one name are drawn together (several pictures of one person).
        resamples: how many.
        level: of confidence.

    Raises:
        BadInput: a cluster list of another length, or a level outside (0, 1).

    Source:
        Efron 1987, J. Am. Stat. Assoc. 82:171; SciPy's `bootstrap`.
    """
    check_level(level)
    rows = np.asarray(values)
    if rows.shape[0] == 0:
        return Interval(None, None, None, level, "undefined: n = 0")
    members = None if cluster is None else clusters_of(cluster, rows.shape[0])
    value = float(statistic(rows))
    if not math.isfinite(value):
        return Interval(None, None, None, level, "undefined: the statistic is not finite")
    units = rows.shape[0] if members is None else len(members)
    if units < 2:
        return Interval(value, None, None, level, "undefined: one independent row")
    name = "bootstrap" if members is None else "cluster bootstrap"
    low, high, kind = resampled(rows, statistic, members, rng=rng, resamples=resamples, level=level)
    return Interval(value, low, high, level, f"{kind} {name}")


def jackknife(
    kinds: ArrayLike,
    statistic: Callable[[NDArray[np.intp]], float],
    *,
    rng: np.random.Generator | int,
    cluster: Sequence[Any] | NDArray[Any] | None = None,
    level: float = 0.95,
) -> Interval:
    """Return a statistic of n rows with Student's interval on its jackknife error: few calls, for slow statistics.

    Where rows are of at most 30 kinds one row of each kind is left out, weighted by their number; else the rows, or
    whole clusters, are dealt into 30 groups and each is left out once.

    Args:
        kinds: (n,) rows with the same number are the same to the statistic.
        statistic: places of rows, sorted -> one number.
        rng: generator or seed, of the groups.
        cluster: n names; rows of one name are left out together.
        level: of confidence.

    Raises:
        BadInput: a cluster list of another length, or a level outside (0, 1).

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 11; Kott 2001, J. Off. Stat. 17:521.
    """
    check_level(level)
    kind, rows = np.asarray(kinds), np.arange(len(np.asarray(kinds)))
    if not len(rows):
        return Interval(None, None, None, level, "undefined: n = 0")
    value = float(statistic(rows))
    if not math.isfinite(value):
        return Interval(None, None, None, level, "undefined: the statistic is not finite")
    _, first, counts = np.unique(kind, return_index=True, return_counts=True)
    if cluster is None and len(first) <= JACKKNIFE:
        left_out, weights = [rows[at : at + 1] for at in first], counts
    else:
        members = [rows[at : at + 1] for at in rows] if cluster is None else clusters_of(cluster, len(rows))
        dealt = np.array_split(np.random.default_rng(rng).permutation(len(members)), min(JACKKNIFE, len(members)))
        left_out, weights = [np.concatenate([members[at] for at in one]) for one in dealt], np.ones(len(dealt), np.intp)
    units = int(weights.sum())
    if units < 2:
        return Interval(value, None, None, level, "undefined: one independent row")
    without = np.array([statistic(np.setdiff1d(rows, one)) for one in left_out])
    if not np.isfinite(without).all():
        return Interval(value, None, None, level, "undefined: the statistic hangs on single rows")
    from scipy.stats import t

    spread = (weights * (without - np.average(without, weights=weights)) ** 2).sum() * (units - 1) / units
    half = float(t.ppf((1 + level) / 2, units - 1)) * math.sqrt(spread)
    return Interval(
        value, value - half, value + half, level, "jackknife, Student t" if half else "degenerate jackknife"
    )


def auroc(scores: ArrayLike, positives: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the area under the ROC curve, 0..1, with Newcombe's score interval, which holds at 0 and 1 too.

    Args:
        scores: (n,) larger means more positive; equal scores count half.
        positives: (n,) bool.
        level: of confidence.

    Raises:
        BadInput: NaN among the scores, or another number of positives.

    Source:
        Newcombe 2006, Stat. Med. 25:559, method 5, on Hanley and McNeil 1982, Radiology 143:29.
    """
    check_level(level)
    x, is_positive = finite(scores), np.asarray(positives, dtype=bool)
    if x.shape != is_positive.shape:
        raise BadInput(f"Each score needs one truth; got {x.size} scores and {is_positive.size} truths.")
    ones, zeros = int(is_positive.sum()), int((~is_positive).sum())
    if ones == 0 or zeros == 0:
        return Interval(None, None, None, level, "undefined: both classes are needed")
    from scipy.stats import rankdata

    won = float(rankdata(x)[is_positive].sum()) - ones * (ones + 1) / 2  # pairs, after Mann and Whitney
    area = won / (ones * zeros)
    low, high = bounds_of_auroc(area, ones, zeros, z=normal_quantiles(level)[1])
    return Interval(area, low, high, level, "Newcombe score (AUROC)")
