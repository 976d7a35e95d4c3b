"""Tango's score of a paired difference, for cases that stand alone or come in clusters.

With few changes its distribution is far from normal, and is counted: the mid-P of all tables, at the likeliest share of
losses for each true difference.

Source:
    Tango 1998, Stat. Med. 17:891, equations 12 to 17; at a true difference of 0 McNemar's score, and with clusters
    that of Obuchowski 1998, Stat. Med. 17:1495. Lloyd 2008, Aust. N. Z. J. Stat. 50:329 (counting at estimated shares).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.statistics._test_inversion import TIE, ratio

Floats = NDArray[np.float64]
_FAR = 40.0  # standard errors
_LEAST = 0.5  # design effect: clusters whose gains and losses cancel are worth twice their cases, not more


class PairedCounts(NamedTuple):
    """How many of n cases changed, and which way."""

    gained: int
    lost: int
    n: int


@dataclass(frozen=True)
class PairedClusters:
    """What the design effect needs to know of clusters of m cases whose changes (1, 0 or -1) sum to y."""

    number: int
    changes: float  # sum of y squared
    mixed: float  # sum of y m
    sizes: float  # sum of m squared


def score_of_paired_difference(counts: PairedCounts, clusters: PairedClusters | None) -> Callable[[Floats], Floats]:
    """Return the score of (gained - lost) / n as a function of the true difference, -1..1.

    The design effect is taken about the true difference: the clusters' squared residuals over those of single cases.
    """
    gained, lost, n = counts

    def score(true: Floats) -> Floats:
        variance = n * (2 * _likeliest_lost(gained, lost, n, true) + true * (1 - true))
        if clusters is not None:
            variance = variance * _design_effect(counts, clusters, true)
        return ratio(gained - lost - n * true, variance)

    return score


def effective_counts(counts: PairedCounts, clusters: PairedClusters) -> PairedCounts:
    """Return how many single cases say as much: counts over the design effect about the observed difference, rounded.

    A design effect below 1 counts as 1, and what was gained or lost at all counts once at least.
    """
    gained, lost, n = counts
    effect = max(1.0, float(_design_effect(counts, clusters, np.array((gained - lost) / n))))
    parts = [max(1, round(part / effect)) if part else 0 for part in (gained, lost, n - gained - lost)]
    return PairedCounts(parts[0], parts[1], sum(parts))


def _design_effect(counts: PairedCounts, clusters: PairedClusters, true: Floats) -> Floats:
    gained, lost, n = counts
    single = gained + lost - 2 * true * (gained - lost) + n * true**2
    whole = clusters.changes - 2 * true * clusters.mixed + clusters.sizes * true**2
    alike = np.full_like(true, clusters.sizes / n)  # nothing changed: clusters of copies
    return np.maximum(_LEAST, np.divide(whole, single, out=alike, where=single > 1e-12))


@functools.lru_cache(maxsize=4096)
def counted_bounds(counts: PairedCounts, level: float) -> tuple[float, float]:
    """Return the true differences, -1..1, at which the score's mid-P is (1 - level) / 2 on either side.

    Tables much larger than this one are left out: they matter for differences that lie far outside.
    """
    from scipy.optimize import brentq  # half a second that the page need not wait for
    from scipy.special import gammaln, ndtri, xlogy

    gained, lost, n = counts
    changed, value, z = gained + lost, (gained - lost) / n, float(ndtri((1 + level) / 2))
    reach = changed + int(8 * math.sqrt(changed + 1)) + 12
    more, less = np.indices((reach, reach)).reshape(2, -1).astype(np.float64)
    more, less = more[more + less <= n], less[more + less <= n]
    same = n - more - less
    ways = gammaln(n + 1) - gammaln(more + 1) - gammaln(less + 1) - gammaln(same + 1)

    def score(true: float) -> float:
        """The normal quantile of the mid-P: falls as the true difference rises."""
        share = float(_likeliest_lost(gained, lost, n, true))
        shares = max(share + true, 0.0), share, max(1 - 2 * share - true, 0.0)
        chances = np.exp(ways + sum(xlogy(k, one) for k, one in zip((more, less, same), shares, strict=True)))
        variances: Floats = n * (2 * _likeliest_lost(more, less, n, true) + true * (1 - true))
        scores = ratio(more - less - n * true, variances)
        own = scores[(more == gained) & (less == lost)]
        ties = np.isclose(scores, own, rtol=0, atol=TIE)
        half = chances[ties].sum() / 2
        above, below = (half + chances[side & ~ties].sum() for side in (scores > own, scores < own))
        return float(np.clip(ndtri(below) if below < above else -ndtri(above), -_FAR, _FAR))

    def apart(true: float) -> float:
        return abs(score(true)) - z

    def bound(edge: float) -> float:
        if value == edge or apart(edge) <= 0:
            return edge
        return float(brentq(apart, value, edge, xtol=1e-12)) if apart(value) < 0 else value

    return bound(-1.0), bound(1.0)


def _likeliest_lost(gained: ArrayLike, lost: ArrayLike, n: int, true: ArrayLike) -> Floats:
    """Return the share of losses that makes the counts likeliest where the difference is `true`."""
    gained, lost, true = (np.asarray(part, np.float64) for part in (gained, lost, true))
    linear = -gained - lost + (2 * n - gained + lost) * true
    root = np.sqrt(np.maximum(linear**2 + 8 * n * lost * true * (1 - true), 0.0))
    share: Floats = (root - linear) / (4 * n)
    return share
