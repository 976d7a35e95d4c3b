"""Collects rows of an index and writes them together: each write is one commit, done as a whole or not at all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from workbench.retrieval.rows import IndexRow, as_table
from workbench.retrieval.table import COMPACT_FROM, StoredTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

WRITE_ROWS, WRITE_SECONDS = 1024, 5.0  # a write comes after that many rows or seconds, whichever is first


class RowWriter:
    """Writes to one table; the caller sees to it that nobody else does.

    Args:
        table: opened to be written to.
    """

    def __init__(self, table: StoredTable) -> None:
        self._table, self._columns = table, table.schema
        self._rows: list[IndexRow] = []
        self._vectors: list[NDArray[np.float32]] = []
        self._replacing = False
        self._last = time.monotonic()
        self._writes, self._new, self._total = 0, 0, table.state()["rows"]

    def put(self, row: IndexRow, vector: NDArray[np.float32], *, replace: bool) -> None:
        """Take a row, and write when there are enough.

        Args:
            row: the image.
            vector: (dim,) of unit length.
            replace: whether a row with this path is in the table.
        """
        self._rows.append(row)
        self._vectors.append(vector)
        self._replacing = self._replacing or replace
        if len(self._rows) >= WRITE_ROWS or time.monotonic() - self._last > WRITE_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        self._last = time.monotonic()
        if not self._rows:
            return
        data = as_table(self._rows, np.stack(self._vectors), self._columns)
        self._table.add(data, replace=self._replacing)  # replacing reads all paths; a row is never there twice
        self._writes += 1
        self._new += len(self._rows)
        self._rows, self._vectors, self._replacing = [], [], False
        if self.scattered and self._new >= self._total:  # once each doubling: the cost of a row does not grow
            self.compact()

    @property
    def scattered(self) -> bool:
        """Whether enough was written for a compaction to pay."""
        return self._writes >= COMPACT_FROM

    def compact(self) -> None:
        """Join what many small writes left."""
        self._table.compact()
        self._writes, self._new, self._total = 0, 0, self._table.state()["rows"]
