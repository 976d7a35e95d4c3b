"""Embeddings in memory: bounded in bytes with LRU eviction, and each computed once however many callers need it.

Rows are stored as read-only copies, so that no caller can change another's answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench.cache.content import Key

Row: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float32]]  # (dim,) float32

LIMIT = 256 * 2**20  # bytes; about 100,000 rows of width 512
OVERHEAD = 400  # bytes of a key and its entry, besides the row


class MemoryCache:
    """An `EmbeddingStore` of rows, with claims on rows that are being computed.

    Args:
        limit: bytes of rows and keys together.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._rows: OrderedDict[Key, Row] = OrderedDict()  # least recently used first
        self._flights: dict[Key, Future[Row]] = {}  # rows that are being computed
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def bytes(self) -> int:
        """Bytes of rows and keys."""
        return self._bytes

    @property
    def in_flight(self) -> int:
        """Number of rows that are being computed."""
        return len(self._flights)

    def has(self, key: Key) -> bool:
        """Return whether a row is there."""
        return key in self._rows

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows that are there, read-only."""
        with self._lock:
            rows = {key: self._rows[key] for key in keys if key in self._rows}
            for key in rows:
                self._rows.move_to_end(key)
            return rows

    def put_many(self, arrays: Mapping[Key, NDArray[Any]]) -> None:
        """Store copies of rows, each (dim,); the least recently used ones make room."""
        for key, row in arrays.items():
            self._put(key, row)

    def claim(self, key: Key) -> tuple[Future[Row], bool]:
        """Return the future of a row, and whether the caller is the one who must compute it.

        The caller who must compute ends with `settle` or `give_up`, whatever happens. The others wait for the future;
        where it fails, they claim again, so that one caller's failure or cancellation does not affect the others.
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
        """Store a claimed row and pass it to everybody who waits for it."""
        stored = self._put(key, row)
        self._end_claim(key).set_result(stored)

    def give_up(self, key: Key, error: BaseException) -> None:
        """Report to everybody who waits that a claimed row will not come; nothing is stored."""
        self._end_claim(key).set_exception(error)

    def clear(self) -> int:
        """Remove all rows; return the bytes freed."""
        with self._lock:
            freed, self._bytes = self._bytes, 0
            self._rows.clear()
        return freed

    def _put(self, key: Key, row: NDArray[Any]) -> Row:
        """Store a copy and return it, read-only."""
        copy = np.array(row, dtype=np.float32)
        if copy.ndim != 1:
            raise ValueError(f"the cache stores rows of one dimension; got shape {copy.shape}")
        copy.setflags(write=False)
        with self._lock:
            self._drop(key)
            if copy.nbytes + OVERHEAD <= self.limit:
                self._rows[key] = copy
                self._bytes += copy.nbytes + OVERHEAD
            while self._bytes > self.limit:
                self._drop(next(iter(self._rows)))
        return copy

    def _end_claim(self, key: Key) -> Future[Row]:
        with self._lock:
            return self._flights.pop(key)

    def _drop(self, key: Key) -> None:
        row = self._rows.pop(key, None)
        if row is not None:
            self._bytes -= row.nbytes + OVERHEAD
