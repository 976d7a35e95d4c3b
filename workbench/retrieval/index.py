"""Indexes by name: which models' vectors they hold, opening and removing them.

An index is a LanceDB database with one table per model, so that vectors of two models never meet.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput, UnknownName, unknown_name
from workbench.retrieval import lance
from workbench.retrieval.lance import PREFIX, TablePlace
from workbench.retrieval.location import lock_file, names, place, writing
from workbench.retrieval.rows import schema
from workbench.retrieval.table import StoredTable, ask
from workbench.worker.jobs import INDEX_WRITE

if TYPE_CHECKING:
    from workbench.scheduler import CancelScope

CHECKED = 200_000_000  # bytes of files; of a smaller table they are compared with what was written when it is opened


@dataclass(frozen=True)
class ModelTable:
    """The rows of one model in one index."""

    index: str  # the name, or the folder or address
    model: str  # key of the model
    fingerprint: str
    dim: int
    table: StoredTable

    @property
    def rows(self) -> int:
        """Number of images and frames."""
        return int(self.table.state()["rows"])

    def summary(self) -> dict[str, Any]:
        """Return what a list of indexes says about this one, as plain data."""
        state = self.table.state()
        kept = {key: state[key] for key in ("rows", "bytes", "vector_index")}
        return {"name": self.index, "model": self.model, "fingerprint": self.fingerprint, **kept}


def tables(name: str, *, scope: CancelScope | None = None) -> list[ModelTable]:
    """Return the tables of an index, the one that was written last first.

    Args:
        name: of the index, or its folder or address.
        scope: how long the caller waits.

    Raises:
        UnknownName: there is no such index.
        Damaged: it cannot be read.
    """
    where = _place(name)
    facts, _ = ask("tables", scope=scope, index=name, place=where)
    if not facts:
        raise _unknown(name)
    newest_first = sorted(facts, key=lambda one: one["written"], reverse=True)
    return [_opened(name, where, one, scope=scope) for one in newest_first]


def find_table(name: str, *, fingerprint: str = "", model: str = "", scope: CancelScope | None = None) -> ModelTable:
    """Return the table of a model; without a model, the one that was written last.

    Args:
        name: of the index, or its folder or address.
        fingerprint: of the model.
        model: its key.
        scope: how long the caller of everything that is asked of the table waits.

    Raises:
        UnknownName: there is no such index.
        BadInput: it holds no vectors of that model.
        Damaged: a file is not what was written; see `CHECKED`.
    """
    opened = tables(name, scope=scope)
    for one in opened:
        if (not fingerprint or one.fingerprint == fingerprint) and (not model or one.model == model):
            _verify(one.table.unscoped())
            return one
    held = ", ".join(sorted({one.model for one in opened}))
    wanted = model or "this model as it is loaded here"
    raise BadInput(
        f"The index {name!r} holds vectors of {held}, none of {wanted}: another model, version or dtype. Vectors "
        "of two models are never mixed; add the images again with this model."
    )


def make_table(name: str, *, model: str, fingerprint: str, dim: int, scope: CancelScope | None = None) -> ModelTable:
    """Open the table of a model in an index to write to it, and make both where they are missing."""
    where, title = place(name), PREFIX + fingerprint[:24]
    columns = schema(dim, model=model, fingerprint=fingerprint).empty_table()
    ask("make", b"".join(lance.packed(columns)), job=INDEX_WRITE, scope=scope, index=name, place=where, title=title)
    (opened,) = (one for one in tables(name, scope=scope) if one.table.place.title == title)
    _verify(opened.table.unscoped())
    return replace(opened, table=replace(opened.table, place=replace(opened.table.place, version=0)))


def remove(name: str) -> None:
    """Delete an index with all its tables; images stay.

    Raises:
        UnknownName: there is no such index.
        Busy: something is being added to it.
    """
    with writing(name):
        where = _place(name)
        held = ask("drop", job=INDEX_WRITE, index=name, place=where)[0]
        if not held:
            raise _unknown(name)
        if "://" not in where:
            shutil.rmtree(where)
    if "://" not in where:
        lock_file(name).unlink(missing_ok=True)


def _place(name: str) -> str:
    """Return where an index lies that is there."""
    where = place(name)
    if "://" not in where and not Path(where).is_dir():
        raise _unknown(name)
    return where


def _opened(name: str, where: str, facts: dict[str, Any], *, scope: CancelScope | None) -> ModelTable:
    stored = StoredTable(TablePlace(name, where, facts["title"], facts["version"]), facts["written"], scope)
    return ModelTable(name, facts["model"], facts["fingerprint"], facts["dim"], stored)


@lru_cache(maxsize=1000)
def _verify(table: StoredTable) -> None:
    """Compare the files of a small table with what was written, once for each version of it."""
    table.verify(most=CHECKED)


def _unknown(name: str) -> UnknownName:
    return unknown_name("index", name, names() or ("none yet; `index add NAME PATHS…` makes one",))
