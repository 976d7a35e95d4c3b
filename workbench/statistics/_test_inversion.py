"""Bounds found by turning a test round: the true values that the test would not reject. Difference of shares, AUROC."""

from __future__ import annotations

import math


def normal_quantiles(level: float) -> tuple[float, float]:
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))
    return -z, z


def score_bound(first: tuple[int, int], second: tuple[int, int], *, z: float) -> float:
    """Return the difference on one side of the observed one that the score test rejects at |z|, or ±1.

    statsmodels inverts this test with a slip in the cubic (0.15: the second group's count where its size belongs):
    bounds differ, and the root search fails near empty and full groups. The tests compare ours with a direct search.
    """
    from scipy.optimize import brentq

    (k1, n1), (k2, n2) = first, second
    seen, edge = k1 / n1 - k2 / n2, math.copysign(1.0, z)
    if seen == edge:
        return edge

    def away(true: float) -> float:
        variance = _restricted_variance(first, second, true)
        return (true - seen) - z * math.sqrt(variance)

    start = seen + math.copysign(1e-12, z)  # at an edge the variance is 0 at `seen` itself
    return float(brentq(away, start, edge)) if away(start) * away(edge) < 0 else edge


def _restricted_variance(first: tuple[int, int], second: tuple[int, int], d: float) -> float:
    """Return the variance of the difference at the likeliest shares that are d apart (their cubic, 1985)."""
    (k1, n1), (k2, n2) = first, second
    n, k = n1 + n2, k1 + k2
    c2 = ((n1 + 2 * n2) * d - n - k) / (3 * n)
    c1 = ((n2 * d - n - 2 * k2) * d + k) / n
    c0 = k2 * d * (1 - d) / n
    q = c2**3 - c1 * c2 / 2 + c0 / 2
    p = math.copysign(math.sqrt(max(c2**2 - c1 / 3, 0.0)), q)
    turn = (math.pi + math.acos(min(1.0, max(-1.0, q / p**3)))) / 3 if p else math.pi / 2
    p2 = min(max(2 * p * math.cos(turn) - c2, 0.0, -d), 1.0, 1 - d)
    p1 = p2 + d
    return max(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2, 0.0) * n / (n - 1)


def auroc_bound(area: float, ones: int, zeros: int, *, z: float) -> float:
    """Return the true area on one side of `area` at which `area` lies |z| standard errors away."""
    from scipy.optimize import brentq

    edge = 1.0 if z > 0 else 0.0
    half = (ones + zeros) / 2 - 1

    def away(true: float) -> float:
        spread = true * (1 - true) * (1 + half * (1 - true) / (2 - true) + half * true / (1 + true))
        return (true - area) - z * math.sqrt(max(spread, 0.0) / (ones * zeros))

    if area == edge:
        return edge
    inner = area if 0 < area < 1 else abs(area - 1e-9)
    return float(brentq(away, inner, edge - math.copysign(1e-12, z)))
