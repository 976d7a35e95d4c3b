"""The same cases under two conditions: the mean change, its interval and a test, both from one statistic.

Comparing case by case finds far smaller changes than setting two shares side by side.

    yes/no outcomes    Tango's score interval and McNemar's test, which is the same score at a change of 0
    other numbers      Student's interval and test of the mean change

With up to 25 changes the bounds are where the score's mid-P, counted over all tables, is (1 - level) / 2, and not where
a normal distribution has it: a normal one covers up to 98.3 % where 95 % are meant. In the rare rows where this would
contradict McNemar's test about 0, the normal bounds stand.

Where cases come in clusters (several images of one person), the variance of yes/no changes is multiplied by their
design effect at each true change that is tried, so that the test of no change is Obuchowski's; with few changes, tables
are counted as if so many fewer cases stood alone. Other numbers take the cluster-robust standard error with
clusters - 1 degrees of freedom.

Yes/no intervals cover 93 to 97 % where three or more cases, or clusters, are expected to change; less (91 %) for large
clusters of which some change as one and some do not. With fewer changes coverage rises to 100 %: most samples then show
one or none, and their interval has to hold every true change that often looks so. The figures: `docs/statistics.md`,
`python -m tests.workbench.statistics.paired_coverage`.

Source: McNemar 1947, Psychometrika 12:153; Tango 1998, Stat. Med. 17:891; Fagerland, Lydersen and Laake 2013, BMC Med.
Res. Methodol. 13:91 (the asymptotic McNemar test is close to its level in small samples, the exact one far below it);
Lloyd 2008, Aust. N. Z. J. Stat. 50:329 (counting at estimated shares); Obuchowski 1998, Stat. Med.
17:1495 (clusters); Rao and Scott 1992, Biometrics 48:577 (design effect, effective counts).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics import p_values
from workbench.statistics._checks import check_level, clusters_of, finite
from workbench.statistics._paired_score import (
    PairedClusters,
    PairedCounts,
    counted_bounds,
    effective_counts,
    score_of_paired_difference,
)
from workbench.statistics._test_inversion import TIE, critical_value, invert
from workbench.statistics.intervals import RESAMPLES, Interval

COUNTED = 25  # changes of single cases, up to which the distribution of Tango's score is counted


@dataclass(frozen=True)
class Paired:
    """Second run minus first run, over the same cases."""

    difference: Interval  # of the means, in the outcome's unit
    p_value: float | None  # two-sided; below 1 - level exactly where the interval excludes 0; None where undefined
    method: str  # of the test
    first: float | None  # mean of each run
    second: float | None
    n: int  # cases in both runs
    gained: int  # cases whose outcome rose, for yes/no outcomes: wrong before, right after
    lost: int  # cases whose outcome fell


def compare(
    first: ArrayLike,
    second: ArrayLike,
    *,
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
    level: float = 0.95,
) -> Paired:
    """Compare two runs case by case.

    Args:
        first: (n,) outcomes, 0..1 or any number.
        second: (n,) outcomes of the same cases in the same order.
        cluster: n names of what is one independent unit, such as the person in an image.
        level: of confidence.

    Raises:
        BadInput: other lengths, NaN, a level outside (0, 1).
    """
    check_level(level)
    before, after = finite(first), finite(second)
    if before.shape != after.shape:
        raise BadInput(f"Both runs must hold the same cases; got {before.size} and {after.size}.")
    change = after - before
    if not change.size:
        nothing = Interval(None, None, None, level, "undefined: n = 0")
        return Paired(nothing, None, nothing.method, None, None, 0, 0, 0)
    members = None if cluster is None else clusters_of(cluster, change.size)
    members = None if members is not None and len(members) == change.size else members  # every case stands alone
    yes_no = bool(np.isin([before, after], (0, 1)).all())
    unchanged = not change.any() and bool(
        (before >= 0).all() and (before <= 1).all()
    )  # no case changed, but some might
    bounds = _yes_no(change, members) if yes_no or unchanged else _numbers(change, members)
    interval, p_value = bounds(level), bounds.p_value()
    gained, lost = int((change > 0).sum()), int((change < 0).sum())
    return Paired(interval, p_value, bounds.test, float(before.mean()), float(after.mean()), change.size, gained, lost)


def relative_drop(
    first: ArrayLike,
    second: ArrayLike,
    *,
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
    level: float = 0.95,
) -> Interval:
    """Return 1 - mean(second) / mean(first) with Fieller's interval; the difference's where nothing changed or is left.

    Args:
        first: (n,) outcomes, 0..1.
        second: (n,) outcomes of the same cases in the same order.
        cluster: n names of what is one independent unit.
        level: of confidence.

    Raises:
        BadInput: as `compare`.

    Source:
        Fieller 1954, J. R. Stat. Soc. B 16:175.
    """
    paired = compare(first, second, cluster=cluster, level=level)
    before, after = finite(first), finite(second)
    if not before.any():
        return Interval(None, None, None, level, "undefined: nothing was right at first")
    base, value = float(before.mean()), 1 - float(after.mean() / before.mean())
    members = [np.array([at]) for at in range(before.size)] if cluster is None else clusters_of(cluster, before.size)
    if len(members) < 2:
        return Interval(value, None, None, level, "undefined: one independent row")
    residuals = np.array([[one[rows].sum() - one.mean() * len(rows) for one in (before, after)] for rows in members])
    variance = len(members) / (len(members) - 1) * residuals.T @ residuals / before.size**2
    critical = _critical(level, len(members) - 1) ** 2
    a = base**2 - critical * variance[0, 0]
    b = base * float(after.mean()) - critical * variance[0, 1]
    root = b**2 - a * (float(after.mean()) ** 2 - critical * variance[1, 1])
    if not (before - after).any() or not after.any():
        low, high, method = paired.difference.low, paired.difference.high, f"{paired.difference.method} / first mean"
        if low is None or high is None:
            return Interval(value, None, None, level, method)
        return Interval(value, min(-high / base, value), max(min(1.0, -low / base), value), level, method)
    if a <= 0 or root < 0:
        return Interval(value, None, None, level, "undefined: the first mean may be 0")
    ends = [1 - (b + side * math.sqrt(root)) / a for side in (1, -1)]
    return Interval(value, ends[0], min(1.0, ends[1]), level, "Fieller")


def widest_difference(
    outcomes: NDArray[np.float64],
    *,
    rng: np.random.Generator | int,
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
    level: float = 0.95,
) -> tuple[Interval, float | None]:
    """Return largest minus smallest mean of several conditions over the same cases, and the p-value of no difference.

    Test and interval come from the largest studentised difference, as in `gaps`: with standard errors of paired
    differences, and under chance with signs of cases (or clusters) flipped at random.

    Args:
        outcomes: (n, conditions).
        rng: generator or seed.
        cluster: n names of what is one independent unit.
        level: of confidence.
    """
    n, conditions = outcomes.shape
    means = outcomes.mean(axis=0)
    value = float(np.ptp(means))
    members = clusters_of(cluster, n)
    if len(members) < 2 or conditions < 2:
        return Interval(value, None, None, level, "undefined: one independent row or condition"), None
    residuals = np.array([(outcomes[rows] - means).sum(axis=0) for rows in members]) / n
    if not np.ptp(residuals, axis=1).any() and not value:
        return _unanimous(len(members), level), 1.0
    one, other = np.triu_indices(conditions, 1)
    scale = math.sqrt(len(members) / (len(members) - 1))
    spread = residuals.T @ residuals
    errors = scale * np.sqrt(np.maximum(spread[one, one] + spread[other, other] - 2 * spread[one, other], 0.0))
    errors = np.maximum(errors, 0.5 / len(members))  # no case that went the other way is no proof that none would
    generator = np.random.default_rng(rng)
    signs = 2.0 * generator.integers(0, 2, size=(RESAMPLES, len(members))) - 1
    drawn = (
        scale
        * (signs @ residuals)
        / np.sqrt(generator.chisquare(len(members) - 1, (RESAMPLES, 1)) / (len(members) - 1))
    )
    null = np.sort((np.abs(drawn[:, one] - drawn[:, other]) / errors).max(axis=1))[::-1]
    bounds = _Widest(np.abs(means[one] - means[other]), errors, null)
    return bounds(level), bounds.p_value()


def _unanimous(units: int, level: float) -> Interval:
    """Bound what conditions differ by, where they agree on all units: at most the share of units they disagree on."""
    most = 1.0 - ((1.0 - level) / 2) ** (1.0 / units)  # Clopper-Pearson for 0 of them
    at_level = functools.partial(_unanimous, units)
    return Interval(0.0, 0.0, most, level, "Clopper-Pearson of cases that disagree", at_level=at_level)


def flips(sample_ids: Sequence[Hashable], first: ArrayLike, second: ArrayLike) -> dict[str, list[Any]]:
    """Return which cases changed: {"gained": ids whose outcome rose, "lost": ids whose outcome fell}, in order.

    Raises:
        BadInput: other lengths, an id twice, or NaN.
    """
    before, after = finite(first), finite(second)
    if not len(sample_ids) == before.size == after.size:
        raise BadInput(
            f"Each case needs an id and two outcomes; got {len(sample_ids)}, {before.size} and {after.size}."
        )
    if len(set(sample_ids)) != len(sample_ids):
        raise BadInput("A sample id occurs twice; each case must have an id of its own.")
    rows = list(zip(sample_ids, before, after, strict=True))
    return {"gained": [name for name, a, b in rows if b > a], "lost": [name for name, a, b in rows if b < a]}


@dataclass(frozen=True)
class _YesNo:
    """Changed yes/no outcomes: Tango's interval at any level, and McNemar's or Obuchowski's test."""

    value: float
    counts: PairedCounts
    clusters: PairedClusters | None  # None where cases are independent

    @property
    def test(self) -> str:
        return "McNemar" if self.clusters is None else "McNemar, clustered"

    def p_value(self) -> float | None:
        if self.clusters and self.clusters.number == 1:
            return None
        return _two_sided(float(score_of_paired_difference(self.counts, self.clusters)(np.zeros(1))[0]), None)

    def __call__(self, level: float) -> Interval:
        if self.clusters and self.clusters.number == 1:
            return Interval(self.value, None, None, level, "undefined: one independent row")
        gained, lost, n = self.counts
        score = score_of_paired_difference(self.counts, self.clusters)
        (low,), (high,) = invert(score, np.array([(gained - lost) / n]), _critical(level, None))
        method = "Tango score"
        alone = effective_counts(self.counts, self.clusters) if self.clusters else self.counts
        if alone.gained + alone.lost <= COUNTED:
            ends = counted_bounds(alone, level)
            if (ends[0] <= 0 <= ends[1]) == (low <= 0 <= high):  # else they contradict the test
                method, (low, high) = "Tango score, mid-P", ends
        if self.clusters:
            method += ", clustered"
        ends = min(float(low), self.value), max(float(high), self.value)
        return Interval(self.value, *ends, level, method, at_level=self)


