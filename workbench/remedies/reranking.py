"""Constrained ranking: a list in which each group keeps its share at every length, as far as whole numbers allow."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics.ranking import order

Method = Literal["greedy", "conservative"]


def rerank(
    scores: ArrayLike,
    groups: Sequence[Hashable],
    *,
    method: Method = "greedy",
    targets: Mapping[Hashable, int] | None = None,
) -> NDArray[np.intp]:
    """Return the row numbers, best first, such that the first k hold each group's share of k, rounded down or up.

    Where a group falls below its share rounded down, its best row comes next. Otherwise the best row of all groups
    below their share rounded up ("greedy"), or a row of the group that would need it first ("conservative").

    Args:
        scores: (n,), larger is better.
        groups: (n,) of each row.
        method: DetGreedy or DetCons.
        targets: wanted parts of each group, in whole numbers that need not add up to n; without them the groups' sizes.

    Raises:
        BadInput: another number of groups, an unknown method, or a group without a target.

    Source:
        Geyik, Ambler and Kenthapadi 2019, arXiv:1905.01989, algorithms 1 and 2.
    """
    best = order(scores, range(len(groups))).tolist()
    waiting: dict[Hashable, list[int]] = {}
    for row in best:
        waiting.setdefault(groups[row], []).append(row)
    parts = {group: len(rows) for group, rows in waiting.items()} if targets is None else dict(targets)
    if method not in ("greedy", "conservative") or set(waiting) - set(parts):
        raise BadInput("A constrained ranking is 'greedy' or 'conservative', and every group has a target.")
    whole, place = sum(parts.values()), {row: at for at, row in enumerate(best)}
    counts, ranked = dict.fromkeys(waiting, 0), list[int]()
    for k in range(1, len(best) + 1):
        left = [group for group in waiting if counts[group] < len(waiting[group])]
        first = {group: place[waiting[group][counts[group]]] for group in left}
        below = [group for group in left if counts[group] < parts[group] * k // whole]
        upper = {group: -(-parts[group] * k // whole) for group in left}
        room = [group for group in left if counts[group] < upper[group]] or left
        if below or method == "greedy":
            chosen = min(below or room, key=lambda group: first[group])
        else:
            chosen = min(room, key=lambda group: (upper[group] / max(parts[group], 1e-9), first[group]))
        ranked.append(waiting[chosen][counts[chosen]])
        counts[chosen] += 1
    return np.array(ranked, dtype=np.intp)
