"""The gap of the calibration error between groups.

A small group has a larger calibration error by chance alone. So each group's error is compared with that of as many
cases dealt to it at random, and the gap is the largest difference of what is left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audits.grouping import By, keyed
from workbench.statistics.gaps import in_large_groups
from workbench.statistics.intervals import RESAMPLES, Interval
from workbench.statistics.max_t import largest_difference, largest_row
from workbench.statistics.measures import Measure, number
from workbench.statistics.row import GAPS


def ece_gaps(rows: pd.DataFrame, by: By, *, rng: np.random.Generator, **fields: Any) -> list[Measure]:
    """Return `ece_gap` over all groups and, where some have fewer than 30 cases, between the larger ones."""
    part = keyed(rows, by)
    keep, whole = in_large_groups(part["group"]), ece_gap(rows, by, rng=rng, **fields)
    return [whole] if keep is None else [whole, replace(ece_gap(part[keep], by, rng=rng, **fields), contrast=GAPS[1])]


def ece_gap(rows: pd.DataFrame, by: By, *, bins: int, rng: np.random.Generator, **fields: Any) -> Measure:
    """Return the largest difference of two groups' calibration errors, beyond what their sizes explain.

    Chance deals whole clusters to the groups, or, where a cluster holds several groups, its cases among them.

    `rows` have the columns `confidence` (0..1), `outcome:accuracy`, `cluster` and the attributes; bins are of equal
    width.
    """
    fields = {
        "unit": "difference",
        "contrast": "between_groups",
        "direction": "lower",
        "slice_by": ",".join(by),
    } | fields
    part = keyed(rows, by)
    sizes = part["group"].value_counts().sort_index()
    if len(sizes) < 2:
        nothing = Interval(None, None, None, 0.95, "undefined: fewer than two groups")
        return number("ece", nothing, n=len(part), **fields)
    confidence, right = part["confidence"].to_numpy(float), part["outcome:accuracy"].to_numpy(float)
    group = np.searchsorted(sizes.index.to_numpy(str), part["group"].to_numpy(str))
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)

    def errors(dealt: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) groups -> (k,) calibration errors."""
        sums = np.bincount(dealt * bins + bin_of, weights=right - confidence, minlength=len(sizes) * bins)
        counts = np.bincount(dealt, minlength=len(sizes))
        return np.asarray(np.abs(sums.reshape(-1, bins)).sum(axis=1) / np.maximum(counts, 1))

    dealt = np.array([errors(one) for one in _deals(group, pd.factorize(part["cluster"])[0], rng)])
    spread = np.maximum(dealt.std(axis=0), 1e-9)
    apart = largest_difference(
        errors(group) - dealt.mean(axis=0),
        spread,
        centred=dealt - dealt.mean(axis=0),
        drawn_errors=spread[None],
        method=f"max-t permutation, {bins} bins of equal width",
    )
    row = largest_row("ece", apart, list(sizes.index), n=int(sizes.min()), **fields)
    return replace(row, n=len(part), detectable=apart.detectable)


def _deals(group: NDArray[np.int64], cluster: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Return the groups of the cases as chance deals them."""
    first = pd.Series(group).groupby(cluster).first().to_numpy()
    if (first[cluster] == group).all():  # each cluster is of one group
        return [rng.permutation(first)[cluster] for _ in range(RESAMPLES)]
    order = np.argsort(cluster, kind="stable")
    deals = []
    for _ in range(RESAMPLES):
        shuffled = np.lexsort((rng.random(len(group)), cluster))  # cases of a cluster, in random order
        one = np.empty_like(group)
        one[order] = group[shuffled]
        deals.append(one)
    return deals