@dataclass(frozen=True)
class _Mean:
    """A mean change with its standard error: Student's interval at any level, and his test."""

    value: float
    error: float | None  # standard error; 0 where all units changed alike; None with one unit
    units: int
    clustered: bool

    @property
    def test(self) -> str:
        return "Student t, clustered" if self.clustered else "Student t"

    def p_value(self) -> float | None:
        if self.error is None:
            return None
        if self.error == 0:  # all changed alike: the sign test
            return 1.0 if self.value == 0 else 0.5 ** (self.units - 1)
        return _two_sided(self.value / self.error, self.units - 1)

    def __call__(self, level: float) -> Interval:
        if self.error is None:
            return Interval(self.value, None, None, level, "undefined: one independent row")
        if self.error == 0:
            known = self.value == 0 or 0.5 ** (self.units - 1) < 1 - level
            ends = self.value if known else None
            return Interval(self.value, ends, ends, level, "degenerate: all changed alike", at_level=self)
        half = _critical(level, self.units - 1) * self.error
        return Interval(self.value, self.value - half, self.value + half, level, self.test, at_level=self)


@dataclass(frozen=True, eq=False)
class _Widest:
    """The widest of several paired differences: simultaneous interval at any level, and test."""

    differences: NDArray[np.float64]  # of each pair of conditions, 0 or more
    errors: NDArray[np.float64]  # standard errors
    null: NDArray[np.float64]  # largest studentised difference under chance, largest first

    def p_value(self) -> float:
        observed = float((self.differences / self.errors).max())
        return p_values.resampled((self.null >= observed - TIE).sum(), len(self.null))

    def __call__(self, level: float) -> Interval:
        critical = critical_value(self.null, level)
        value, critical_high = float(self.differences.max()), min(critical, float(self.null[0]))
        low = max(0.0, float((self.differences - critical * self.errors).max()))
        high = float((self.differences + critical_high * self.errors).max())
        return Interval(value, low, min(1.0, high), level, "studentised range, sign flips", at_level=self)


