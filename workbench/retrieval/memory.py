"""Vectors of tables in memory: all of a small table, a random sample of a large one; under one limit for all."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import Damaged
from workbench.retrieval.lance import REMEDY
from workbench.retrieval.table import VECTOR_INDEX_FROM

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from workbench.retrieval.index import ModelTable
    from workbench.retrieval.lance import TablePlace

LIMIT = 600_000_000  # bytes of vectors of all tables together
SAMPLE = 20_000  # rows of a large table that stand for all of it
SEED = 0
APART = 0.01  # from length 1, that rounding explains


@dataclass(frozen=True, eq=False)
class TableVectors:
    """Vectors of a table as it was at one version."""

    ids: NDArray[np.uint64]  # (n,) LanceDB's row ids
    vectors: NDArray[np.float32]  # (n, dim)
    whole: bool  # all rows, not a sample
    rows: int  # of the table


class _Kept:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[TablePlace, float], TableVectors] = OrderedDict()

    def get(self, key: tuple[TablePlace, float], read: Callable[[], TableVectors]) -> TableVectors:
        with self._lock:  # reading twice at the same time would need the memory twice
            if key not in self._kept:
                for old in [one for one in self._kept if one[0].place == key[0].place and one[0].title == key[0].title]:
                    del self._kept[old]  # an earlier version
                self._kept[key] = read()
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(one.vectors.nbytes for one in self._kept.values()) > LIMIT:
                self._kept.popitem(last=False)
            return self._kept[key]


_kept = _Kept()


def table_vectors(opened: ModelTable) -> TableVectors:
    """Return the vectors of a table as it is now; read once for each version of it."""
    table = opened.table
    place = replace(table.place, version=table.place.version or table.state()["version"])
    return _kept.get((place, table.written), lambda: _read(opened))


def matrix(column: pa.Array, dim: int) -> NDArray[np.float32]:
    """Return a fixed-size list column as an array; (n, dim)."""
    values: NDArray[np.float32] = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
    return values


def _read(opened: ModelTable) -> TableVectors:
    table, state, dim = opened.table, opened.table.state(), opened.dim
    rows = state["rows"]
    if rows <= VECTOR_INDEX_FROM or (not state["vector_index"] and rows * dim * 4 <= LIMIT):
        ids, vectors = np.empty(rows, np.uint64), np.empty((rows, dim), np.float32)
        at = 0
        for batch in table.scan(["vector"], ids=True):
            end = at + batch.num_rows
            ids[at:end] = batch["_rowid"].to_numpy()
            vectors[at:end] = matrix(batch["vector"], dim)
            at = end
        _check(vectors[:at])
        return TableVectors(ids[:at], vectors[:at], True, rows)
    offsets = np.sort(np.random.default_rng(SEED).choice(rows, SAMPLE, replace=False))
    some = table.take(offsets, ["vector"], offsets=True)
    return TableVectors(some["_rowid"].to_numpy(), matrix(some["vector"].combine_chunks(), dim), False, rows)


def _check(vectors: NDArray[np.float32]) -> None:
    """Refuse vectors that nobody wrote: all that were have length 1.

    Raises:
        Damaged: see above.
    """
    with np.errstate(all="ignore"):
        wrong = int(np.count_nonzero(~(np.abs(np.linalg.norm(vectors, axis=1) - 1) < APART)))
    if wrong:
        raise Damaged(f"The index is damaged: {wrong:,} of {len(vectors):,} vectors are not of length 1. {REMEDY}")
