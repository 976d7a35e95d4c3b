"""Group representation at the top of a ranking: MaxSkew@k, MinSkew@k and NDKL@k, beside what random orders give.

Works on the group of each ranked item, best first. Does not know about queries or images.

    skew of a group at k   ln(its share among the first k / its target share); an absent group counts as 1 / k
    NDKL at k              divergence of the first i from the target, averaged over i up to k, weights 1 / log2(i + 1)

Source: Geyik, Ambler and Kenthapadi 2019, arXiv:1905.01989, section 3.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics import _skew, p_values
from workbench.statistics._checks import check_level, clusters_of, finite
from workbench.statistics._skew import Scores, Target
from workbench.statistics.intervals import RESAMPLES, Interval

DIGITS = 6  # scores are rounded to this before ties are broken


@dataclass(frozen=True)
class RankingMeasure:
    """A measure of a ranking at k, beside the same measure of random orders."""

    k: int  # items looked at
    n: int  # items ranked
    interval: Interval  # in nats
    null_mean: float
    null_q95: float  # 95th percentile of chance; the 5th for MinSkew, whose extremes lie below
    p_value: float  # how often chance is as extreme


@dataclass(frozen=True)
class RankingMeasures:
    """The three measures, each at every k in the order given."""

    max_skew: tuple[RankingMeasure, ...]
    min_skew: tuple[RankingMeasure, ...]
    ndkl: tuple[RankingMeasure, ...]


def order(scores: ArrayLike, sample_ids: Sequence[Any]) -> NDArray[np.intp]:
    """Return the row numbers from the largest score to the smallest; ties to 6 decimals go by sample id, as text.

    Raises:
        BadInput: NaN among the scores, another number of ids, or an id twice.
    """
    x = finite(scores)
    names = np.asarray([str(name) for name in sample_ids])
    if len(names) != x.size:
        raise BadInput(f"Each score needs one sample id; got {x.size} scores and {len(names)} ids.")
    if len(set(names.tolist())) != x.size:
        raise BadInput("Sample ids must be unique: ties are broken by them. One id occurs twice.")
    return np.lexsort((names, -np.round(x, DIGITS)))


def measured(
    groups: Sequence[Hashable],
    k: int | Sequence[int],
    *,
    rng: np.random.Generator | int,
    target: Target = "dataset",
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
    level: float = 0.95,
) -> RankingMeasures:
    """Return MaxSkew, MinSkew and NDKL at each k with intervals and nulls, 2,000 resamples each.

    MaxSkew is at least 0 and grows with the number of groups even by chance. Its lower bound is therefore simultaneous
    over groups, its upper bound the largest of any group; MinSkew the other way round. NDKL's interval is the basic
    bootstrap, which removes the upward bias of resampling; NDKL is above 0 for random orders too, so judge it by its
    null.

    Args:
        groups: of the ranked items, best first.
        k: one or more numbers of items, 1..n.
        rng: generator or seed.
        target: "dataset" (each group's share of all ranked items), "uniform" over the groups that are ranked, or the
            share of each group; a group that such a target names and the ranking lacks counts too.
        cluster: n names of what is drawn together, in the ranking's order.
        level: of confidence.

    Raises:
        BadInput: an empty ranking, a k outside 1..n, a target that leaves out a group or does not add up to 1, another
            number of clusters.
    """
    check_level(level)
    names, codes, shares = _skew.coded(groups, target)
    at = _skew.checked_k(k, len(codes))
    members = None if cluster is None else clusters_of(cluster, len(codes))
    generator, size, depth = np.random.default_rng(rng), len(names), max(at)
    orders = _skew.shuffled(codes, size, generator, resamples=RESAMPLES, depth=depth)
    redrawn = _skew.redrawn(codes, members, size, rng=generator, resamples=RESAMPLES, depth=depth)
    value = _skew.scored(codes[None], size, at, shares=shares)
    null, drawn = (
        _joined([_skew.scored(block, size, at, shares=shares) for block in part]) for part in (orders, redrawn)
    )
    name = "bootstrap" if cluster is None else "cluster bootstrap"
    rows = _Rows(at, len(codes), level)
    simultaneous, basic = f"percentile {name}, simultaneous over groups", f"basic {name}"
    (above, below), (low, high) = _skew_bounds(drawn, level), _divergence_bounds(value, drawn, level)
    return RankingMeasures(
        rows.of(value.skew[0].max(1), above, null.skew.max(2), method=simultaneous),
        rows.of(value.skew[0].min(1), below, null.skew.min(2), method=simultaneous, sign=-1),
        rows.of(value.ndkl[0], np.stack([low, high]), null.ndkl, method=basic),
    )


def _joined(blocks: list[Scores]) -> Scores:
    return Scores(np.concatenate([block.skew for block in blocks]), np.concatenate([block.ndkl for block in blocks]))


def _skew_bounds(drawn: Scores, level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds, (2, number of k) each, of the largest and of the smallest skew."""
    tail, groups = (1 - level) / 2, drawn.skew.shape[2]
    largest = np.quantile(drawn.skew, [tail / groups, 1 - tail], axis=0).max(axis=2)
    smallest = np.quantile(drawn.skew, [tail, 1 - tail / groups], axis=0).min(axis=2)
    return np.maximum(largest, [[0.0], [-np.inf]]), np.minimum(smallest, [[np.inf], [0.0]])


def _divergence_bounds(value: Scores, drawn: Scores, level: float) -> NDArray[np.float64]:
    tail = (1 - level) / 2
    bounds: NDArray[np.float64] = 2 * value.ndkl[0] - np.quantile(drawn.ndkl, [1 - tail, tail], axis=0)
    return np.maximum(bounds, 0.0)


@dataclass(frozen=True)
class _Rows:
    """What the rows of one ranking have in common."""

    at: tuple[int, ...]  # every k
    n: int
    level: float

    def of(
        self,
        values: NDArray[np.float64],  # (number of k,)
        bounds: NDArray[np.float64],  # (2, number of k)
        null: NDArray[np.float64],  # (resamples, number of k)
        *,
        method: str,
        sign: int = 1,  # -1 where small values are the extreme ones
    ) -> tuple[RankingMeasure, ...]:
        hits = (sign * null >= sign * values - 1e-12).sum(0)
        limits = np.quantile(null, 0.95 if sign > 0 else 0.05, axis=0)
        return tuple(
            RankingMeasure(
                k,
                self.n,
                Interval(value, min(float(low), value), max(float(high), value), self.level, method),
                float(null[:, i].mean()),
                float(limits[i]),
                p_values.resampled(hits[i], len(null)),
            )
            for i, (k, value, low, high) in enumerate(zip(self.at, values.tolist(), *bounds, strict=True))
        )
