"""Indexes by name: which models' vectors they hold, opening and removing them.

An index is a LanceDB database with one table per model, so that vectors of two models never meet.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput, UnknownName, unknown_name
from workbench.retrieval.location import lock_file, names, place, writing
from workbench.retrieval.rows import FINGERPRINT, MODEL, schema
from workbench.retrieval.scanning import readable
from workbench.retrieval.table import vector_index

if TYPE_CHECKING:
    from lancedb import DBConnection, Session

_PREFIX = "vectors-"
_CACHES = (500_000_000, 100_000_000)  # bytes that all indexes together keep of vector indexes, and of tables' columns


@dataclass(frozen=True)
class ModelTable:
    """The rows of one model in one index."""

    index: str  # the name, or the folder or address
    model: str  # key of the model
    fingerprint: str
    dim: int
    table: Any  # lancedb's

    @property
    def rows(self) -> int:
        """Number of images and frames."""
        return int(self.table.count_rows())

    def summary(self) -> dict[str, Any]:
        """Return what a list of indexes says about this one, as plain data."""
        return {
            "name": self.index,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "rows": self.rows,
            "bytes": int(self.table.stats()["total_bytes"]),
            "vector_index": vector_index(self.table),
        }


def tables(name: str) -> list[ModelTable]:
    """Return the tables of an index, the one that was written last first.

    Raises:
        UnknownName: there is no such index.
    """
    database = _connect(name, make=False)
    with readable(name):
        opened = [_opened(name, database.open_table(one)) for one in _table_names(database)]
    if not opened:
        raise _unknown(name)
    return sorted(opened, key=lambda one: one.table.list_versions()[-1]["timestamp"], reverse=True)


def find_table(name: str, *, fingerprint: str = "", model: str = "") -> ModelTable:
    """Return the table of a model; without a model, the one that was written last.

    Raises:
        UnknownName: there is no such index.
        BadInput: it holds no vectors of that model.
    """
    opened = tables(name)
    for one in opened:
        if (not fingerprint or one.fingerprint == fingerprint) and (not model or one.model == model):
            return one
    held = ", ".join(sorted({one.model for one in opened}))
    wanted = model or "this model as it is loaded here"
    raise BadInput(
        f"The index {name!r} holds vectors of {held}, none of {wanted}: another model, version or dtype. Vectors "
        "of two models are never mixed; add the images again with this model."
    )


def make_table(name: str, *, model: str, fingerprint: str, dim: int) -> ModelTable:
    """Open the table of a model in an index, and make both where they are missing."""
    database = _connect(name, make=True)
    title = _PREFIX + fingerprint[:24]
    with readable(name):
        if title in _table_names(database):
            return _opened(name, database.open_table(title))
        columns = schema(dim, model=model, fingerprint=fingerprint)
        return _opened(name, database.create_table(title, schema=columns, exist_ok=True))


def remove(name: str) -> None:
    """Delete an index with all its tables; images stay.

    Raises:
        UnknownName: there is no such index.
        Busy: something is being added to it.
    """
    with writing(name):
        database = _connect(name, make=False)
        names = _table_names(database)
        if not names:
            raise _unknown(name)
        for one in names:
            database.drop_table(one)
        if "://" not in place(name):
            shutil.rmtree(place(name))
    if "://" not in place(name):
        lock_file(name).unlink(missing_ok=True)


def _connect(name: str, *, make: bool) -> DBConnection:
    import lancedb

    where = place(name)
    if "://" not in where and not make and not Path(where).is_dir():
        raise _unknown(name)
    try:
        return lancedb.connect(where, session=_session())
    except (RuntimeError, ValueError, OSError) as error:
        raise BadInput(f"The index {name[:80]!r} cannot be opened: {' '.join(str(error).split())[:160]}") from None


@cache
def _session() -> Session:
    """Return the caches of this process; LanceDB's own grow by a kilobyte a row."""
    import lancedb

    return lancedb.Session(*_CACHES)


def _table_names(database: DBConnection) -> list[str]:
    names: list[str] = []
    page: str | None = None
    while True:
        answer = database.list_tables(page_token=page)
        names += answer.tables
        page = answer.page_token
        if not page:
            return [one for one in names if one.startswith(_PREFIX)]


def _opened(name: str, table: Any) -> ModelTable:
    columns = table.schema
    notes = {key.decode(): value.decode() for key, value in (columns.metadata or {}).items()}
    dim = columns.field("vector").type.list_size
    return ModelTable(name, notes.get(MODEL, ""), notes.get(FINGERPRINT, ""), dim, table)


def _unknown(name: str) -> UnknownName:
    return unknown_name("index", name, names() or ("none yet; `index add NAME PATHS…` makes one",))
