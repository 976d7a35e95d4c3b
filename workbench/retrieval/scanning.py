"""Read rows of a table in LanceDB, all or those that an SQL condition selects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

_IN_ONE_QUERY = 500  # values of an IN list


def scan(
    table: Any, columns: Sequence[str], *, where: str = "", ids: bool = False, limit: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield some columns of all rows, or of those that a condition selects, in batches.

    Raises:
        BadInput: a condition that LanceDB does not read.
    """
    query = table.search().select(list(columns)).with_row_id(ids)
    if where:
        query = query.where(where)
    if limit is not None:
        query = query.limit(limit)
    try:
        yield from query.to_batches(batch_size=8192)
    except (ValueError, RuntimeError) as error:
        if where:
            raise bad_filter(where, error) from None
        raise


def bad_filter(where: str, error: Exception) -> BadInput:
    """Return the error for a condition that LanceDB does not read; its lists of fields and its own files stay out."""
    reason = str(error).splitlines()[0].partition(", /")[0].partition(" Valid fields")[0].rstrip(". ")
    return BadInput(
        "A filter is an SQL condition on path, label, caption, tags, width, height or second, such as "
        f"\"label = 'cat' AND width > 800\"; got {where[:120]!r} ({reason[:160]})."
    )


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def isin(column: str, values: Iterable[str]) -> Iterator[str]:
    """Yield SQL conditions, of bounded length each, that together select the rows with one of the values."""
    rest = list(values)
    for start in range(0, len(rest), _IN_ONE_QUERY):
        yield f"{column} IN ({', '.join(map(quoted, rest[start : start + _IN_ONE_QUERY]))})"
