"""Counts, levels and arrays, looked at once before anything is worked out from them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput

Counts = Mapping[Any, tuple[int, int]]  # group -> (k, n): k of its n members


def check_counts(k: int, n: int) -> None:
    """Refuse what is no count of k among n."""
    whole = all(isinstance(count, Integral) for count in (k, n))
    if not whole or not 0 <= k <= n:
        raise BadInput(f"Of n counted, 0 to n can be successes, in whole numbers; got {k} of {n}.")


def check_level(level: float) -> None:
    """Refuse what is no level of confidence."""
    if not 0 < level < 1:
        raise BadInput(f"A level of confidence lies between 0 and 1, such as 0.95; got {level}.")


def finite(values: ArrayLike) -> NDArray[np.float64]:
    """Return a flat float array without NaN and infinity.

    Raises:
        BadInput: one of the values is neither.
    """
    try:
        x = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise BadInput("Only numbers can be averaged; got something else among the values.") from None
    bad = int((~np.isfinite(x)).sum())
    if bad:
        raise BadInput(
            f"Every value must be a finite number; {bad} of {x.size} are not. Leave those rows out, and say so."
        )
    return x


def arrays(counts: Counts) -> tuple[list[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Return groups, k and n in the order given.

    Raises:
        BadInput: a group's counts cannot be.
    """
    for k, n in counts.values():
        check_counts(k, n)
    pairs = np.array(list(counts.values()), dtype=np.int64).reshape(-1, 2)
    return list(counts), pairs[:, 0], pairs[:, 1]


def clusters_of(cluster: Sequence[Hashable] | NDArray[Any] | None, n: int) -> list[NDArray[np.intp]]:
    """Return the row numbers of each independent unit: single rows, or clusters in order of first appearance.

    Raises:
        BadInput: another number of names than rows, or a missing name.
    """
    if cluster is None:
        return [np.array([at]) for at in range(n)]
    import pandas as pd

    names = pd.Series(list(cluster))
    if len(names) != n:
        raise BadInput(f"Each row needs one cluster; got {len(names)} clusters for {n} rows.")
    if names.isna().any():
        raise BadInput("A cluster name is missing. Give rows that stand alone a name of their own.")
    codes = pd.factorize(names)[0]
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])
