"""Read rows of a table in LanceDB, all or those that an SQL condition of our own selects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workbench.errors import Damaged

if TYPE_CHECKING:
    import pyarrow as pa

_IN_ONE_QUERY = 500  # values of an IN list

REMEDY = "Delete it with `index rm` and add its images again."


def scan(
    table: Any, columns: Sequence[str], *, where: str = "", ids: bool = False, limit: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield some columns of all rows, or of those that a condition selects, in batches.

    Args:
        table: LanceDB's.
        columns: their names.
        where: SQL of this package or of `filters.compile_filter`, never as somebody typed it; empty for all rows.
        ids: add LanceDB's row ids.
        limit: of rows.
    """
    query = table.search().select(list(columns)).with_row_id(ids)
    if where:
        query = query.where(where)
    if limit is not None:
        query = query.limit(limit)
    with readable(str(table.name)):
        yield from query.to_batches(batch_size=8192)


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn what LanceDB says of files that it cannot read into an error of ours.

    Raises:
        Damaged: see above.
    """
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise Damaged(f"The index is damaged: {name!r} cannot be read ({reason}). {REMEDY}") from None


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def isin(column: str, values: Iterable[str]) -> Iterator[str]:
    """Yield SQL conditions, of bounded length each, that together select the rows with one of the values."""
    rest = list(values)
    for start in range(0, len(rest), _IN_ONE_QUERY):
        yield f"{column} IN ({', '.join(map(quoted, rest[start : start + _IN_ONE_QUERY]))})"
