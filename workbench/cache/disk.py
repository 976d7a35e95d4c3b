"""Embeddings on disk, for users who ask for it: one SQLite file with a size limit.

SQLite, because it writes all or nothing, serves several processes, and stores plain bytes that nothing can execute.
Each row has a checksum. With a full or unwritable disk embeddings are computed and not stored; a wrong row is never
returned.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from workbench.cache.content import Key
from workbench.cache.memory import Row

LIMIT = 2**30  # bytes of the file
FRESH = 60.0  # seconds within which another use is not recorded
FILE = "embeddings.sqlite3"
_TABLE = """
CREATE TABLE IF NOT EXISTS rows (
    fingerprint TEXT, kind TEXT, content TEXT, row BLOB NOT NULL, checksum INTEGER NOT NULL, used REAL NOT NULL,
    PRIMARY KEY (fingerprint, kind, content));
CREATE INDEX IF NOT EXISTS by_use ON rows (used);
"""
_SAME = "fingerprint = ? AND kind = ? AND content = ?"
_USAGE = """
SELECT fingerprint, kind, COUNT(*), SUM(LENGTH(row)), MAX(used) FROM rows
GROUP BY fingerprint, kind ORDER BY MAX(used) DESC, kind
"""

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CacheUsage:
    """What is stored for one model and kind."""

    fingerprint: str
    kind: str  # "file", "picture" or "text"
    rows: int
    bytes: int  # of the numbers alone
    used: float  # time of the last use, seconds since 1970


def place() -> Path:
    """Return the folder: `CLIP_WORKBENCH_CACHE`, else `CLIP_WORKBENCH_HOME`/embeddings, else the platform's own."""
    if named := os.environ.get("CLIP_WORKBENCH_CACHE"):
        return Path(named).expanduser()
    if home := os.environ.get("CLIP_WORKBENCH_HOME"):
        return Path(home).expanduser() / "embeddings"
    import platformdirs

    return platformdirs.user_cache_path("clip-workbench", appauthor=False) / "embeddings"


class DiskCache:
    """An `EmbeddingStore` of rows in a file that several processes may share.

    Args:
        folder: of the file; `place()` when not given.
        limit: bytes of the file; the least recently used rows are removed first.
    """

    def __init__(self, folder: Path | None = None, *, limit: int = LIMIT) -> None:
        self.folder = folder or place()
        self.limit = limit
        self._lock = threading.Lock()
        self._base: sqlite3.Connection | None = None
        self._usable = True

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / FILE

    @property
    def bytes(self) -> int:
        """Size of the file; 0 when there is none."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def has(self, key: Key) -> bool:
        """Return whether a row is there; a damaged one counts."""
        exists = f"SELECT EXISTS (SELECT 1 FROM rows WHERE {_SAME})"
        return self.path.is_file() and self._run(lambda base: bool(base.execute(exists, key).fetchone()[0]), False)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows that are there and undamaged; damaged ones are removed."""
        wanted = list(keys)
        if not wanted or not self.path.is_file():
            return {}
        return self._run(lambda base: _read(base, wanted), {})

    def put_many(self, arrays: Mapping[Key, NDArray[Any]]) -> None:
        """Store rows, each (dim,); the least recently used ones make room."""
        now = time.time()
        lines = [
            (*key, data := np.ascontiguousarray(row, dtype="<f4").tobytes(), _checksum(key, data), now)
            for key, row in arrays.items()
        ]
        if lines:
            self._run(lambda base: _write(base, lines, self.limit), None)

    def ls(self) -> list[CacheUsage]:
        """Return what is stored, the last used first."""
        if not self.path.is_file():
            return []
        return self._run(lambda base: [CacheUsage(*line) for line in base.execute(_USAGE)], [])

    def clear(self) -> int:
        """Remove the file; return the bytes freed."""
        with self._lock:
            freed = self.bytes
            self._remove()
            self._usable = True
        return freed

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._disconnect()

    def _run(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Run one transaction; a disk that fails is reported once, and not used from then on."""
        with self._lock:
            if not self._usable:
                return otherwise
            try:
                with self._connect() as base:
                    return work(base)
            except (sqlite3.OperationalError, OSError) as error:  # full, read-only, locked for too long, gone
                self._usable = False
                _log.warning("Embeddings are not stored on disk any more (%s); the work continues without.", error)
            except sqlite3.DatabaseError as error:  # no database any more
                _log.warning("The embeddings in %s are damaged (%s) and are removed.", FILE, error)
                self._remove()
            return otherwise

    def _connect(self) -> sqlite3.Connection:
        if self._base is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._base = sqlite3.connect(self.path, timeout=5.0, check_same_thread=False)
            self._base.execute("PRAGMA auto_vacuum = FULL")  # evicted rows leave the file, too
            self._base.execute("PRAGMA synchronous = OFF")  # a power cut may damage the file; checksums detect that
            self._base.executescript(_TABLE)
        return self._base

    def _disconnect(self) -> None:
        base, self._base = self._base, None
        if base is not None:
            base.close()

    def _remove(self) -> None:
        self._disconnect()
        for suffix in ("", "-journal"):
            self.path.with_name(FILE + suffix).unlink(missing_ok=True)


def _read(base: sqlite3.Connection, keys: Sequence[Key]) -> dict[Key, Row]:
    rows, stale, now = {}, [], time.time()
    for key in keys:
        line = base.execute(f"SELECT row, checksum, used FROM rows WHERE {_SAME}", key).fetchone()
        if line is None:
            continue
        data, checksum, used = line
        if not isinstance(data, bytes) or len(data) % 4 or _checksum(key, data) != checksum:
            base.execute(f"DELETE FROM rows WHERE {_SAME}", key)
            continue
        rows[key] = np.frombuffer(data, dtype="<f4").astype(np.float32)
        if abs(now - used) > FRESH:
            stale.append((now, *key))
    base.executemany(f"UPDATE rows SET used = ? WHERE {_SAME}", stale)
    return rows


def _write(base: sqlite3.Connection, lines: Sequence[tuple[object, ...]], limit: int) -> None:
    base.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?)", lines)
    while _bytes(base) > limit:
        oldest = "SELECT rowid FROM rows ORDER BY used, rowid LIMIT MAX(1, (SELECT COUNT(*) / 10 FROM rows))"
        if base.execute(f"DELETE FROM rows WHERE rowid IN ({oldest})").rowcount == 0:
            return


def _bytes(base: sqlite3.Connection) -> int:
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (base.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int((pages - free) * size)


def _checksum(key: Key, data: bytes) -> int:
    """Return the checksum of key and row, so that a row under a wrong key is detected as well."""
    return zlib.crc32(data, zlib.crc32("/".join(key).encode()))
