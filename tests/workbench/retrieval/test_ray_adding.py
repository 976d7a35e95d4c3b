"""Adding on Ray Data: two workers make the rows of one process, and moved files are known."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.engine import Session
from workbench.retrieval import index
from workbench.retrieval.adding import AddOptions, add
from workbench.retrieval.scanning import scan

ROOT = Path(__file__).parents[3]
COLUMNS = ("path", "sha256", "width", "height", "label", "thumbnail", "vector")


@pytest.fixture
def ray_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield
    ray.shutdown()


def rows(name: str) -> list[dict[str, Any]]:
    table = index.find_table(name).table
    return sorted((line for batch in scan(table, COLUMNS) for line in batch.to_pylist()), key=lambda one: one["path"])


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_two_workers_make_the_rows_of_one_process(
    session: Session, pictures: Path, run: Callable[[Any], Any], ray_here: None
) -> None:
    run(add("spread", session, [str(pictures / "red")]))
    shutil.move(pictures / "red", pictures / "crimson")
    (pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    report = run(add("spread", session, [str(pictures)], options=AddOptions(ray_workers=2)))
    assert (report.added, report.reused, len(report.failed), report.removed) == (24, 8, 1, 8)
    run(add("local", session, [str(pictures)]))
    assert rows("spread") == rows("local")
