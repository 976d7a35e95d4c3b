"""How unlikely a score is by chance: a null distribution for each result, and the cut-off that ends a list.

A raw cosine means little: its range differs between models, queries and images. A text is therefore measured, for each
image on its own, against about four hundred stock sentences on the same image; an image, against the other rows of the
index. Near kinds lie above stock sentences too, so the name of a kind must also win against the other names on each
image (`rivals`), and any other text must come near to what it reaches on its best images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CUT = 4.0  # standard deviations above the null from which a result is called likely
NEAR, FIRST = 0.7, 3  # of a text's deviations: what a result needs, as a part of the mean of so many best ones
TIE = 1e-6  # of cosines
FEW = 30  # rows below which an index tells nothing about an image query
_MAD = 1.4826  # median absolute deviation -> standard deviation of a normal distribution


@dataclass(frozen=True)
class Chance:
    """The null that a query is measured with."""

    stock: NDArray[np.float32] | None  # (m, dim) unit rows of the stock sentences; None for queries with an image
    cut: float = CUT
    rivals: NDArray[np.float32] | None = None  # (k, dim) unit rows of names that the query competes with

    def measure(
        self, vectors: NDArray[np.float32], cosines: NDArray[np.float32], index: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compare scores with the null.

        Args:
            vectors: (n, dim) of the results.
            cosines: (n,) of the results with the query.
            index: (r,) of the index's rows, or of a sample, with the query.

        Returns:
            Share of the null that reaches each score (0..1; what is beyond all counts as one of them), and how many
            standard deviations each score lies above the null's centre; infinite where too little is there to compare.
        """
        if self.stock is None:
            if len(index) < FEW:
                return np.zeros(len(cosines)), np.full(len(cosines), np.inf)
            null = np.broadcast_to(index, (len(cosines), len(index)))
            centre = np.full(len(cosines), np.median(index))
            spread = np.full(len(cosines), _MAD * np.median(np.abs(index - centre[:1])))
            return _reached(cosines, null), (cosines - centre) / np.maximum(spread, 1e-6)
        return against(cosines, vectors @ self.stock.T)

    def likely(
        self, vectors: NDArray[np.float32], cosines: NDArray[np.float32], deviations: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Say which results fit the query; (n,). Arguments are as `measure` takes and returns them."""
        beyond: NDArray[np.bool_] = deviations >= self.cut
        if self.rivals is not None:
            beyond &= cosines >= (vectors @ self.rivals.T).max(axis=1) - TIE
            return beyond
        if self.stock is None or not len(deviations):
            return beyond
        beyond &= deviations >= NEAR * np.sort(deviations)[-FIRST:].mean()
        return beyond


def against(scores: NDArray[np.float32], null: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how large a share of its null reaches each score, and how many standard deviations it lies above it.

    Args:
        scores: (n,).
        null: (n, m) scores of the stock sentences.
    """
    centre, spread = null.mean(axis=1), null.std(axis=1)
    return _reached(scores, null), (scores - centre) / np.maximum(spread, 1e-6)


def _reached(scores: NDArray[np.float32], null: NDArray[np.float32]) -> NDArray[np.float64]:
    reached: NDArray[np.float64] = (1 + np.count_nonzero(null >= scores[:, None], axis=1)) / (1 + null.shape[1])
    return reached
