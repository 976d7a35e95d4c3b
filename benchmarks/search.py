"""`python -m benchmarks.search`: from a query as typed to the thumbnails of the first page that the search view shows.

Makes an index of drawn vectors and thumbnails in a folder of its own; model and code are those of the view.
"""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from PIL import Image

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.retrieval.index import ModelTable

QUERIES = (
    "a photo of a cat", "a red car + beach - people", "2:golden retriever + pool", "a cup of coffee on a table",
    "a drawing of an umbrella", "a dog in the snow", "a rocket", "a boat on a lake", "a man with a hat",
    "a bowl of fruit", "an old house", "a tree",
)  # fmt: skip
WARM = 2  # queries before those that count: the vectors are read into memory, thread pools start
SIDE, KINDS = 224, 50  # pixels of a thumbnail; different ones
NAME = "bench"


def main(
    *,
    folder: Annotated[Path, typer.Option(help="Where the index is made; one that is there is used again.")],
    rows: Annotated[int, typer.Option(help="Images of the index.")] = 100_000,
) -> None:
    """Print times in milliseconds as JSON: median and largest by the clock, and the processors' median."""
    os.environ["CLIP_WORKBENCH_HOME"] = str(folder.resolve())
    from workbench.engine import Engine
    from workbench.retrieval import location

    with Engine(device="cpu") as engine, engine.session("benchmark") as session:
        if NAME not in location.names():
            build(session, rows)
        typer.echo(json.dumps(measure(session)))


def build(session: Session, rows: int) -> None:
    """Write rows around sixty directions, each with a thumbnail."""
    from workbench.retrieval.index import make_table
    from workbench.retrieval.rows import IndexRow
    from workbench.retrieval.writer import RowWriter

    table = make_table(NAME, model=session.spec.key, fingerprint=session.fingerprint, dim=session.dim)
    rng, writer = np.random.default_rng(0), RowWriter(table.table)
    pictures = [_thumbnail(rng) for _ in range(KINDS)]
    centres = rng.normal(size=(60, session.dim))
    for number in range(rows):
        vector = centres[number % 60] + 0.6 * rng.normal(size=session.dim)
        row = IndexRow(f"/{number}.jpg", f"{number:064x}", 1, 1, 448, 448, "", "", (), None, pictures[number % KINDS])
        writer.put(row, (vector / np.linalg.norm(vector)).astype(np.float32), replace=False)
    writer.flush()
    writer.compact()


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


def _milliseconds(session: Session, table: ModelTable, query: str) -> tuple[float, float]:
    """Return the time of one query by the clock, and of the processors."""
    from apps.search import PAGE, files, finding

    asked = finding.Asked(query, None, 1.0, "", weaker=True, fold=True, correct_hubs=False)
    began, computed = time.perf_counter(), time.process_time()
    hits, _ = finding.to_show(session, finding.results_of(session, table, asked), asked)
    list(files.thumbnails(hits[:PAGE]))
    return (time.perf_counter() - began) * 1000, (time.process_time() - computed) * 1000


def _thumbnail(rng: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    small = Image.fromarray(rng.integers(0, 255, (14, 14, 3), dtype=np.uint8))
    small.resize((SIDE, SIDE)).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


if __name__ == "__main__":
    typer.run(main)
