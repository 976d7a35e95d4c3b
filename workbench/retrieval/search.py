"""Search an index with a vector: the best rows, how much of the index each beats, and where the list should end.

Small tables are searched exactly, in memory; large ones through LanceDB's vector index, whose candidates are scored
again with the stored vectors. Cosines are never approximate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import BadInput
from workbench.retrieval import memory
from workbench.retrieval.chance import Chance
from workbench.retrieval.filters import compile_filter
from workbench.retrieval.hubs import QueryBank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.retrieval.index import ModelTable

REFINE, CANDIDATES = (
    30,
    1000,
)  # of the vector index: scored again are so many times what is wanted, and at least so many
MOST = 1000  # results of one search
SHOWN = ("path", "sha256", "width", "height", "label", "caption", "tags", "second", "modified", "thumbnail")


@dataclass(frozen=True)
class Hit:
    """One result."""

    path: str
    score: float  # cosine with the query
    beats: float  # share of the searched rows with a lower cosine, 0..1
    chance: float  # share of the null that scores as high on this image, 0..1; see `Chance`
    deviation: float  # standard deviations above the null
    likely: bool  # beyond the cut-off
    row: dict[str, Any]  # the other columns in `SHOWN`
    vector: NDArray[np.float32]  # (dim,)


@dataclass(frozen=True)
class Results:
    """The best rows in order, of a number that was searched."""

    hits: tuple[Hit, ...]
    rows: int  # that were searched: of the table, or of its part that the filter leaves
    exact: bool  # whether every row was looked at

    @property
    def likely(self) -> tuple[Hit, ...]:
        """The hits beyond the cut-off."""
        return tuple(hit for hit in self.hits if hit.likely)


def search(
    opened: ModelTable,
    vector: NDArray[np.float32],
    *,
    top: int = 50,
    where: str = "",
    chance: Chance | None = None,
    hubs: QueryBank | None = None,
) -> Results:
    """Return the rows whose vectors have the highest cosine with a vector.

    Args:
        opened: the table.
        vector: (dim,) of unit length.
        top: number of results, 1 to 1,000.
        where: a condition on the columns in the language of `filters`; empty for all rows.
        chance: what tells likely results from unlikely ones; without it all are likely.
        hubs: ranks down what answers to everything, in tables that are searched exactly; None for plain cosines.

    Raises:
        BadInput: a number of results or a condition that cannot be used.
    """
    if not 1 <= top <= MOST:
        raise BadInput(f"A search returns 1 to {MOST} results; got {top}.")
    condition = compile_filter(where)
    kept = memory.table_vectors(opened)
    if kept.whole:
        ids, scores, order, searched = _exact(opened, kept, vector, top=top, where=condition, hubs=hubs)
        null = scores
    else:
        ids, order, searched = _by_index(opened, vector, top=top, where=condition)
        scores, null = np.zeros(0, np.float32), kept.vectors @ vector
    lines = _details(opened, ids[order])
    vectors = np.array([line.pop("vector") for line in lines], np.float32).reshape(-1, opened.dim)
    cosines = np.clip(vectors @ vector, -1.0, 1.0)
    if not kept.whole:
        again = np.argsort(-cosines, kind="stable")
        lines, vectors, cosines = [lines[at] for at in again], vectors[again], cosines[again]
    return Results(_hits(lines, vectors, cosines, null, chance or Chance(None, -np.inf)), searched, kept.whole)


def _hits(
    lines: Sequence[dict[str, Any]],
    vectors: NDArray[np.float32],
    cosines: NDArray[np.float32],
    null: NDArray[np.float32],
    chance: Chance,
) -> tuple[Hit, ...]:
    reached, deviations = chance.measure(vectors, cosines, null)
    likely = chance.likely(vectors, cosines, deviations)
    return tuple(
        Hit(
            path=line["path"],
            score=float(cosine),
            beats=_share_below(null, float(cosine)),
            chance=float(share),
            deviation=float(deviation),
            likely=bool(fits),
            row=line,
            vector=vector,
        )
        for line, vector, cosine, share, deviation, fits in zip(
            lines, vectors, cosines, reached, deviations, likely, strict=True
        )
    )


def _exact(
    opened: ModelTable,
    kept: memory.TableVectors,
    vector: NDArray[np.float32],
    *,
    top: int,
    where: str,
    hubs: QueryBank | None,
) -> tuple[Any, Any, Any, int]:
    """Return row ids, their cosines, and the positions of the best."""
    ids, scores = kept.ids, kept.vectors @ vector
    keys = scores if hubs is None else hubs.scores(kept, scores)
    if where:
        allowed = [batch["_rowid"].to_numpy() for batch in opened.table.scan(["path"], where=where, ids=True)]
        mask = np.isin(ids, np.concatenate(allowed) if allowed else np.zeros(0, np.uint64))
        ids, scores, keys = ids[mask], scores[mask], keys[mask]
    top = min(top, len(ids))
    best = np.argpartition(-keys, top - 1)[:top] if 0 < top < len(ids) else np.arange(len(ids))
    return ids, scores, best[np.argsort(-keys[best], kind="stable")], len(ids)


def _by_index(
    opened: ModelTable, vector: NDArray[np.float32], *, top: int, where: str
) -> tuple[NDArray[np.uint64], Any, int]:
    """Ask LanceDB's vector index; return row ids and the number of rows searched."""
    searched = opened.table.count(where) if where else opened.rows
    nearest = opened.table.nearest(vector, limit=top, refine=max(REFINE, CANDIDATES // top), where=where)
    return nearest["_rowid"].to_numpy(), np.arange(nearest.num_rows), searched


def _details(opened: ModelTable, ids: NDArray[np.uint64]) -> list[dict[str, Any]]:
    """Return the columns to show and the vectors of some rows, in the order given."""
    if not len(ids):
        return []
    rows = opened.table.take(ids, [*SHOWN, "vector"])
    lines: dict[int, dict[str, Any]] = {line.pop("_rowid"): line for line in rows.to_pylist()}
    return [lines[one] for one in ids.tolist() if one in lines]


def _share_below(values: NDArray[np.float32], score: float) -> float:
    return float(np.count_nonzero(values < score - 1e-6)) / len(values) if len(values) else 0.0
