"""Embeddings of audits on disk, in chunks named by their content: a chunk is there whole, or not at all.

A chunk's name is a hash of everything that its numbers depend on, so two processes that race only repeat work. Each is
one Parquet file with page checksums, written under a temporary name and renamed.
"""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.places import home, write_whole

LIMIT = 4 * 2**30  # bytes of all chunks; the least recently used are removed first
STALE = 86_400.0  # seconds after which a half-written file is removed
PLACE = "CLIP_WORKBENCH_CACHE"


def place() -> Path:
    """Return the folder: below `CLIP_WORKBENCH_CACHE`, else below the workbench's home."""
    moved = os.environ.get(PLACE)
    return (Path(moved).expanduser() if moved else home()) / "audit-vectors"


@dataclass(frozen=True)
class StoreUsage:
    """Size and limit of a store."""

    chunks: int
    bytes: int
    limit: int
    folder: Path


class VectorStore:
    """An `EmbeddingStore` of chunks by name, in a folder that several processes may share.

    `trim` leaves at most `limit` bytes.
    """

    def __init__(self, folder: Path | None = None, *, limit: int = LIMIT) -> None:
        self.folder = folder or place()
        self.limit = limit

    def path(self, key: str) -> Path:
        """Return the file of a chunk, whether it exists or not."""
        return self.folder / key[:2] / f"{key}.parquet"

    def has(self, key: str) -> bool:
        """Return whether a chunk is there."""
        return self.path(key).is_file()

    def get_many(self, keys: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return the chunks that are there, each (n, dim); damaged ones are removed."""
        chunks = {key: self._read(key) for key in keys}
        return {key: rows for key, rows in chunks.items() if rows is not None}

    def put_many(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store chunks, each (n, dim).

        Raises:
            OutOfResources: the folder cannot be written.
        """
        pa, pq = _arrow()
        remedy = f"; free space with `clip-workbench cache clear`, or point {PLACE} at another folder"
        for key, rows in arrays.items():
            flat = pa.array(np.ascontiguousarray(rows, dtype=np.float32).ravel())
            table = pa.table({"vector": pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])})
            content = io.BytesIO()
            pq.write_table(table, content, write_page_checksum=True, compression="none")
            write_whole(self.path(key), content.getvalue(), remedy=remedy)

    @property
    def bytes(self) -> int:
        """Bytes of all chunks."""
        return sum(size for _, size, _ in self._files())

    def usage(self) -> StoreUsage:
        """Return how much is stored."""
        sizes = [size for _, size, _ in self._files()]
        return StoreUsage(len(sizes), sum(sizes), self.limit, self.folder)

    def _read(self, key: str) -> NDArray[np.float32] | None:
        pa, pq = _arrow()
        path = self.path(key)
        try:
            # Threads, buffers and kernels for large tables take 50 ms to begin, a hundred times a chunk's reading.
            content = pa.BufferReader(path.read_bytes())
            file = pq.ParquetFile(content, page_checksum_verification=True, pre_buffer=False)
            column = file.read(use_threads=False).column("vector")
            rows = np.concatenate([part.values for part in column.chunks]).reshape(-1, column.type.list_size)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, pa.ArrowException, KeyError, AttributeError):  # damaged; it can be computed again
            path.unlink(missing_ok=True)
            return None
        return np.ascontiguousarray(rows, dtype=np.float32)

    def trim(self) -> int:
        """Remove the least recently used chunks until the rest is within the limit; return the bytes freed."""
        files = sorted(self._files())
        over = sum(size for _, size, _ in files) - self.limit
        freed = 0
        for _, size, path in files:
            if freed >= over:
                break
            path.unlink(missing_ok=True)
            freed += size
        for half in self.folder.glob("*/.*.part"):
            if time.time() - half.stat().st_mtime > STALE:
                half.unlink(missing_ok=True)
        return freed

    def clear(self) -> int:
        """Remove all chunks; return the bytes freed."""
        freed = self.bytes
        shutil.rmtree(self.folder, ignore_errors=True)
        return freed

    def _files(self) -> list[tuple[float, int, Path]]:
        files = []
        for path in self.folder.glob("*/*.parquet"):
            try:
                stat = path.stat()
            except OSError:  # removed by another process meanwhile
                continue
            files.append((stat.st_mtime, stat.st_size, path))
        return files


def _arrow() -> tuple[Any, Any]:
    """Return Arrow, which from then on takes this process's memory from the system's allocator, and its Parquet.

    Its own allocator maps huge pages, and a virtual machine whose host has not yet backed them takes 20 ms for each.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_memory_pool(pa.system_memory_pool())
    return pa, pq