def _yes_no(change: NDArray[np.float64], members: list[NDArray[np.intp]] | None) -> _YesNo:
    counts, value = PairedCounts(int((change > 0).sum()), int((change < 0).sum()), change.size), float(change.mean())
    if members is None:
        return _YesNo(value, counts, None)
    sums, sizes = (np.array([f(change[rows]) for rows in members], float) for f in (np.sum, np.size))
    return _YesNo(value, counts, PairedClusters(len(members), sums @ sums, sums @ sizes, sizes @ sizes))


def _numbers(change: NDArray[np.float64], members: list[NDArray[np.intp]] | None) -> _Mean:
    n, value = change.size, float(change.mean())
    units = n if members is None else len(members)
    if units == 1:
        return _Mean(value, None, 1, members is not None)
    if np.ptp(change) <= 1e-12 * np.abs(change).max(initial=0):
        return _Mean(value, 0.0, units, members is not None)
    singles = [np.array([at]) for at in range(n)] if members is None else members
    return _Mean(value, math.sqrt(_variance_of_sum(change, value, singles)) / n, units, members is not None)


def _variance_of_sum(change: NDArray[np.float64], value: float, members: list[NDArray[np.intp]]) -> float:
    """Return the cluster-robust variance of the sum of n changes."""
    residuals = np.array([change[rows].sum() - value * len(rows) for rows in members])
    return len(members) / (len(members) - 1) * float((residuals**2).sum())


def _critical(level: float, freedom: int | None) -> float:
    from scipy.stats import norm, t

    tail = (1 + level) / 2
    return float(norm.ppf(tail) if freedom is None else t.ppf(tail, freedom))


def _two_sided(statistic: float, freedom: int | None) -> float:
    from scipy.stats import norm, t

    tail = norm.sf(abs(statistic)) if freedom is None else t.sf(abs(statistic), freedom)
    return min(1.0, 2 * float(tail))
