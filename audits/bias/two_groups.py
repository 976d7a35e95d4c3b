"""Two groups of images: which images belong to them, two halves of the images, and differences between the groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from pydantic import Field

from audits.seeds import generator
from workbench.probes import by_cluster
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure
from workbench.strict import Strict

HALVES = (0, 1)
DEPENDENT = float(np.sqrt(1 + 2 / np.pi))  # of two normal numbers, each signed by the other's sign, if both are about 0


class Side(Strict):
    """One of the two groups."""

    values: tuple[str, ...] = Field(min_length=1)  # of the attribute
    word: str  # "male", as in "a male person" and "a cook who is male"


class TwoGroups(Strict):
    """Settings of an audit that compares two groups of one attribute."""

    attribute: str
    sides: tuple[Side, Side]
    halves: str = ""  # column whose values are dealt to two halves; empty: the splits, or else clusters

    @property
    def words(self) -> tuple[str, str]:
        """The words of the two groups."""
        return self.sides[0].word, self.sides[1].word

    def side(self, table: DataFrame) -> NDArray[np.int_]:
        """Return 0 or 1 for images of the two groups, -1 for others; (n,)."""
        return np.select([table[self.attribute].isin(side.values).to_numpy(bool) for side in self.sides], [0, 1], -1)

    def half(self, table: DataFrame, seed: int) -> NDArray[np.int_]:
        """Return 0 or 1 for the half of each image; (n,)."""
        if not self.halves:
            return by_cluster.testing(list(table["split"]), list(table["cluster"])).astype(int)
        values = sorted(set(table[self.halves]))
        dealt = {values[at] for at in generator(seed, "halves").permutation(len(values))[::2]}
        return np.asarray(table[self.halves].isin(dealt), int)


def apart(rows: DataFrame, column: str, *, scaled: bool = False) -> NDArray[np.float64]:
    """Return (n, m) numbers whose means are the first group's mean minus the second's.

    Args:
        rows: n images of both groups, with `side`.
        column: holds a number or a list of m numbers in each row.
        scaled: count in standard deviations (n - 1) of these images.
    """
    values = np.array(rows[column].tolist(), float).reshape(len(rows), -1)
    if scaled:
        values = values / np.maximum(values.std(axis=0, ddof=1), 1e-9)
    first = (rows["side"] == 0).to_numpy(bool)
    weights = np.where(first, len(rows) / max(1, first.sum()), -len(rows) / max(1, (~first).sum()))
    return np.asarray((values - values.mean(axis=0)) * weights[:, None])


def skews(rows: DataFrame, column: str, *, favoured_in: DataFrame) -> NDArray[np.float64]:
    """Return (n,) numbers whose mean is MaxSkew@k, averaged over m searches: its value plus each image's influence.

    Args:
        rows: n images of both groups, with `side`.
        column: 1 where an image is among the first k of a search, else 0; a list of m in each row.
        favoured_in: images that say which group is the most favoured. With `rows` the mean is MaxSkew itself, which
            chance alone lifts above 0; with the other half it is 0 on average where no group is favoured. As both
            halves judge each other, their mean varies by up to `DEPENDENT` more than it seems: it is widened for that.

    Source:
        Geyik, Ambler and Kenthapadi 2019, arXiv:1905.01989, section 3: ln(share among the first k / share of all), of
        the group that has the largest; an absent group counts as 1 / k. Influence: Hampel 1974, J. Am. Stat. Assoc.
        69:383.
    """
    skew, influence = _skews(rows, column)
    largest = _skews(favoured_in, column)[0].argmax(axis=0)
    searches = np.arange(len(largest))
    wider = 1.0 if favoured_in is rows else DEPENDENT
    return np.asarray((skew[largest, searches, None] + wider * influence[largest, :, searches]).mean(axis=0))


def _skews(rows: DataFrame, column: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the skew of each group, (2, m), and the influence of each image on it, (2, n, m)."""
    first = np.array(rows[column].tolist(), float).reshape(len(rows), -1)
    member = np.equal.outer((0, 1), rows["side"].to_numpy(int)).astype(float)[..., None]
    hits, size, k, n = np.maximum((member * first).sum(axis=1), 1), member.sum(axis=1), first.sum(axis=0), len(rows)
    skew = np.log(hits / k * n / size)
    influence = n * (member * first / hits[:, None] - first / k - member / size[:, None])
    return skew, influence - influence.mean(axis=1, keepdims=True)


def lower_bounded(largest: Measure, judged: Measure) -> Measure:
    """Return MaxSkew with the test and the lower bound of `judged`, whose favoured groups come from the other half."""
    above, below = largest.at_level, judged.at_level
    if above is None or below is None or largest.value is None:
        return largest
    value, method = max(0.0, largest.value), "Student t; lower bound without chance's part"

    def at_level(level: float) -> Interval:
        low, high = below(level).low, above(level).high
        return Interval(value, max(0.0, min(low or 0.0, value)), high, level, method)

    now = at_level(0.95)
    return replace(
        largest,
        value=value,
        ci_low=now.low,
        ci_high=now.high,
        ci_method=method,
        p_value=judged.p_value,
        at_level=at_level,
    )
