"""Check an index: how many of the true nearest rows its searches return, and what to do about it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import BadInput
from workbench.retrieval import memory
from workbench.retrieval.search import CANDIDATES, search
from workbench.retrieval.table import VECTOR_INDEX_FROM
from workbench.statistics.intervals import proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.retrieval.index import ModelTable

NEIGHBOURS = 10
GOOD = 0.95  # recall below which the advice is to change something
TIE = 1e-5  # equal contents have equal cosines: any of them is right
NOISE = 0.5  # length of the noise that is added to a row to make a query


def check(opened: ModelTable, *, queries: int = 100, seed: int = 0) -> dict[str, Any]:
    """Measure recall@10 of searches against the exact answer, with noisy copies of random rows as queries.

    Returns:
        `recall` with its interval `low` and `high`, `n` (neighbours looked for), `queries`, `k`, `rows`, `index`,
        `milliseconds` of a search and of an exact one (medians), `seed` and `advice`.

    Raises:
        BadInput: an empty index, or no query.
        Damaged: a file is not what was written.
    """
    rows = opened.rows
    opened.table.verify()
    if rows == 0 or queries < 1:
        raise BadInput(f"A check needs at least one row and one query; got {rows} rows and {queries} queries.")
    generator = np.random.default_rng(seed)
    offsets = np.sort(generator.choice(rows, min(queries, rows), replace=False))
    some = opened.table.take(offsets, ["vector"], offsets=True)
    vectors = memory.matrix(some["vector"].combine_chunks(), opened.dim)
    noise = generator.normal(size=vectors.shape).astype(np.float32)
    vectors = vectors + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    k = min(NEIGHBOURS, rows)
    memory.table_vectors(opened)  # reading them is no part of a search
    hits, times, exact_times = 0, [], []
    for vector in vectors:
        began = time.perf_counter()
        answer = [hit.score for hit in search(opened, vector, top=k).hits]
        middle = time.perf_counter()
        hits += int(np.count_nonzero(np.array(answer) >= _worst(opened, vector, k) - TIE))
        times.append(middle - began)
        exact_times.append(time.perf_counter() - middle)
    share = proportion(hits, k * len(vectors))
    recall, kind = share.value or 0.0, opened.table.state()["vector_index"]
    return {
        "recall": recall,
        "low": share.low,
        "high": share.high,
        "n": k * len(vectors),
        "queries": len(vectors),
        "k": k,
        "rows": rows,
        "index": kind,
        "milliseconds": 1000 * float(np.median(times)),
        "exact_milliseconds": 1000 * float(np.median(exact_times)),
        "seed": seed,
        "advice": advice(recall, rows, kind),
    }


def advice(recall: float, rows: int, kind: str) -> str:
    """Say what a recall calls for."""
    if not kind:
        more = "" if rows < VECTOR_INDEX_FROM else " The next `index add` builds a vector index."
        return f"Searches look at all {rows:,} rows; up to {VECTOR_INDEX_FROM:,} that is fast enough.{more}"
    if recall < GOOD:
        other = "IVF_SQ" if kind == "IVF_RQ" else "IVF_FLAT"
        return (
            f"Recall is below {GOOD}: rebuild with `index add NAME --vector-index {other}`, which is larger and closer."
        )
    return f"Good: {kind}, of which at least {CANDIDATES:,} candidates are scored again with the stored vectors."


def _worst(opened: ModelTable, vector: NDArray[np.float32], k: int) -> float:
    """Return the cosine of the k-th nearest row, by a scan of all rows."""
    return 1.0 - float(opened.table.nearest(vector, limit=k)["_distance"].to_pylist()[-1])
