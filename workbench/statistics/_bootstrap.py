"""Bounds found by drawing the rows again: SciPy's bootstrap over rows or clusters of rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

BCA_UNITS = 2000  # above this many independent rows the correction is below the resampling error, and costs n passes
_CELLS = 4_000_000  # of one block of resamples, to bound memory


def resampled(
    rows: NDArray[Any],
    statistic: Callable[[NDArray[Any]], float],
    members: list[NDArray[np.intp]] | None,
    *,
    rng: np.random.Generator | int,
    resamples: int,
    level: float,
) -> tuple[float | None, float | None, str]:
    from scipy.stats import bootstrap as resample

    units = rows.shape[0] if members is None else len(members)
    quick = statistic is np.mean and rows.ndim == 1  # a mean of many resamples at once, from the units' sums
    drawn = _means(rows, members) if quick else _drawn(rows, statistic, members)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a constant statistic warns; it is handled below
        result = resample(
            (np.arange(units),),
            drawn,
            n_resamples=resamples,
            batch=max(1, _CELLS // units) if quick else None,
            vectorized=quick,
            confidence_level=level,
            method="BCa" if units <= BCA_UNITS else "percentile",
            rng=np.random.default_rng(rng),
        )
    low, high = (float(bound) for bound in result.confidence_interval)
    if math.isfinite(low) and math.isfinite(high):
        kind = "BCa" if units <= BCA_UNITS else "percentile"
        return low, high, kind if low < high else "degenerate"
    spread = result.bootstrap_distribution[np.isfinite(result.bootstrap_distribution)]
    if spread.size == 0:
        return None, None, "undefined: no resample gives a number;"
    low, high = (float(bound) for bound in np.quantile(spread, [(1 - level) / 2, (1 + level) / 2]))
    return low, high, "percentile" if low < high else "degenerate"


def _drawn(
    rows: NDArray[Any], statistic: Callable[[NDArray[Any]], float], members: list[NDArray[np.intp]] | None
) -> Callable[[NDArray[np.intp]], float]:
    if members is None:
        return lambda units: float(statistic(rows[units]))
    return lambda units: float(statistic(rows[np.concatenate([members[unit] for unit in units])]))


def _means(rows: NDArray[Any], members: list[NDArray[np.intp]] | None) -> Callable[..., Any]:
    if members is None:
        return lambda units, axis: rows[units].mean(axis=axis)
    sums = np.array([rows[unit].sum() for unit in members])
    sizes = np.array([len(unit) for unit in members])
    return lambda units, axis: sums[units].sum(axis=axis) / sizes[units].sum(axis=axis)
