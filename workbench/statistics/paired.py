"""The same pictures seen by two runs: what changed, by how much, and whether chance would do.

Compares picture by picture, which finds ten times smaller changes than setting two shares side by side. Knows no run
directory; the caller puts rows in the same order.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics import intervals
from workbench.statistics._checks import check_counts, clusters_of, finite
from workbench.statistics.intervals import RESAMPLES, Interval


@dataclass(frozen=True)
class Paired:
    """Second run minus first run, over the same cases."""

    difference: Interval  # of the means, in the outcome's unit
    p_value: float | None  # two-sided; None without cases
    method: str  # of the test
    first: float | None  # mean of each run
    second: float | None
    n: int  # cases in both runs
    gained: int  # cases whose outcome rose, for yes/no outcomes: wrong before, right after
    lost: int  # cases whose outcome fell


def mcnemar(gained: int, lost: int) -> float:
    """Return the exact two-sided p-value of McNemar's test; 1 where nothing changed.

    Raises:
        BadInput: counts that cannot be.

    Source:
        McNemar 1947, Psychometrika 12:153; statsmodels' `mcnemar(exact=True)`.
    """
    check_counts(gained, gained + lost)
    if gained + lost == 0:
        return 1.0
    from statsmodels.stats.contingency_tables import mcnemar as test

    return min(1.0, float(test([[0, int(gained)], [int(lost), 0]], exact=True).pvalue))


def compare(
    first: ArrayLike,
    second: ArrayLike,
    *,
    rng: np.random.Generator | int,
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Paired:
    """Compare two runs case by case: bootstrap interval of the mean difference, and a test.

    The test is McNemar's for independent yes/no cases. Elsewhere signs are flipped at random, a whole cluster at a
    time; all patterns are tried where there are no more than `resamples`.

    Args:
        first: (n,) outcomes, 0..1 or any number.
        second: (n,) outcomes of the same cases in the same order.
        rng: generator or seed, for interval and sign flips.
        cluster: n names of what is one independent unit, such as the person in a picture.
        resamples: how many.
        level: of confidence.

    Raises:
        BadInput: other lengths or NaN.
    """
    before, after = finite(first), finite(second)
    if before.shape != after.shape:
        raise BadInput(f"Both runs must hold the same cases; got {before.size} and {after.size}.")
    change = after - before
    gained, lost, generator = int((change > 0).sum()), int((change < 0).sum()), np.random.default_rng(rng)
    found = intervals.bootstrap(change, rng=generator, cluster=cluster, resamples=resamples, level=level)
    if not change.size:
        return Paired(found, None, found.method, None, None, 0, 0, 0)
    p_value, method = mcnemar(gained, lost), "McNemar exact"
    if not (yes_no := cluster is None and bool(np.isin([before, after], (0, 1)).all())):
        sums = np.array([change[rows].sum() for rows in clusters_of(cluster, change.size)])
        p_value, method = _sign_flips(sums, generator, resamples)
    if found.method.startswith("degenerate") and yes_no:
        found = _edge(change, level)
    return Paired(found, p_value, method, float(before.mean()), float(after.mean()), change.size, gained, lost)


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
        raise BadInput("A sample id stands twice; each case must have an id of its own.")
    rows = list(zip(sample_ids, before, after, strict=True))
    return {"gained": [name for name, a, b in rows if b > a], "lost": [name for name, a, b in rows if b < a]}


def _edge(change: NDArray[np.float64], level: float) -> Interval:
    """Return an interval where every case changed alike (mostly: none did), which a resample cannot doubt.

    Newcombe's paired difference reduces to the Clopper-Pearson bound on the share of cases that might still differ.
    """
    inside = intervals.proportion(0, change.size, level=level, method="clopper-pearson").high or 0.0
    value = float(change.mean())
    return Interval(
        value, max(-1.0, value - inside), min(1.0, value + inside), level, "Clopper-Pearson on changed cases"
    )


def _sign_flips(sums: NDArray[np.float64], rng: np.random.Generator, resamples: int) -> tuple[float, str]:
    """Return how often random signs give a sum as far from 0, and how they were tried."""
    sums = sums[sums != 0]
    seen = abs(float(sums.sum())) - 1e-9 * float(np.abs(sums).sum())
    if len(sums) < 31 and 2 ** len(sums) <= resamples:
        patterns = (np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1
        return float((np.abs((2 * patterns - 1) @ sums) >= seen).mean()), "sign flips, exact"
    hits = 0
    for at in range(0, resamples, 256):  # bounds memory: (256, clusters) signs at once
        signs = 2 * rng.integers(0, 2, size=(min(256, resamples - at), len(sums)), dtype=np.int8) - 1
        hits += int((np.abs(signs @ sums) >= seen).sum())
    return (1 + hits) / (1 + resamples), "sign flips"
