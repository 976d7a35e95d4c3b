"""The embed stage on a local cluster of two workers: the same tables as the local engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audits.run_directory.files import sha256_of
from audits.run_directory.reader import Run
from audits.running.vectors import VectorStore

Begin = Callable[..., Run]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def ray_paths(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Ray, whose workers find the tests' own audit; stopped afterwards."""
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'tests' / 'audits'}")
    yield ray
    ray.shutdown()


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_two_workers_give_the_tables_of_one_machine(begin: Begin, tmp_path: Path, ray_paths: Any) -> None:
    usage_lib = pytest.importorskip("ray._common.usage.usage_lib")
    given = {"settings": {"shades": [1.0, 0.6, 0.3]}}
    local = begin(**given, out=tmp_path / "local", store=VectorStore(tmp_path / "one"))
    seen = []
    spread = begin(
        **given,
        out=tmp_path / "spread",
        store=VectorStore(tmp_path / "two"),
        engine="ray",
        workers=2,
        watch=lambda job, progress: seen.append(progress),
    )
    assert spread.header.spec.engine == "ray"
    assert spread.header.stages["embed"].computed == 210  # nothing was kept before the run
    assert max(progress.total for progress in seen) == 210
    for name in ("metrics.parquet", "samples/part-0000.parquet", "findings.json"):
        assert sha256_of(spread.folder / name) == sha256_of(local.folder / name), name
    for part in sorted((tmp_path / "one").rglob("*.parquet")):
        twin = tmp_path / "two" / part.relative_to(tmp_path / "one")
        assert sha256_of(twin) == sha256_of(part)
    assert not usage_lib.usage_stats_enabled()
