"""Who stands at the top of a search: skew, MaxSkew, MinSkew at k, and NDKL, beside what a random order gives.

Works on the groups of a ranking, best first. Knows no query and no picture.

    skew of a group at k   ln(its share among the first k / its target share); a group that is not there counts as 1 / k
    NDKL at k              divergence of the first i from the target, averaged over i up to k, weights 1 / log2(i + 1)

Source: Geyik, Ambler and Kenthapadi 2019, arXiv:1905.01989, section 3.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics import _ranked
from workbench.statistics._beside import Beside, Measured, Rows, beside
from workbench.statistics._checked import check_level, clusters_of, finite
from workbench.statistics._ranked import Target
from workbench.statistics.intervals import RESAMPLES

__all__ = ["Beside", "Measured", "Target", "max_skew", "measured", "min_skew", "ndkl", "order", "skew_at_k"]
DIGITS = 6  # scores are rounded to this before ties are broken


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
        raise BadInput("A sample id stands twice; ties could not be broken the same way each time.")
    return np.lexsort((names, -np.round(x, DIGITS)))


def skew_at_k(
    groups: Sequence[Hashable], k: int | Sequence[int], *, target: Target = "dataset"
) -> dict[Any, NDArray[np.float64]]:
    """Return each group's skew at each k, in nats.

    Args:
        groups: of the ranked items, best first.
        k: one or more numbers of items, 1..n.
        target: "dataset" (each group's share of all ranked items), "uniform" over the groups that are ranked, or the
            share of each group; a group that such a target names and the ranking lacks counts too.

    Returns:
        group -> (number of k,).

    Raises:
        BadInput: an empty ranking, a k outside 1..n, or a target that leaves out a group or does not add up to 1.
    """
    names, codes, shares = _ranked.coded(groups, target)
    found = _ranked.scored(codes[None], len(names), _ranked.checked_k(k, len(codes)), shares=shares)
    return dict(zip(names, found.skew[0].T, strict=True))


def max_skew(groups: Sequence[Hashable], k: int | Sequence[int], *, target: Target = "dataset") -> NDArray[np.float64]:
    """(number of k,) the largest skew of any group, in nats: how far the most favoured group is over its target.

    Raises:
        BadInput: as `skew_at_k`.
    """
    found: NDArray[np.float64] = np.stack(list(skew_at_k(groups, k, target=target).values())).max(axis=0)
    return found


def min_skew(groups: Sequence[Hashable], k: int | Sequence[int], *, target: Target = "dataset") -> NDArray[np.float64]:
    """(number of k,) the smallest skew of any group, in nats: how far the least favoured group is under its target.

    Raises:
        BadInput: as `skew_at_k`.
    """
    found: NDArray[np.float64] = np.stack(list(skew_at_k(groups, k, target=target).values())).min(axis=0)
    return found


def ndkl(
    groups: Sequence[Hashable], k: int | Sequence[int] | None = None, *, target: Target = "dataset"
) -> NDArray[np.float64]:
    """(number of k,) NDKL, 0 or more, in nats; without k, of the whole ranking.

    Raises:
        BadInput: as `skew_at_k`.
    """
    names, codes, shares = _ranked.coded(groups, target)
    at = _ranked.checked_k(len(codes) if k is None else k, len(codes))
    found: NDArray[np.float64] = _ranked.scored(codes[None], len(names), at, shares=shares).ndkl[0]
    return found


def measured(
    groups: Sequence[Hashable],
    k: int | Sequence[int],
    *,
    rng: np.random.Generator | int,
    target: Target = "dataset",
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
    level: float = 0.95,
) -> Measured:
    """Return MaxSkew, MinSkew and NDKL at each k with intervals and nulls, 2,000 resamples each.

    MaxSkew is at least 0 and grows with the number of groups even by chance. Its lower bound is therefore simultaneous
    over groups, its upper bound the largest of any group; MinSkew the other way round. NDKL's interval is the basic
    bootstrap, which takes resampling's upward bias off; NDKL is above 0 for random orders too, so judge it by its null.

    Args:
        groups: of the ranked items, best first.
        k: one or more numbers of items, 1..n.
        rng: generator or seed.
        target: as in `skew_at_k`.
        cluster: n names of what is drawn together, in the ranking's order.
        level: of confidence.

    Raises:
        BadInput: as `skew_at_k`; another number of clusters.
    """
    check_level(level)
    names, codes, shares = _ranked.coded(groups, target)
    at = _ranked.checked_k(k, len(codes))
    members = None if cluster is None else clusters_of(cluster, len(codes))
    generator, size, depth = np.random.default_rng(rng), len(names), max(at)
    orders = _ranked.shuffled(codes, size, generator, resamples=RESAMPLES, depth=depth)
    redrawn = _ranked.redrawn(codes, members, size, rng=generator, resamples=RESAMPLES, depth=depth)
    value = _ranked.scored(codes[None], size, at, shares=shares)
    null, drawn = (
        _all([_ranked.scored(block, size, at, shares=shares) for block in each]) for each in (orders, redrawn)
    )
    rows = Rows(at, len(codes), level, clustered=cluster is not None)
    return beside(value, null, drawn=drawn, rows=rows)


def _all(blocks: list[_ranked.Scored]) -> _ranked.Scored:
    return _ranked.Scored(
        np.concatenate([block.skew for block in blocks]), np.concatenate([block.ndkl for block in blocks])
    )
