"""The quick suite on the shipped model, from the command line to the report: what CI runs of the release suite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from audits import catalogue
from audits.run_directory.reader import open_run
from audits.running import suites

ROOT = Path(__file__).parents[3]


def run_suite(home: Path, *more: str) -> tuple[dict[str, Any], float]:
    words = [sys.executable, "-m", "audits", "suite", "quick", "--model", "pocket", "--json", *more]
    environment = {**os.environ, "CLIP_WORKBENCH_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment.pop("CLIP_WORKBENCH_CACHE", None)
    began = time.monotonic()
    done = subprocess.run(words, cwd=home, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told, time.monotonic() - began


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_five_audits_of_pocket_end_in_one_report_and_are_not_done_twice(tmp_path: Path) -> None:
    (tmp_path / "audit-data").symlink_to(Path(os.environ["CLIP_WORKBENCH_HOME"]) / "audit-data")  # drawn once for all
    told, _ = run_suite(tmp_path, "--out", "runs")
    entries = suites.read("quick").jobs
    assert len(told["runs"]) == len(entries)
    runs = [open_run(folder.parent) for folder in sorted((tmp_path / "runs").glob("*/run.json"))]
    assert {run.header.spec.audit for run in runs} == {entry.audit for entry in entries}
    for run in runs:
        assert run.status == "success"
        assert not run.header.partial
        assert len(run.metrics) > 5
        assert len(run.findings) > 0
        assert run.header.stages["embed"].computed > 100
    page = (tmp_path / told["report"]).read_text(encoding="utf-8")
    assert len(page) < 5 * 10**6
    assert all(catalogue.find(entry.audit).title in page for entry in entries)

    again, _ = run_suite(tmp_path, "--out", "others")  # other run directories, the same pictures
    fresh = [open_run(folder.parent) for folder in sorted((tmp_path / "others").glob("*/run.json"))]
    assert len(again["runs"]) == len(entries)
    assert sum(run.header.stages["embed"].computed for run in fresh) == 0
    before = sum(run.header.stages["embed"].seconds for run in runs)
    after = sum(run.header.stages["embed"].seconds for run in fresh)
    assert after < before / 50
    tables = {run.header.spec.audit: (run.folder / "metrics.parquet").read_bytes() for run in runs}
    assert all((run.folder / "metrics.parquet").read_bytes() == tables[run.header.spec.audit] for run in fresh)
