"""A mean over several draws (of shots, of prompts) and the same cases, whose interval counts both sources of chance.

Draws and cases are crossed: every draw answers every case. The variance is the sum of that of the draws' means and
that of the cases' (or clusters') means, and the degrees of freedom are Satterthwaite's.

Source: Owen 2007, Ann. Appl. Stat. 1:386 (crossed effects: both variances add up); Satterthwaite 1946, Biometrics
Bull. 2:110.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics._checks import clusters_of
from workbench.statistics.intervals import Interval


@dataclass(frozen=True)
class MeanOverDraws:
    """The mean, its interval at any level, and its test against 0."""

    value: float
    error: float | None  # standard error; None with one case or one cluster
    freedom: float
    method: str

    @property
    def p_value(self) -> float | None:
        """Two-sided; below 1 - level exactly where the interval at that level excludes 0."""
        from scipy.stats import t

        return 2 * float(t.sf(abs(self.value) / self.error, self.freedom)) if self.error else None

    def __call__(self, level: float = 0.95) -> Interval:
        """Return the interval; without one where nothing varies."""
        from scipy.stats import t

        if not self.error:
            return Interval(self.value, None, None, level, "undefined: nothing varies, or one case")
        half = float(t.ppf((1 + level) / 2, self.freedom)) * self.error
        return Interval(self.value, self.value - half, self.value + half, level, self.method, at_level=self)

    def share(self, level: float = 0.95) -> Interval:
        """Return the interval of a share, its bounds within 0..1."""
        whole = self(level)
        low, high = (None if end is None else min(1.0, max(0.0, end)) for end in (whole.low, whole.high))
        return replace(whole, low=low, high=high)


def mean_over_draws(
    values: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
) -> MeanOverDraws:
    """Return the mean of (draws, n) outcomes, or of changes between outcomes.

    Args:
        values: what each draw gives for each of n cases.
        groups: n names of classes; the mean is then over classes of the class's mean.
        cluster: n names of what is one independent unit.

    Raises:
        BadInput: no draw, no case, or another number of groups or clusters.
    """
    x = np.atleast_2d(np.asarray(values, dtype=np.float64))
    draws, n = x.shape
    if not x.size:
        raise BadInput(f"A mean over draws needs one draw and one case; got {draws} draws of {n} cases.")
    code = np.zeros(n, np.intp) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = clusters_of(cluster, n)
    sizes = np.bincount(code)
    weights = 1 / (len(sizes) * sizes[code])
    by_draw, by_case = x @ weights, x.mean(axis=0)
    centred = weights * (by_case - (np.bincount(code, by_case) / sizes)[code])
    units = np.array([centred[rows].sum() for rows in members])
    value, free = float(by_draw.mean()), len(units) - len(sizes)
    if free < 1:
        return MeanOverDraws(value, None, 0, "")
    parts = [(len(units) / free * float(units @ units), free)]
    if draws > 1:
        parts.append((float(by_draw.var(ddof=1)) / draws, draws - 1))
    total = sum(variance for variance, _ in parts)
    freedom = total**2 / sum(variance**2 / free for variance, free in parts) if total else 0.0
    noun = "images" if len(units) == n else "clusters"
    return MeanOverDraws(value, math.sqrt(total), freedom, f"Student t over {draws} draws and {len(units)} {noun}")
