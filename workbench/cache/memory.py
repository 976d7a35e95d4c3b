"""Embeddings in memory: bounded in bytes, the longest unused go first, each computed once however many ask.

Knows no model and no disk. Rows are kept as read-only copies, so that no caller can change another's answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias

import numpy as np

from workbench.cache.content import Key

Row: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float32]]  # (dim,) float32

LIMIT = 256 * 2**20  # bytes; about 100,000 rows of width 512
OVERHEAD = 400  # bytes of a key and its place in the table, beside the row


class MemoryCache:
    """Rows by key; safe to use from many threads.

    Args:
        limit: bytes of rows and keys together.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._rows: OrderedDict[Key, Row] = OrderedDict()  # the longest unused first
        self._flights: dict[Key, Future[Row]] = {}  # rows that somebody is computing
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def bytes(self) -> int:
        """What rows and keys take."""
        return self._bytes

    @property
    def in_flight(self) -> int:
        """Number of rows that somebody is computing."""
        return len(self._flights)

    def get(self, key: Key) -> Row | None:
        """Return a read-only row, or None."""
        with self._lock:
            if key in self._rows:
                self._rows.move_to_end(key)
            return self._rows.get(key)

    def put(self, key: Key, row: Row) -> Row:
        """Keep a copy of a row, at the cost of the longest unused ones; return the read-only copy."""
        kept = np.array(row, dtype=np.float32)
        if kept.ndim != 1:
            raise ValueError(f"the cache keeps rows of one dimension; got shape {kept.shape}")
        kept.setflags(write=False)
        with self._lock:
            self._drop(key)
            if kept.nbytes + OVERHEAD <= self.limit:
                self._rows[key] = kept
                self._bytes += kept.nbytes + OVERHEAD
            while self._bytes > self.limit:
                self._drop(next(iter(self._rows)))
        return kept

    def claim(self, key: Key) -> tuple[Future[Row], bool]:
        """Return the future of a row, and whether the caller is the one who must compute it.

        Who must compute ends with `settle` or `give_up`, whatever happens. Others wait for the future; where it fails,
        they claim again, so that one caller's failure or change of mind is nobody else's.
        """
        with self._lock:
            if key in self._rows:
                self._rows.move_to_end(key)
                done: Future[Row] = Future()
                done.set_result(self._rows[key])
                return done, False
            if key in self._flights:
                return self._flights[key], False
            self._flights[key] = Future()
            return self._flights[key], True

    def settle(self, key: Key, row: Row) -> None:
        """Keep a claimed row and hand it to all who wait for it."""
        kept = self.put(key, row)
        self._land(key).set_result(kept)

    def give_up(self, key: Key, error: BaseException) -> None:
        """Tell all who wait that a claimed row will not come; nothing is kept."""
        self._land(key).set_exception(error)

    def fill(self, key: Key, compute: Callable[[], Row]) -> Row:
        """Return the row of a key, computed by exactly one of all concurrent callers."""
        while True:
            future, mine = self.claim(key)
            if mine:
                return self._compute(key, future, compute)
            if future.exception() is None:
                return future.result()

    def clear(self) -> None:
        """Forget all rows."""
        with self._lock:
            self._rows.clear()
            self._bytes = 0

    def _compute(self, key: Key, future: Future[Row], compute: Callable[[], Row]) -> Row:
        try:
            self.settle(key, compute())
        except BaseException as error:
            self.give_up(key, error)
            raise
        return future.result()

    def _land(self, key: Key) -> Future[Row]:
        with self._lock:
            return self._flights.pop(key)

    def _drop(self, key: Key) -> None:
        row = self._rows.pop(key, None)
        if row is not None:
            self._bytes -= row.nbytes + OVERHEAD
