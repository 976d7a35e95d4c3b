"""Several pictures of one person are fewer than they seem: counts shrunk to what independent cases would tell.

For yes/no outcomes; numbers of other kinds go through `intervals.bootstrap(cluster=…)`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics._checks import clusters_of, finite


def effective(outcomes: ArrayLike, cluster: Sequence[Hashable] | NDArray[Any] | None) -> tuple[int, int]:
    """Return (k, n) divided by the design effect, in whole numbers: what goes into a test or interval for shares.

    The design effect is the cluster-robust variance of the share over its binomial variance, at least 1. Where all
    outcomes are equal it cannot be estimated, and n is the number of clusters.

    Args:
        outcomes: (n,) 0 or 1.
        cluster: n names, or None for independent cases, which are counted as they are.

    Raises:
        BadInput: outcomes that are not 0 or 1, or another number of names.

    Source:
        Rao and Scott 1992, Biometrics 48:577.
    """
    x = finite(outcomes)
    if not np.isin(x, (0, 1)).all():
        raise BadInput("An outcome that is counted is 0 or 1; got other numbers.")
    k, n = int(x.sum()), x.size
    if cluster is None or n == 0:
        return k, n
    members = clusters_of(cluster, n)
    share, units = k / n, len(members)
    if k in (0, n) or units == 1:
        return (units if k == n else round(units * share)), units
    residuals = np.array([x[rows].sum() - share * len(rows) for rows in members])
    robust = units / (units - 1) * float((residuals**2).sum()) / n**2
    design = max(1.0, robust / (share * (1 - share) / n))
    size = max(1, round(n / design))
    return round(share * size), size
