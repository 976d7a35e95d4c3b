"""Hubs are images that answer to everything; a bank of stock sentences finds them and ranks them down.

Source:
    Bogolin et al. 2022, Cross Modal Retrieval with Querybank Normalisation, arXiv:2112.12777.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.retrieval.memory import TableVectors

BETA = 20.0  # inverse temperature, as in the paper
CHUNK = 8192  # rows of the table at a time
NEAREST = 10  # k of the k-occurrence


@dataclass(frozen=True)
class _BankScores:
    """What a bank says about a table."""

    sums: NDArray[np.float64]  # (n,) sum of exp(beta * cosine) over the bank
    hubs: NDArray[np.bool_]  # (n,) first answer to some sentence of the bank


_known: weakref.WeakKeyDictionary[TableVectors, _BankScores] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def bank_normalised(scores: NDArray[np.float32], bank: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalise the scores of queries whose first answer is a hub, and leave the others as they are; (queries, items).

    Args:
        scores: (queries, items) of what is evaluated.
        bank: (m, items) of sentences that are not among the queries.
    """
    hubs = np.unique(bank.argmax(axis=1))
    rows = np.isin(scores.argmax(axis=1), hubs)
    corrected = scores.astype(np.float32, copy=True)
    corrected[rows] = np.exp(BETA * scores[rows]) / np.exp(BETA * bank.astype(np.float64)).sum(axis=0)
    return corrected


def hubness(scores: NDArray[np.float32] | NDArray[np.float64]) -> float:
    """Return the skewness of how often each item is among the ten best of a query.

    0 is even; a few hubs make it large (Radovanović et al. 2010, Hubs in Space).

    Args:
        scores: (queries, items).
    """
    from scipy.stats import skew

    k = min(NEAREST, scores.shape[1])
    nearest = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    counts = np.bincount(nearest.ravel(), minlength=scores.shape[1])
    return float(skew(counts)) if np.ptp(counts) else 0.0


class QueryBank:
    """Normalises scores with the scores of a bank of other queries.

    Args:
        bank: (m, dim) unit rows of sentences that are not the query.
    """

    def __init__(self, bank: NDArray[np.float32]) -> None:
        self._bank = bank

    def scores(self, kept: TableVectors, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what to rank by: the cosines, or, where the first answer is a hub, the normalised ones; (n,)."""
        known = self._table(kept)
        if not len(cosines) or not known.hubs[int(np.argmax(cosines))]:
            return cosines
        normalised: NDArray[np.float32] = (np.exp(BETA * cosines) / known.sums).astype(np.float32)
        return normalised

    def hubness(self, kept: TableVectors) -> tuple[float, float]:
        """Return the hubness of a table, with the bank as queries, before and after the correction; see `hubness`."""
        cosines = self._bank @ kept.vectors.T
        return hubness(cosines), hubness(np.exp(BETA * cosines) / self._table(kept).sums)

    def _table(self, kept: TableVectors) -> _BankScores:
        with _lock:
            if kept not in _known:
                _known[kept] = self._measured(kept.vectors)
            return _known[kept]

    def _measured(self, vectors: NDArray[np.float32]) -> _BankScores:
        sums = np.zeros(len(vectors))
        best, at = np.full(len(self._bank), -np.inf), np.zeros(len(self._bank), np.int64)
        for start in range(0, len(vectors), CHUNK):
            cosines = self._bank @ vectors[start : start + CHUNK].T  # (m, chunk)
            sums[start : start + CHUNK] = np.exp(BETA * cosines).sum(axis=0)
            first = cosines.argmax(axis=1)
            top = cosines[np.arange(len(first)), first]
            at[top > best], best = first[top > best] + start, np.maximum(best, top)
        hubs = np.zeros(len(vectors), bool)
        hubs[at] = True
        return _BankScores(sums, hubs)
