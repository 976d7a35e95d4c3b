"""Embeddings kept on disk in chunks named by their content: a chunk is there whole, or it is not there.

A chunk's name is a hash of all that its numbers depend on, so two processes that race only repeat work. Each is one
Parquet file with page checksums, written under a temporary name and renamed. Knows no model and no audit.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import OutOfResources
from workbench.places import home

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LIMIT = 4 * 2**30  # bytes of all chunks; the longest unused go first
STALE = 86_400.0  # seconds after which a half-written file belongs to nobody
PLACE = "CLIP_WORKBENCH_CACHE"


def place() -> Path:
    """Return the folder: below `CLIP_WORKBENCH_CACHE`, else below the workbench's home."""
    named = os.environ.get(PLACE)
    return (Path(named).expanduser() if named else home()) / "audit-vectors"


@dataclass(frozen=True)
class Kept:
    """What is kept, in figures."""

    chunks: int
    bytes: int
    limit: int
    folder: Path


class VectorStore:
    """Chunks by name, in a folder that several processes may share.

    Args:
        folder: where they lie; `place()` when not given.
        limit: bytes that `trim` leaves.
    """

    def __init__(self, folder: Path | None = None, *, limit: int = LIMIT) -> None:
        self.folder = folder or place()
        self.limit = limit

    def path(self, key: str) -> Path:
        """Return where a chunk lies, or would lie."""
        return self.folder / key[:2] / f"{key}.parquet"

    def has(self, key: str) -> bool:
        """Say whether a chunk is there."""
        return self.path(key).is_file()

    def get(self, key: str) -> NDArray[np.float32] | None:
        """Return a chunk, (n, dim) float32, or None; a damaged one is removed."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.path(key)
        try:
            table = pq.ParquetFile(path, page_checksum_verification=True).read()
            column = table.column("vector").combine_chunks()
            rows = np.asarray(column.flatten()).reshape(len(column), column.type.list_size)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, pa.ArrowException, KeyError, AttributeError):  # what is kept can be worked out again
            path.unlink(missing_ok=True)
            return None
        return np.ascontiguousarray(rows, dtype=np.float32)

    def put(self, key: str, rows: NDArray[np.float32]) -> None:
        """Keep a chunk, (n, dim) float32.

        Raises:
            OutOfResources: the folder cannot be written.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        flat = pa.array(np.ascontiguousarray(rows, dtype=np.float32).ravel())
        table = pa.table({"vector": pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])})
        path = self.path(key)
        half = path.with_name(f".{key}.{uuid.uuid4().hex[:8]}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, half, write_page_checksum=True, compression="none")
            os.replace(half, path)
        except OSError as error:
            raise OutOfResources(
                f"Embeddings cannot be kept in {str(self.folder)!r} ({error.strerror or error}); make room with "
                f"`clip-workbench cache clear`, or point {PLACE} at another folder."
            ) from None
        finally:
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)

    def kept(self) -> Kept:
        """Return how much is kept."""
        sizes = [size for _, size, _ in self._files()]
        return Kept(len(sizes), sum(sizes), self.limit, self.folder)

    def trim(self, spare: Iterable[str] = ()) -> int:
        """Remove the longest unused chunks until the rest is within the limit; return the bytes freed.

        Args:
            spare: names of chunks that stay whatever happens.
        """
        files = sorted(self._files())
        over = sum(size for _, size, _ in files) - self.limit
        named = {self.path(key) for key in spare}
        freed = 0
        for _, size, path in files:
            if freed >= over:
                break
            if path not in named:
                path.unlink(missing_ok=True)
                freed += size
        for half in self.folder.glob("*/.*.part"):
            if time.time() - half.stat().st_mtime > STALE:
                half.unlink(missing_ok=True)
        return freed

    def clear(self) -> int:
        """Remove all chunks; return the bytes freed."""
        freed = sum(size for _, size, _ in self._files())
        shutil.rmtree(self.folder, ignore_errors=True)
        return freed

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self.folder.glob("*/*.parquet"):
            try:
                stat = path.stat()
            except OSError:  # removed by another process in this moment
                continue
            found.append((stat.st_mtime, stat.st_size, path))
        return found
