"""Lines and correlations through the points of the paper's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from workbench.probes.suite.plots import PlotPoint

FEWEST = 3  # points that a line needs


def log_log_slope(points: Sequence[PlotPoint]) -> float | None:
    """Return the slope of log error over log GMACs; None for fewer than three models, or equal ones."""
    if len({point.x.value for point in points}) < FEWEST or any(not point.y.value for point in points):
        return None
    x, y = (np.log([float(getattr(point, side).value) for point in points]) for side in ("x", "y"))
    return float(np.polyfit(x, y, 1)[0])


def correlation(points: Sequence[PlotPoint]) -> float | None:
    """Return Pearson's correlation of x and y; None for fewer than three points, or without spread."""
    x, y = (np.array([point.x.value for point in points], float), np.array([point.y.value for point in points], float))
    if len(points) < FEWEST or x.std() == 0 or y.std() == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])
