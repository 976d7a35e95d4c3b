"""A table of an index as everybody else sees it: what is asked of LanceDB runs in a worker where a server has any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import BadInput, Damaged
from workbench.retrieval import lance
from workbench.retrieval.conditions import refusal_of
from workbench.retrieval.lance import VECTOR_INDEXES, TablePlace
from workbench.worker import active
from workbench.worker.jobs import INDEX_CARE, INDEX_READ, INDEX_WRITE, NativeJob

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from workbench.scheduler import CancelScope
    from workbench.worker import WorkerPool

VECTOR_INDEX_FROM = 100_000  # rows; a scan is fast enough below
COMPACT_FROM = 20  # writes


@dataclass(frozen=True)
class StoredTable:
    """One table, at the version at which it was opened; at the latest where it was opened to be written to."""

    place: TablePlace
    written: float = 0.0  # when that version was, seconds since 1970
    scope: CancelScope | None = None  # how long its caller waits; only care of the table ends in the middle

    def unscoped(self) -> StoredTable:
        """Return the same table for a caller who comes back later."""
        return replace(self, scope=None)

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._rows("columns").schema

    def state(self) -> dict[str, Any]:
        """Return `rows`, `version`, `bytes`, and `vector_index`: its kind, or "" where there is none."""
        state: dict[str, Any] = self._value("state")
        return state

    def scan(self, columns: Sequence[str], *, where: str = "", ids: bool = False) -> Iterator[pa.RecordBatch]:
        """Yield some columns of all rows, or of those that a condition selects, in batches.

        Args:
            columns: their names.
            where: SQL of this package, or what `filters` made of somebody's; empty for all rows.
            ids: add LanceDB's row ids.

        Raises:
            Damaged: files cannot be read.
        """
        arguments: dict[str, Any] = {"table": asdict(self.place), "columns": list(columns)}
        arguments |= {"where": where, "refusal": refusal_of(where), "ids": ids}
        if (pool := _pool(self.place.place)) is None:
            for _, parts in lance.scan(b"", **arguments):
                yield from _unpacked(b"".join(parts)).to_batches()
            return
        job = _job(INDEX_READ, "scan")
        for _, data in pool.stream(job, arguments, scope=self.scope, again=True):
            yield from _unpacked(bytes(data)).to_batches()

    def count(self, where: str) -> int:
        """Return the number of rows that a condition selects."""
        return int(self._value("count", where=where, refusal=refusal_of(where)))

    def take(self, wanted: NDArray[Any], columns: Sequence[str], *, offsets: bool = False) -> pa.Table:
        """Return some columns of rows by LanceDB's ids, or by their places in the table; `_rowid` is one of them."""
        ids = np.asarray(wanted, np.uint64).tobytes()
        return self._rows("take", ids, columns=list(columns), offsets=offsets)

    def nearest(self, vector: NDArray[np.float32], *, limit: int, refine: int = 0, where: str = "") -> pa.Table:
        """Return `_rowid` and `_distance` (1 - cosine) of the nearest rows, by the vector index where there is one.

        Args:
            vector: (dim,).
            limit: of rows.
            refine: so many times the limit are scored again with the stored vectors; 0 to look at all rows.
            where: a condition; see `scan`.
        """
        data = np.asarray(vector, np.float32).tobytes()
        return self._rows("nearest", data, limit=limit, refine=refine, where=where, refusal=refusal_of(where))

    def add(self, rows: pa.Table, *, replace: bool = False) -> None:
        """Write rows in one commit.

        Args:
            rows: with the columns of the table.
            replace: whether rows with these paths are in the table; then they are replaced.

        Raises:
            OutOfResources: the disk is full.
        """
        last = self._latest("state")[0]["version"]
        self._latest("write", b"".join(lance.packed(rows)), job=INDEX_WRITE, last=last, replace=replace)

    def delete(self, where: str) -> None:
        """Delete the rows that a condition of this package selects."""
        self._latest("delete", job=INDEX_WRITE, where=where)

    def compact(self) -> None:
        """Join small fragments, bring new rows into the vector index, and drop old versions."""
        self._latest("compact", job=INDEX_CARE, scope=self.scope)

    def build_vector_index(self, kind: str = "IVF_RQ") -> None:
        """Build the vector index, or replace it; rows are searched without it as well, more slowly.

        Raises:
            BadInput: a kind that is not one of `VECTOR_INDEXES`.
        """
        check_kind(kind)
        self._latest("build", job=INDEX_CARE, scope=self.scope, kind=kind)

    def verify(self, *, most: int = 0) -> None:
        """Compare the files with what was written; see `checksums.differing`.

        Raises:
            Damaged: one differs.
        """
        self._ask("verify", scope=self.scope, most=most)

    def _value(self, name: str, **arguments: Any) -> Any:
        return self._ask(name, scope=self.scope, **arguments)[0]

    def _rows(self, name: str, data: bytes = b"", **arguments: Any) -> pa.Table:
        return _unpacked(self._ask(name, data, scope=self.scope, **arguments)[1])

    def _latest(self, name: str, data: bytes = b"", **arguments: Any) -> tuple[Any, bytes]:
        return ask(name, data, table=asdict(self.place) | {"version": 0}, **arguments)

    def _ask(self, name: str, data: bytes = b"", **arguments: Any) -> tuple[Any, bytes]:
        return ask(name, data, table=asdict(self.place), **arguments)


def ask(
    name: str, data: bytes = b"", *, job: NativeJob = INDEX_READ, scope: CancelScope | None = None, **arguments: Any
) -> tuple[Any, bytes]:
    """Have one job of `lance` done, in a worker where there are any; return its value and its bytes."""
    place = arguments["table"]["place"] if "table" in arguments else arguments["place"]
    if (pool := _pool(place)) is None:
        value, parts = next(getattr(lance, name)(data, **arguments))
        return value, b"".join(parts)
    return pool.call(_job(job, name), arguments, data, read=lambda value, part: (value, bytes(part)), scope=scope)


def _pool(place: str) -> WorkerPool | None:
    """Return who works on an index; an address needs the secrets of this process, and no visitor's index has one."""
    return None if "://" in place else active()


def check_kind(kind: str) -> None:
    """Refuse a kind of vector index that is not in the table; "" is none.

    Raises:
        BadInput: and the kinds that there are.
    """
    if kind not in ("", *VECTOR_INDEXES):
        raise BadInput(f"Kinds of vector index are {', '.join(VECTOR_INDEXES)}; got {kind!r}.")


def _job(job: NativeJob, name: str) -> NativeJob:
    return replace(job, where=f"{job.where}:{name}")


def _unpacked(data: bytes) -> pa.Table:
    import pyarrow as pa

    try:
        return lance.unpacked(data)
    except pa.ArrowException as error:
        raise Damaged(f"The index is damaged: its rows cannot be read ({str(error)[:160]}). {lance.REMEDY}") from None
