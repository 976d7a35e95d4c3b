"""Two groups of images: which images belong to them, two halves of the images, and differences between the groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from pydantic import Field

from audits.seeds import generator
from workbench.probes import by_cluster
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


def favoured(rows: DataFrame, column: str, half: int) -> NDArray[np.float64]:
    """Return 1 or -1 for the group that each number of the column favours in the half other than `half`; (m,).

    What one half says is measured on the other, so that differences by chance cancel out. Where both halves do this
    for each other, their numbers are not independent: their mean varies by up to `DEPENDENT` more than it seems.
    """
    other = rows[(rows["half"] != half) & (rows["side"] >= 0) & rows[column].notna()]
    return np.where(apart(other, column).mean(axis=0) < 0, -1.0, 1.0)
