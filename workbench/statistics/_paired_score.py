"""Tango's score of a paired difference, for cases that stand alone or come in clusters.

Source:
    Tango 1998, Stat. Med. 17:891, equations 12 to 17; at a true difference of 0 McNemar's score, and with clusters
    that of Obuchowski 1998, Stat. Med. 17:1495.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.statistics._test_inversion import ratio

Floats = NDArray[np.float64]
_LEAST = 0.5  # design effect: clusters whose gains and losses cancel are worth twice their cases, not more


@dataclass(frozen=True)
class PairedClusters:
    """What the design effect needs to know of clusters of m cases whose changes (1, 0 or -1) sum to y."""

    number: int
    changes: float  # sum of y squared
    mixed: float  # sum of y m
    sizes: float  # sum of m squared


def score_of_paired_difference(
    gained: int, lost: int, n: int, *, clusters: PairedClusters | None
) -> Callable[[Floats], Floats]:
    """Return the score of (gained - lost) / n as a function of the true difference, -1..1.

    The design effect is taken about the true difference: the clusters' squared residuals over those of single cases.
    """

    def score(true: Floats) -> Floats:
        linear = -gained - lost + (2 * n - gained + lost) * true
        root = np.sqrt(np.maximum(linear**2 + 8 * n * lost * true * (1 - true), 0.0))
        share_lost = (root - linear) / (4 * n)
        variance = n * (2 * share_lost + true * (1 - true))
        return ratio(gained - lost - n * true, variance if clusters is None else variance * design(true, clusters))

    def design(true: Floats, of: PairedClusters) -> Floats:
        single = gained + lost - 2 * true * (gained - lost) + n * true**2
        whole = of.changes - 2 * true * of.mixed + of.sizes * true**2
        alike = np.full_like(true, of.sizes / n)  # nothing changed: clusters of copies
        return np.maximum(_LEAST, np.divide(whole, single, out=alike, where=single > 1e-12))

    return score
