"""Simpson's paradox: two groups compared overall, and within each stratum of a second attribute.

Works on counts (k of n) per stratum and group. Reports that a direction reverses and the evidence for both directions,
not why.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.statistics._checks import Counts, arrays
from workbench.statistics.omnibus import omnibus

Strata = Mapping[Any, Counts]  # stratum -> group -> (k, n)
_SAME = 1e-12  # differences below this are no direction


@dataclass(frozen=True)
class Reversal:
    """Two groups whose order reverses once strata are held fixed."""

    higher: Any  # group with the larger share overall
    lower: Any
    crude: float  # difference of shares overall, above 0
    standardised: float  # the same with strata held fixed, below 0
    strata: Mapping[Any, float]  # the difference within each stratum that holds both
    complete: bool  # every stratum is against the crude direction, or neutral


def reversals(strata: Strata) -> list[Reversal]:
    """Return every pair of groups whose overall order is opposite to their order with strata held fixed.

    Each pair is held fixed over the strata that hold both groups, weighted by the two groups' members there. Pairs
    without a common stratum cannot be compared and are not returned.

    Raises:
        BadInput: counts that cannot be.

    Source:
        Simpson 1951, J. R. Stat. Soc. B 13:238.
    """
    crude = {group: k / n for group, (k, n) in _totals(strata).items() if n}
    names = list(crude)
    pairs = []
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            higher, lower = (one, other) if crude[one] >= crude[other] else (other, one)
            reversal = _reversal(strata, higher, lower, crude=crude[higher] - crude[lower])
            if reversal is not None:
                pairs.append(reversal)
    return pairs


def compared(strata: Strata) -> dict[frozenset[Any], float]:
    """Return the pairs of groups with a stratum in common, and how many members of each they compare.

    The number is that of two groups of one size, without strata, whose difference is known as well: twice the sum of
    n m / (n + m) over the strata, the weights of Cochran, Mantel and Haenszel's test.
    """
    pairs: dict[frozenset[Any], float] = {}
    for part in strata.values():
        for (one, (_, n)), (other, (_, m)) in itertools.combinations(part.items(), 2):
            if n and m:
                pair = frozenset((one, other))
                pairs[pair] = pairs.get(pair, 0.0) + 2 * n * m / (n + m)
    return pairs


def evidence(strata: Strata, one: Any, other: Any) -> tuple[float, float]:
    """Return the p-values of a difference between two groups: overall, and with strata held fixed.

    The first is a score test, or Fisher's where an expected count is below 5; the second is Cochran, Mantel and
    Haenszel's test over the strata that hold both groups. Where nothing varies a p-value is 1.

    Raises:
        BadInput: counts that cannot be.

    Source:
        Mantel and Haenszel 1959, J. Natl. Cancer Inst. 22:719; statsmodels' `StratifiedTable`.
    """
    both = [[part.get(name, (0, 0)) for name in (one, other)] for part in strata.values()]
    crude = {
        name: (sum(pair[at][0] for pair in both), sum(pair[at][1] for pair in both)) for at, name in enumerate("ab")
    }
    tables = [np.array([[k, n - k] for k, n in pair], dtype=float) for pair in both]
    used = [table for table in tables if table.sum(0).all() and table.sum(1).all()]
    overall = omnibus([crude], rng=0).p_value
    if not used:
        return _or_one(overall), 1.0
    from statsmodels.stats.contingency_tables import StratifiedTable

    return _or_one(overall), _or_one(float(StratifiedTable(used).test_null_odds(correction=True).pvalue))


def _totals(strata: Strata) -> dict[Any, tuple[int, int]]:
    """Return each group's counts over all strata, in the order they are met."""
    totals: dict[Any, tuple[int, int]] = {}
    for part in strata.values():
        arrays(part)
        for group, (k, n) in part.items():
            before = totals.get(group, (0, 0))
            totals[group] = (before[0] + int(k), before[1] + int(n))
    return totals


def _or_one(p_value: float | None) -> float:
    return p_value if p_value is not None and math.isfinite(p_value) else 1.0


def _reversal(strata: Strata, higher: Any, lower: Any, *, crude: float) -> Reversal | None:
    within, sizes = {}, []
    for name, part in strata.items():
        (k1, n1), (k2, n2) = part.get(higher, (0, 0)), part.get(lower, (0, 0))
        if n1 and n2:
            within[name] = k1 / n1 - k2 / n2
            sizes.append(n1 + n2)
    if not within or crude <= _SAME:
        return None
    fixed = float(np.average(list(within.values()), weights=sizes))
    if fixed >= -_SAME:
        return None
    complete = all(apart <= _SAME for apart in within.values())
    return Reversal(higher, lower, crude, fixed, within, complete)
