"""Conditions in SQL, as LanceDB takes them: of this package, or as the owner of a shell typed them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_IN_ONE_QUERY = 500  # values of an IN list


class TypedSql(str):
    """SQL as somebody typed it: only a worker evaluates it, within its limits."""

    refusal = ""  # why it is no filter


def refusal_of(where: str) -> str:
    """Return why a condition is no filter; "" where it is one, or of this package."""
    return where.refusal if isinstance(where, TypedSql) else ""


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def isin(column: str, values: Iterable[str]) -> Iterator[str]:
    """Yield SQL conditions, of bounded length each, that together select the rows with one of the values."""
    rest = list(values)
    for start in range(0, len(rest), _IN_ONE_QUERY):
        yield f"{column} IN ({', '.join(map(quoted, rest[start : start + _IN_ONE_QUERY]))})"
