"""Browser, shell and Python give the same numbers: the same audit three ways, compared to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import audits
from apps.auditing.audit_request import AuditRequest, jobs
from apps.shared.audit_jobs import run_jobs
from apps.shell import run as shell
from audits.run_directory.reader import Run
from workbench.engine import Engine
from workbench.scheduler import CancelToken

AUDIT = "surveillance/scenes"


def test_browser_shell_and_python_give_the_same_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_CACHE", str(tmp_path / "cache"))  # nobody finds what another has embedded
    (job,) = jobs(AuditRequest((AUDIT,), ("fake",)))
    with Engine(default="fake") as engine:
        steps = list(run_jobs(engine, [job], tmp_path / "browser", owner="me", token=CancelToken(), own_images=True))
    page = Run(steps[-1].run or tmp_path)
    assert page.status == "success"
    assert any(step.progress and step.progress.done for step in steps)

    monkeypatch.setenv("CLIP_WORKBENCH_CACHE", str(tmp_path / "other"))
    assert shell(["audit", "run", AUDIT, "--model", "fake", "--out", str(tmp_path / "shell"), "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    (folder,) = (tmp_path / "shell").glob("*/")
    assert str(folder.name) in json.dumps(output)

    monkeypatch.setenv("CLIP_WORKBENCH_CACHE", str(tmp_path / "third"))
    script = audits.run(AUDIT, "fake", out=tmp_path / "script")

    tables = [(one / "metrics.parquet").read_bytes() for one in (page.folder, folder, script.folder)]
    assert tables[0] == tables[1] == tables[2]
