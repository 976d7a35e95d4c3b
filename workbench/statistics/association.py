"""WEAT: are embeddings of one set of targets nearer to one set of attributes than those of another set?

Works on cosines of embeddings of any kind. Few stimuli make d unstable: read it with its interval and sizes.

    s(w, A, B) = mean cos(w, a) - mean cos(w, b)
    d          = (mean s(x) - mean s(y)) / sd of s over X and Y together, ddof = 1

Source: Caliskan, Bryson and Narayanan 2017, Science 356:183; Steed and Caliskan 2021, arXiv:2010.15052 (images).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput
from workbench.statistics import p_values
from workbench.statistics._checks import check_level
from workbench.statistics.intervals import RESAMPLES, Interval

PERMUTATIONS = 10_000  # exact where no more than this many splits exist
Alternative = Literal["two-sided", "greater"]


@dataclass(frozen=True)
class Association:
    """An effect size and whether a random split of the same stimuli would do."""

    d: Interval  # in standard deviations, ddof = 1
    statistic: float  # sum s(x) - sum s(y)
    p_value: float | None
    null_mean: float | None  # of d over splits
    null_q95: float | None
    exact: bool  # every split was tried
    sizes: tuple[int, ...]  # of the sets


def weat(
    to_a: NDArray[np.float64],
    to_b: NDArray[np.float64],
    first: int,
    *,
    rng: np.random.Generator | int,
    alternative: Alternative = "two-sided",
    level: float = 0.95,
) -> Association:
    """Return how much nearer X is to A (and Y to B) than a random split of X and Y would be.

    Args:
        to_a: (x + y, a) cosines of all targets, X in front, to each attribute of A.
        to_b: (x + y, b) cosines to each attribute of B.
        first: x, how many of the rows are X; the others are Y.
        rng: generator or seed.
        alternative: "greater" is the papers' one-sided test.
        level: of confidence.

    Raises:
        BadInput: an empty set, another number of rows, NaN, or a level outside (0, 1).
    """
    check_level(level)
    if to_a.ndim != 2 or to_b.ndim != 2 or len(to_a) != len(to_b) or not 0 < first < len(to_a):
        raise BadInput(
            f"Cosines are two tables with a row a target, X in front; got {to_a.shape}, {to_b.shape}, {first}."
        )
    if not (to_a.size and to_b.size and np.isfinite(to_a).all() and np.isfinite(to_b).all()):
        raise BadInput("Each set of attributes needs at least one word, and every cosine must be a number.")
    nearer = to_a.mean(1) - to_b.mean(1)
    generator = np.random.default_rng(rng)
    d = float(_effect(nearer[None], first)[0])
    sums, exact = _splits(nearer, first, generator)
    seen = float(nearer[:first].sum() - nearer[first:].sum())
    drawn = _drawn(to_a, to_b, first, generator)
    sizes = first, len(to_a) - first, to_a.shape[1], to_b.shape[1]
    spread = float(nearer.std(ddof=1))
    gaps = sums / first - (nearer.sum() - sums) / (len(nearer) - first)
    null = gaps / spread if spread > 0 else None
    return _EffectSize(d, seen, null, drawn, exact, sizes).judged(alternative, level)


def _effect(values: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    """(m, n) values, the first set in front -> (m,) effect sizes; NaN where nothing varies."""
    spread = values.std(axis=1, ddof=1) if values.shape[1] > 1 else np.zeros(len(values))
    apart = values[:, :first].mean(1) - values[:, first:].mean(1)
    effects: NDArray[np.float64] = np.full(len(values), np.nan)
    np.divide(apart, spread, out=effects, where=spread > 1e-12)
    return effects


def _splits(values: NDArray[np.float64], first: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], bool]:
    """Return the first set's sum over splits of the pooled values: all of them, or drawn, the observed one in front."""
    n = len(values)
    if math.comb(n, first) <= PERMUTATIONS:
        chosen = np.array(list(itertools.combinations(range(n), first)))
        return values[chosen].sum(1), True
    drawn = rng.permuted(np.tile(values, (PERMUTATIONS - 1, 1)), axis=1)[:, :first].sum(1)
    return np.concatenate([[values[:first].sum()], drawn]), False


def _drawn(
    to_a: NDArray[np.float64], to_b: NDArray[np.float64], first: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return effect sizes with all four sets drawn again."""
    n = len(to_a)
    weights = [
        rng.multinomial(to.shape[1], np.full(to.shape[1], 1 / to.shape[1]), size=RESAMPLES) for to in (to_a, to_b)
    ]
    nearer = weights[0] @ to_a.T / to_a.shape[1] - weights[1] @ to_b.T / to_b.shape[1]  # (resamples, n)
    rows = [rng.integers(0, first, size=(RESAMPLES, first)), rng.integers(first, n, size=(RESAMPLES, n - first))]
    return _effect(np.take_along_axis(nearer, np.concatenate(rows, axis=1), axis=1), first)


@dataclass(frozen=True)
class _EffectSize:
    """What an association was worked out to be, before it is judged."""

    d: float
    statistic: float
    null: NDArray[np.float64] | None
    drawn: NDArray[np.float64]
    exact: bool
    sizes: tuple[int, ...]

    def judged(self, alternative: Alternative, level: float) -> Association:
        if alternative not in ("two-sided", "greater"):
            raise BadInput(f"A test is 'two-sided' or 'greater'; got {alternative!r}.")
        d, null = self.d, self.null
        if null is None or not math.isfinite(d):
            nothing = Interval(None, None, None, level, "undefined: nothing varies")
            return Association(nothing, self.statistic, None, None, None, self.exact, self.sizes)
        as_far = np.abs(null) >= abs(d) - 1e-9 if alternative == "two-sided" else null >= d - 1e-9
        drawn = p_values.resampled(as_far.sum() - 1, len(null) - 1)  # the observed split stands among them
        p_value, q95 = float(drawn) if self.exact else drawn, float(np.quantile(null, 0.95))
        bounds = _WeatBounds(d, p_value, self.drawn[np.isfinite(self.drawn)])
        return Association(bounds(level), self.statistic, p_value, float(null.mean()), q95, self.exact, self.sizes)


@dataclass(frozen=True, eq=False)
class _WeatBounds:
    """The percentile interval of d at any level, extended to 0 where the permutation test does not reject."""

    d: float
    p_value: float
    drawn: NDArray[np.float64]

    def __call__(self, level: float) -> Interval:
        if not len(self.drawn):
            return Interval(self.d, None, None, level, "undefined: no resample varies")
        low, high = (float(bound) for bound in np.quantile(self.drawn, [(1 - level) / 2, (1 + level) / 2]))
        low, high = min(low, self.d), max(high, self.d)
        if self.p_value >= 1 - level:
            low, high = min(low, 0.0), max(high, 0.0)
        kind = "percentile bootstrap over stimuli" if low < high else "degenerate percentile bootstrap over stimuli"
        return Interval(self.d, low, high, level, kind, at_level=self)
