"""What every store of embeddings can do: in memory, in SQLite, or in Parquet files."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

K = TypeVar("K", bound=Hashable)
Array: TypeAlias = NDArray[np.float32]


class EmbeddingStore(Protocol[K]):
    """Arrays of float32 by key, safe to use from many threads.

    A key stands for everything that its numbers depend on, so equal keys have equal arrays. A store may drop what was
    put (a limit, damage): whoever misses an array computes it again. It never returns other numbers than were put.
    """

    @property
    def bytes(self) -> int:
        """Size of everything in the store."""

    def has(self, key: K) -> bool:
        """Return whether a key is there, without reading its array."""

    def get_many(self, keys: Iterable[K]) -> dict[K, Array]:
        """Return the arrays that are there and undamaged."""

    def put_many(self, arrays: Mapping[K, NDArray[Any]]) -> None:
        """Store copies as float32; what was there under a key is replaced."""

    def clear(self) -> int:
        """Remove everything; return the bytes freed."""
