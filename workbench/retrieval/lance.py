"""What is done inside LanceDB, the only module that knows it: jobs on one table, for a worker where a server has any.

Each job is a generator of plain values with bytes, as `worker.jobs` says; tables cross as Arrow's stream format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import BadInput, Damaged, OutOfResources
from workbench.retrieval import checksums
from workbench.retrieval.rows import FINGERPRINT, MODEL

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb import DBConnection, Session

    Answer = tuple[Any, Iterable[pa.Buffer]]

PREFIX = "vectors-"  # of the names of tables
VECTOR_INDEXES = {  # kind -> its name in lancedb.index
    "IVF_RQ": "IvfRq",
    "IVF_SQ": "IvfSq",
    "IVF_PQ": "IvfPq",
    "IVF_FLAT": "IvfFlat",
    "IVF_HNSW_SQ": "HnswSq",
}
KEEP_VERSIONS = timedelta(hours=1)  # for readers that are in the middle of something
BATCH = 8192  # rows that cross at a time
REMEDY = "Delete it with `index rm` and add its images again."
_CACHES = (500_000_000, 100_000_000)  # bytes that all indexes together keep of vector indexes, and of tables' columns
_FULL = ("No space left", "os error 28", "os error 122", "os error 27")  # ENOSPC, EDQUOT, EFBIG as Rust says them


@dataclass(frozen=True)
class TablePlace:
    """Which table of which index, as it was at a version."""

    index: str  # as a message names it
    place: str  # folder or address
    title: str
    version: int = 0  # 0: the latest


def tables(data: bytes, *, index: str, place: str) -> Iterator[Answer]:
    """Yield facts of each table of an index: title, model, fingerprint, dim, version, and when it was written."""
    with readable(index):
        database = _connect(index, place)
        yield [_facts(database, title) for title in _titles(database)], ()


def _facts(database: DBConnection, title: str) -> dict[str, Any]:
    table = database.open_table(title)
    notes = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return {
        "title": title,
        "model": notes.get(MODEL, ""),
        "fingerprint": notes.get(FINGERPRINT, ""),
        "dim": table.schema.field("vector").type.list_size,
        "version": table.version,
        "written": table.list_versions()[-1]["timestamp"].timestamp(),
    }


def make(data: bytes, *, index: str, place: str, title: str) -> Iterator[Answer]:
    """Make a table with the columns given, where it is missing."""
    with readable(index):
        database = _connect(index, place)
        if title not in _titles(database):
            database.create_table(title, schema=unpacked(data).schema, exist_ok=True)
            checksums.note(place, title)
        yield None, ()


def drop(data: bytes, *, index: str, place: str) -> Iterator[Answer]:
    """Delete all tables of an index; yield how many there were."""
    with readable(index):
        database = _connect(index, place)
        titles = _titles(database)
        for title in titles:
            database.drop_table(title)
        yield len(titles), ()


def state(data: bytes, *, table: dict[str, Any]) -> Iterator[Answer]:
    """Yield rows, version, bytes and the kind of the vector index ("" where there is none)."""
    with _opened(table) as opened:
        kinds = {kind.replace("_", ""): kind for kind in VECTOR_INDEXES}
        held = [one.index_type.upper().replace("_", "") for one in opened.list_indices() if "vector" in one.columns]
        state = {"rows": int(opened.count_rows()), "version": int(opened.version)}
        state |= {"bytes": int(opened.stats()["total_bytes"])}
        yield state | {"vector_index": next((kinds.get(kind, kind) for kind in held), "")}, ()


def columns(data: bytes, *, table: dict[str, Any]) -> Iterator[Answer]:
    """Yield the columns, as a table without rows."""
    with _opened(table) as opened:
        yield None, packed(opened.schema.empty_table())


def scan(
    data: bytes, *, table: dict[str, Any], columns: Sequence[str], where: str, refusal: str, ids: bool
) -> Iterator[Answer]:
    """Yield rows in batches, in an order that is the same each time; see `StoredTable.scan`."""
    with _opened(table, refusal=refusal) as opened:
        query = opened.search().select(list(columns)).with_row_id(ids)
        query = query.where(where) if where else query
        for batch in query.to_batches(batch_size=BATCH):
            yield None, packed(batch)


def count(data: bytes, *, table: dict[str, Any], where: str, refusal: str) -> Iterator[Answer]:
    """Yield the number of rows that a condition selects."""
    with _opened(table, refusal=refusal) as opened:
        yield int(opened.count_rows(where)), ()


def take(data: bytes, *, table: dict[str, Any], columns: Sequence[str], offsets: bool) -> Iterator[Answer]:
    """Yield rows by LanceDB's ids, or by their places in the table; uint64 each."""
    wanted = np.frombuffer(data, np.uint64).tolist()
    with _opened(table) as opened:
        rows = opened.take_offsets(wanted) if offsets else opened.take_row_ids(wanted)
        yield None, packed(rows.select(list(columns)).with_row_id().to_arrow())


