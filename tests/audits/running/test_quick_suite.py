"""The quick suite on the shipped model, from the command line to the report: what CI runs of the release suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audits import catalogue
from audits.run_directory.reader import open_run
from audits.running import suites
from audits.shell import main

AGAIN = """
schema: 1
title: Two of them
jobs: [{audit: surveillance/scenes}, {audit: shift/natural}]
"""


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_five_audits_of_pocket_end_in_one_report_and_are_not_done_twice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run_suite(suite: str, out: str) -> dict[str, Any]:
        assert main(["suite", suite, "--model", "pocket", "--json", "--out", out]) == 0
        summary: dict[str, Any] = json.loads(capsys.readouterr().out)
        return summary

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIP_WORKBENCH_CACHE", str(tmp_path / "cache"))
    summary = run_suite("quick", "runs")
    entries = suites.read("quick").jobs
    assert len(summary["runs"]) == len(entries)
    runs = [open_run(folder.parent) for folder in sorted((tmp_path / "runs").glob("*/run.json"))]
    assert {run.header.spec.audit for run in runs} == {entry.audit for entry in entries}
    for run in runs:
        assert run.status == "success"
        assert not run.header.partial
        assert len(run.metrics) > 5
        assert len(run.findings) > 0
        assert run.header.stages["embed"].computed > 100
    page = (tmp_path / summary["report"]).read_text(encoding="utf-8")
    assert len(page) < 5 * 10**6
    assert all(catalogue.find(entry.audit).title in page for entry in entries)

    (tmp_path / "again.yaml").write_text(AGAIN)
    again = run_suite("again.yaml", "second")  # two of the audits, other run directories, the same images
    first = {run.header.spec.audit: run for run in runs}
    fresh = [open_run(folder.parent) for folder in sorted((tmp_path / "second").glob("*/run.json"))]
    assert len(again["runs"]) == len(fresh) == 2
    assert sum(run.header.stages["embed"].computed for run in fresh) == 0
    for run in fresh:
        table = (first[run.header.spec.audit].folder / "metrics.parquet").read_bytes()
        assert (run.folder / "metrics.parquet").read_bytes() == table
