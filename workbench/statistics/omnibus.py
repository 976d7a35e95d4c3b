"""One test of “all groups are alike”, before anybody looks at single groups.

Works on counts (k of n a group), in one table or in one a stratum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.statistics import p_values
from workbench.statistics._checks import Counts, arrays
from workbench.statistics.intervals import RESAMPLES

EXPECTED = 5.0  # below this expected count a table is small and takes an exact or simulated test (Cochran 1954)


@dataclass(frozen=True)
class Omnibus:
    """One test of “all groups are alike”, against any difference."""

    statistic: float | None
    freedom: int | None
    p_value: float | None
    method: str


def omnibus(
    tables: list[Counts],
    *,
    rng: np.random.Generator | int,
    resamples: int = RESAMPLES,
) -> Omnibus:
    """Test whether all groups are alike in every one of the tables (one, or one a stratum).

    Pearson's chi-square, summed over tables. Where an expected count is below 5 the p-value is
    Fisher's (a single two by two table) or comes from dealing the successes at random.

    Raises:
        BadInput: counts that cannot be.
    """
    pieces = []
    for table in tables:
        _, k, n = arrays(table)
        k, n = k[n > 0], n[n > 0]
        if len(n) > 1 and 0 < k.sum() < n.sum():
            pieces.append((k, n))
    if not pieces:
        return Omnibus(None, None, None, "undefined: nothing varies")
    from scipy.stats import chi2, fisher_exact

    seen = float(sum(_chi_square(k[None], n)[0] for k, n in pieces))
    freedom = sum(len(n) - 1 for _, n in pieces)
    least = min(float(min(k.sum(), n.sum() - k.sum()) * n.min() / n.sum()) for k, n in pieces)
    if least >= EXPECTED:
        return Omnibus(seen, freedom, float(chi2.sf(seen, freedom)), "chi-square")
    if len(pieces) == 1 and freedom == 1:
        k, n = pieces[0]
        return Omnibus(seen, 1, min(1.0, float(fisher_exact([k, n - k])[1])), "Fisher exact")
    generator = np.random.default_rng(rng)
    drawn = sum(_chi_square(deal(k, n, rng=generator, resamples=resamples), n) for k, n in pieces)
    hits = int(np.count_nonzero(np.asarray(drawn) >= seen - 1e-9))
    return Omnibus(seen, freedom, p_values.resampled(hits, resamples), "chi-square, permutation")


def deal(k: NDArray[np.int64], n: NDArray[np.int64], *, rng: np.random.Generator, resamples: int) -> NDArray[np.int64]:
    """Return (resamples, groups) successes: their total dealt to the members at random."""
    return rng.multivariate_hypergeometric(n, int(k.sum()), size=resamples, method="marginals")


def _chi_square(k: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m, groups) successes -> (m,) Pearson's chi-square of the groups by success table."""
    rate = k[0].sum() / n.sum()
    return np.asarray((((k - n * rate) ** 2) / (n * rate * (1 - rate))).sum(1), dtype=np.float64)