def nearest(
    data: bytes, *, table: dict[str, Any], limit: int, refine: int, where: str, refusal: str
) -> Iterator[Answer]:
    """Yield ids and distances of the rows nearest to a vector of float32; see `StoredTable.nearest`."""
    with _opened(table, refusal=refusal) as opened:
        query = opened.search(np.frombuffer(data, np.float32)).distance_type("cosine").limit(limit)
        query = query.where(where, prefilter=True) if where else query
        query = query.refine_factor(refine) if refine else query.bypass_vector_index()
        yield None, packed(query.select(["_distance"]).with_row_id(True).to_arrow())


def write(data: bytes, *, table: dict[str, Any], last: int, replace: bool) -> Iterator[Answer]:
    """Add rows, or put them in the place of those with their paths.

    A worker may die after the commit and the job begin anew: then the last version is not the one that was the last
    before, and rows with these paths are replaced.
    """
    with _opened(table) as opened:
        if replace or opened.version != last:
            merge = opened.merge_insert("path").when_matched_update_all().when_not_matched_insert_all()
            merge.execute(unpacked(data))
        else:
            opened.add(unpacked(data))
        checksums.note(table["place"], table["title"])
        yield None, ()


def delete(data: bytes, *, table: dict[str, Any], where: str) -> Iterator[Answer]:
    """Delete the rows that a condition of this package selects."""
    with _opened(table) as opened:
        opened.delete(where)
        checksums.note(table["place"], table["title"])
        yield None, ()


def compact(data: bytes, *, table: dict[str, Any]) -> Iterator[Answer]:
    """Join small fragments, bring new rows into the vector index, and drop old versions."""
    with _opened(table) as opened:
        opened.optimize(cleanup_older_than=KEEP_VERSIONS)
        checksums.note(table["place"], table["title"])
        yield None, ()


def build(data: bytes, *, table: dict[str, Any], kind: str) -> Iterator[Answer]:
    """Build the vector index, or replace it."""
    from lancedb import index as kinds

    with _opened(table) as opened:
        config = getattr(kinds, VECTOR_INDEXES[kind])(distance_type="cosine")
        opened.create_index("vector", config=config, replace=True)
        checksums.note(table["place"], table["title"])
        yield None, ()


def verify(data: bytes, *, table: dict[str, Any], most: int) -> Iterator[Answer]:
    """Compare the table's files with what was written; see `checksums.differing`."""
    place = TablePlace(**table)
    differing = checksums.differing(place.place, place.title, most=most)
    if differing:
        raise Damaged(
            f"The index is damaged: {len(differing)} files of {place.index!r} are not what was written, such as "
            f"{differing[0]}. {REMEDY}"
        )
    yield None, ()


@contextmanager
def readable(index: str, *, refusal: str = "") -> Iterator[None]:
    """Turn what LanceDB says into an error of ours.

    Args:
        index: as a message names it.
        refusal: why the condition is no filter; somebody's SQL is at fault before the files are.

    Raises:
        Damaged, OutOfResources, BadInput: see above.
    """
    try:
        yield
    except BaseException as error:
        panicked = type(error).__name__ == "PanicException"  # of Rust, and no `Exception`
        if not panicked and not isinstance(error, RuntimeError | ValueError | OSError):
            raise
        reason = re.sub(r",? /\S+\.rs:\d+\S*", "", " ".join(str(error).split()))[:160]  # not where Rust was compiled
        if any(words in str(error) for words in _FULL):
            raise OutOfResources(f"The disk is full: {index[:80]!r} cannot be written. What was there stays.") from None
        if refusal and not panicked:
            raise BadInput(f"{refusal} As SQL, it cannot be used either ({reason}).") from None
        raise Damaged(f"The index is damaged: {index[:80]!r} cannot be read ({reason}). {REMEDY}") from None


def packed(rows: pa.Table | pa.RecordBatch) -> list[pa.Buffer]:
    """Return rows in Arrow's stream format."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write(rows)
    return [sink.getvalue()]


def unpacked(data: bytes | memoryview) -> pa.Table:
    """Return rows from Arrow's stream format, checked: a worker that a file took over may send anything."""
    import pyarrow as pa

    rows = pa.ipc.open_stream(pa.py_buffer(data)).read_all()
    rows.validate(full=True)
    return rows


@contextmanager
def _opened(table: dict[str, Any], *, refusal: str = "") -> Iterator[Any]:
    place = TablePlace(**table)
    with readable(place.index):
        opened = _connect(place.index, place.place).open_table(place.title)
        if place.version:
            opened.checkout(place.version)
    with readable(place.index, refusal=refusal):
        yield opened


def _connect(index: str, place: str) -> DBConnection:
    import lancedb

    try:
        return lancedb.connect(place, session=_session())
    except (RuntimeError, ValueError, OSError) as error:
        if any(words in str(error) for words in _FULL):
            raise
        raise BadInput(f"The index {index[:80]!r} cannot be opened: {' '.join(str(error).split())[:160]}") from None


@cache
def _session() -> Session:
    """Return the caches of this process; LanceDB's own grow by a kilobyte a row."""
    import lancedb

    return lancedb.Session(*_CACHES)


def _titles(database: DBConnection) -> list[str]:
    names: list[str] = []
    page: str | None = None
    while True:
        answer = database.list_tables(page_token=page)
        names += answer.tables
        page = answer.page_token
        if not page:
            return [one for one in names if one.startswith(PREFIX)]
