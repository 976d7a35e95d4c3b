"""Measures of a ranking set beside the same measures of random orders, with bounds from rankings drawn again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.statistics._ranked import Scored
from workbench.statistics.intervals import Interval


@dataclass(frozen=True)
class Beside:
    """A measure of a ranking at k, beside the same measure of random orders."""

    k: int  # items looked at
    n: int  # items ranked
    interval: Interval  # in nats
    null_mean: float
    null_q95: float  # 95th percentile of chance; the 5th for MinSkew, whose extremes lie below
    p_value: float  # how often chance is as extreme


@dataclass(frozen=True)
class Measured:
    """The three measures at each k, in the order given."""

    max_skew: tuple[Beside, ...]
    min_skew: tuple[Beside, ...]
    ndkl: tuple[Beside, ...]


@dataclass(frozen=True)
class Rows:
    """What the rows of one ranking share."""

    at: tuple[int, ...]
    n: int
    level: float
    clustered: bool

    def beside(
        self,
        values: NDArray[np.float64],  # (number of k,)
        bounds: NDArray[np.float64],  # (2, number of k)
        null: NDArray[np.float64],  # (resamples, number of k)
        *,
        method: str,
        below: bool = False,
    ) -> tuple[Beside, ...]:
        """Set each value beside its null; `below` where small values are the extreme ones."""
        sign = -1 if below else 1
        hits = (sign * null >= sign * values - 1e-12).sum(0)
        limits = np.quantile(null, 0.05 if below else 0.95, axis=0)
        return tuple(
            Beside(
                k,
                self.n,
                Interval(
                    float(values[i]),
                    float(min(bounds[0, i], values[i])),
                    float(max(bounds[1, i], values[i])),
                    self.level,
                    method,
                ),
                float(null[:, i].mean()),
                float(limits[i]),
                float((1 + hits[i]) / (1 + len(null))),
            )
            for i, k in enumerate(self.at)
        )


def beside(value: Scored, null: Scored, *, drawn: Scored, rows: Rows) -> Measured:
    """Return the three measures at each k; bounds of the skews are simultaneous over groups towards 0."""
    tail, name = (1 - rows.level) / 2, "cluster bootstrap" if rows.clustered else "bootstrap"
    size = drawn.skew.shape[2]
    again, seen = drawn.skew, value.skew[0]
    most = np.quantile(again, [tail / size, 1 - tail], axis=0).max(axis=2)  # (2, number of k)
    least = np.quantile(again, [tail, 1 - tail / size], axis=0).min(axis=2)
    even = 2 * value.ndkl[0] - np.quantile(drawn.ndkl, [1 - tail, tail], axis=0)
    skewed, plain = f"percentile {name}, simultaneous over groups", f"basic {name}"
    return Measured(
        rows.beside(seen.max(1), np.maximum(most, [[0.0], [-np.inf]]), null.skew.max(2), method=skewed),
        rows.beside(seen.min(1), np.minimum(least, [[np.inf], [0.0]]), null.skew.min(2), method=skewed, below=True),
        rows.beside(value.ndkl[0], np.maximum(even, 0.0), null.ndkl, method=plain),
    )
