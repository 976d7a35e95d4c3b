"""The care that a table in LanceDB needs: compaction, and the vector index of a large one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workbench.errors import BadInput
from workbench.scheduler.attempt import empty_cache

if TYPE_CHECKING:
    from lancedb.table import Table

VECTOR_INDEX_FROM = 100_000  # rows; a scan is fast enough below
VECTOR_INDEXES = ("IVF_RQ", "IVF_SQ", "IVF_PQ", "IVF_FLAT", "IVF_HNSW_SQ")
COMPACT_FROM = 20  # writes
KEEP_VERSIONS = timedelta(hours=1)  # for readers that are in the middle of something


def compact(table: Table) -> None:
    """Join small fragments, bring new rows into the vector index, and drop old versions."""
    table.optimize(cleanup_older_than=KEEP_VERSIONS)
    empty_cache()  # what it needed meanwhile would stay with the process


def vector_index(table: Table) -> str:
    """Return the kind of the table's vector index, or "" where it has none."""
    kinds = {kind.replace("_", ""): kind for kind in VECTOR_INDEXES}
    held = (one.index_type.upper().replace("_", "") for one in table.list_indices() if "vector" in one.columns)
    return next((kinds.get(kind, kind) for kind in held), "")


def check_kind(kind: str) -> None:
    """Refuse a kind of vector index that is not in the table; "" is none.

    Raises:
        BadInput: and the kinds that there are.
    """
    if kind not in ("", *VECTOR_INDEXES):
        raise BadInput(f"Kinds of vector index are {', '.join(VECTOR_INDEXES)}; got {kind!r}.")


def build_vector_index(table: Table, kind: str = "IVF_RQ") -> None:
    """Build the vector index, or replace it; rows are searched without it as well, more slowly.

    Args:
        table: of at least a few hundred rows.
        kind: one of `VECTOR_INDEXES`.

    Raises:
        BadInput: another kind.
    """
    from lancedb import index as kinds

    check_kind(kind)
    name = {
        "IVF_RQ": "IvfRq",
        "IVF_SQ": "IvfSq",
        "IVF_PQ": "IvfPq",
        "IVF_FLAT": "IvfFlat",
        "IVF_HNSW_SQ": "HnswSq",
    }[kind]
    table.create_index("vector", config=getattr(kinds, name)(distance_type="cosine"), replace=True)
