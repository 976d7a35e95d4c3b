"""Bounds that invert a score test: the true values that the test would not reject.

A row's test and its interval come from one statistic, so that the interval excludes 0 exactly where the test rejects.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

TIE = 1e-9  # statistics nearer than this are equal
_HALVINGS = 42  # of a search between -1 and 1: below the resolution of a float
Floats = NDArray[np.float64]


def critical_value(null: Floats, level: float) -> float:
    """Return what a statistic must exceed for p < 1 - level, p being (1 + drawn ones as large) / (1 + drawn ones).

    Args:
        null: statistics drawn under chance, largest first.
        level: of confidence.
    """
    rank = math.ceil((1 - level) * (1 + len(null)) - TIE) - 2
    return float(null[rank]) + TIE if rank >= 0 else math.inf


def normal_quantiles(level: float) -> tuple[float, float]:
    """Return the two-sided critical values of the normal distribution, such as -1.96 and 1.96."""
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))
    return -z, z


def score_of_difference(first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike]) -> Floats:
    """Return Miettinen and Nurminen's score of no difference between k1 / n1 and k2 / n2; 0 where nothing varies.

    The square is the pooled chi-square times (N - 1) / N. Arrays are taken element by element.
    """
    (k1, n1), (k2, n2) = ([np.asarray(part, dtype=np.float64) for part in pair] for pair in (first, second))
    total = n1 + n2
    pooled = (k1 + k2) / total
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2) * total / (total - 1)
    apart = k1 / n1 - k2 / n2
    score: Floats = np.divide(apart, np.sqrt(variance), out=np.zeros_like(apart), where=variance > 0)
    return score


def bounds_of_difference(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], z: float
) -> tuple[Floats, Floats]:
    """Return the differences below and above the observed one that the score test rejects at z > 0, or -1 and 1.

    statsmodels inverts this test with a slip in the cubic (0.15: the second group's count where its size belongs):
    bounds differ, and the root search fails near empty and full groups. The tests compare ours with a direct search.

    Source:
        Miettinen and Nurminen 1985, Stat. Med. 4:213.
    """
    (k1, n1), (k2, n2) = (
        [np.atleast_1d(np.asarray(part, dtype=np.float64)) for part in pair] for pair in (first, second)
    )

    def score(true: Floats) -> Floats:
        return ratio(k1 / n1 - k2 / n2 - true, _restricted_variance(k1, n1, k2, n2, true))

    return invert(score, k1 / n1 - k2 / n2, z)


def bounds_of_auroc(area: float, ones: int, zeros: int, *, z: float) -> tuple[float, float]:
    """Return the true areas below and above `area` at which it lies z > 0 standard errors away.

    Source:
        Newcombe 2006, Stat. Med. 25:559, method 5.
    """
    half = (ones + zeros) / 2 - 1

    def score(true: Floats) -> Floats:
        spread = true * (1 - true) * (1 + half * (1 - true) / (2 - true) + half * true / (1 + true))
        return ratio(area - true, np.maximum(spread, 0.0) / (ones * zeros))

    low, high = invert(score, np.array([area]), z, edges=(0.0, 1.0))
    return float(low[0]), float(high[0])


def ratio(apart: Floats, variance: Floats) -> Floats:
    """Return apart / sqrt(variance); infinite where there is a distance and no variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(apart == 0, 0.0, apart / np.sqrt(np.maximum(variance, 0.0)))


def invert(
    score: Callable[[Floats], Floats], value: Floats, z: float, *, edges: tuple[float, float] = (-1.0, 1.0)
) -> tuple[Floats, Floats]:
    """Return where a score that falls with the true value is z, and where it is -z, by bisection of all elements."""
    if not math.isfinite(z):
        return np.full_like(value, edges[0]), np.full_like(value, edges[1])
    edge = np.array([[edges[0]], [edges[1]]])
    inside, outside = np.stack([value, value]), np.broadcast_to(edge, (2, len(value)))
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        within = np.abs(score(middle)) <= abs(z)
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    low, high = np.where(np.abs(inside - edge) < 1e-12, edge, inside)
    return low, high


def _restricted_variance(k1: Floats, n1: Floats, k2: Floats, n2: Floats, true: Floats) -> Floats:
    """Return the variance of the difference at the likeliest shares that are `true` apart (their cubic)."""
    n, k = n1 + n2, k1 + k2
    c2 = ((n1 + 2 * n2) * true - n - k) / (3 * n)
    c1 = ((n2 * true - n - 2 * k2) * true + k) / n
    c0 = k2 * true * (1 - true) / n
    q = c2**3 - c1 * c2 / 2 + c0 / 2
    p = np.copysign(np.sqrt(np.maximum(c2**2 - c1 / 3, 0.0)), q)
    cosine = np.divide(q, p**3, out=np.zeros_like(q), where=p != 0)
    turn = (math.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3
    p2 = np.clip(2 * p * np.cos(turn) - c2, np.maximum(0.0, -true), np.minimum(1.0, 1 - true))
    p1 = p2 + true
    variance: Floats = np.maximum(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2, 0.0) * n / (n - 1)
    return variance
