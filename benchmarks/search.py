"""`python -m benchmarks.search`: from a query as typed to the thumbnails of the first page that the search view shows.

Makes an index of drawn vectors and thumbnails in a folder of its own; model and code are those of the view. A large one
gets its vector index, and the nearest rows are compared with an exact search.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session
    from workbench.retrieval.index import ModelTable

QUERIES = (
    "a photo of a cat", "a red car + beach - people", "2:golden retriever + pool", "a cup of coffee on a table",
    "a drawing of an umbrella", "a dog in the snow", "a rocket", "a boat on a lake", "a man with a hat",
    "a bowl of fruit", "an old house", "a tree",
)  # fmt: skip
WARM = 2  # queries before those that count: the vectors are read into memory, thread pools start
SIDE, KINDS = 224, 50  # pixels of a thumbnail; different ones
SAY_AT = (20_000, 100_000, 300_000, 1_000_000)  # rows after which the cost of a row so far is noted
NAME = "bench"


def main(
    *,
    folder: Annotated[Path, typer.Option(help="Where the index is made; one that is there is used again.")],
    rows: Annotated[int, typer.Option(help="Images of the index.")] = 100_000,
) -> None:
    """Print times as JSON: of queries as typed, of making the index, and of the nearest ten beside exact searches."""
    os.environ["CLIP_WORKBENCH_HOME"] = str(folder.resolve())
    from workbench.engine import Engine
    from workbench.retrieval import location

    with Engine(device="cpu") as engine, engine.session("benchmark") as session:
        made = {} if NAME in location.names() else build(session, rows)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        typer.echo(json.dumps({**measure(session), **made, "most_memory_mb": most, **nearest(session)}))


def build(session: Session, rows: int) -> dict[str, Any]:
    """Write rows around sixty directions, each with a thumbnail; returns what a row and the vector index cost."""
    from workbench.progress import Progress
    from workbench.retrieval import table as tables
    from workbench.retrieval.index import make_table
    from workbench.retrieval.rows import IndexRow
    from workbench.retrieval.writer import RowWriter

    table = make_table(NAME, model=session.spec.key, fingerprint=session.fingerprint, dim=session.dim)
    rng, writer = np.random.default_rng(0), RowWriter(table.table)
    pictures = [_thumbnail(rng) for _ in range(KINDS)]
    centres = rng.normal(size=(60, session.dim))
    costs, written, began = {}, 0.0, time.perf_counter()
    for number in range(rows):
        vector = centres[number % 60] + 0.6 * rng.normal(size=session.dim)
        row = IndexRow(f"/{number}.jpg", f"{number:064x}", 1, 1, 448, 448, "", "", (), None, pictures[number % KINDS])
        now = time.perf_counter()
        writer.put(row, (vector / np.linalg.norm(vector)).astype(np.float32), replace=False)
        written += time.perf_counter() - now
        if number + 1 in SAY_AT:
            costs[number + 1] = 1e6 * written / (number + 1)
        if (number + 1) % 20_000 == 0:
            seconds = time.perf_counter() - began
            line = Progress.timed(number + 1, rows, "rows", seconds=seconds, computed=number + 1).line
            typer.echo(line, file=sys.stderr)
    writer.flush()
    writer.compact()
    now = time.perf_counter()
    if rows >= tables.VECTOR_INDEX_FROM:
        table.table.build_vector_index()
    return {"microseconds_a_row": costs, "vector_index_seconds": time.perf_counter() - now}


def measure(session: Session) -> dict[str, Any]:
    """Ask each query once; return times in milliseconds, and how many rows were searched."""
    from workbench.retrieval.index import find_table

    table: ModelTable = find_table(NAME, fingerprint=session.fingerprint)
    times = np.array([_milliseconds(session, table, query) for query in QUERIES][WARM:])
    clock, computing = times.T
    return {
        "rows": table.rows,
        "queries": len(times),
        "median_ms": float(np.median(clock)),
        "most_ms": float(clock.max()),
        "median_cpu_ms": float(np.median(computing)),
    }


def nearest(session: Session) -> dict[str, Any]:
    """Compare the nearest ten of each search with LanceDB's exact scan, and with a product of all vectors in memory."""
    from workbench.retrieval.check import check
    from workbench.retrieval.index import find_table
    from workbench.retrieval.search import CANDIDATES

    table = find_table(NAME, fingerprint=session.fingerprint)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(table.rows, session.dim)).astype(np.float32)
    some = table.table.take(np.sort(rng.choice(table.rows, 40, replace=False)), ["vector"], offsets=True)
    queries = np.array(some["vector"].to_pylist(), np.float32) + rng.normal(0, 0.02, (40, session.dim))

    ways: dict[str, Callable[[NDArray[np.float32]], Any]] = {
        "index_ms": lambda one: table.table.nearest(one, limit=10, refine=CANDIDATES // 10),
        "scan_ms": lambda one: table.table.nearest(one, limit=10),
        "numpy_ms": lambda one: np.argpartition(-(vectors @ one), 10),
    }
    return {**{name: _median(ask, queries.astype(np.float32)) for name, ask in ways.items()}, "nearest": check(table)}


def _median(ask: Callable[[NDArray[np.float32]], Any], queries: NDArray[np.float32]) -> float:
    """Return the median of the milliseconds of each query, after a few that do not count."""
    times = []
    for one in queries:
        began = time.perf_counter()
        ask(one)
        times.append(1000 * (time.perf_counter() - began))
    return float(np.median(times[WARM:]))


def _milliseconds(session: Session, table: ModelTable, query: str) -> tuple[float, float]:
    """Return the time of one query by the clock, and of the processors."""
    from apps.search import PAGE, files, finding

    form = finding.SearchForm(query, None, 1.0, "", weaker=True, fold=True, correct_hubs=False)
    began, computed = time.perf_counter(), time.process_time()
    hits, _ = finding.to_show(session, finding.results_of(session, table, form), form)
    list(files.thumbnails(hits[:PAGE]))
    return (time.perf_counter() - began) * 1000, (time.process_time() - computed) * 1000


def _thumbnail(rng: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    small = Image.fromarray(rng.integers(0, 255, (14, 14, 3), dtype=np.uint8))
    small.resize((SIDE, SIDE)).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


if __name__ == "__main__":
    typer.run(main)
