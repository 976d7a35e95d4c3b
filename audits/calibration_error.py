"""The row of an expected calibration error: its consistency band and its test, and no interval."""

from __future__ import annotations

from typing import Any

import numpy as np
from pandas import DataFrame

from audits.measuring import repeated
from workbench.statistics.calibration import BINS, Binning, expected_calibration_error
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, number


def calibration_error(
    metric: str,
    rows: DataFrame,
    *,
    rng: np.random.Generator,
    bins: int = BINS,
    binning: Binning = "width",
    **extra: Any,
) -> Measure:
    """Return the calibration error of rows beside that of a calibrated model.

    `rows` have the columns `confidence` (0..1), `outcome:accuracy` (0 or 1) and `cluster`.
    """
    confidence = rows["confidence"].to_numpy(np.float64).clip(0, 1)
    right, cluster = rows["outcome:accuracy"].to_numpy(np.float64), repeated(list(rows["cluster"]))
    error = expected_calibration_error(confidence, right, rng=rng, bins=bins, binning=binning, cluster=cluster)
    fields = {name: getattr(error, name) for name in ("null_mean", "null_q95", "p_value")}
    interval = Interval(error.value, None, None, 0.95, error.method)
    return number(metric, interval, n=len(rows), direction="lower", **fields, **extra)
