"""Killed at any moment and continued, a run ends in the same bytes as one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import colour_audit
import pytest

import audits
from audits.run_directory import header
from audits.run_directory.files import sha256_of
from audits.run_directory.reader import directories
from audits.running.vectors import VectorStore

ROOT = Path(__file__).parents[3]
SETTINGS = {"shades": [1.0, 0.8, 0.6, 0.4], "slow": 0.01}
CODE = """
import sys, colour_audit, audits
settings = {"shades": [1.0, 0.8, 0.6, 0.4], "slow": 0.01}
audits.run(colour_audit.AUDIT, "fake", sys.argv[1], protocol=colour_audit.RULES, out=sys.argv[2], settings=settings)
"""


@pytest.mark.heavy
def test_a_killed_run_continues_to_the_same_bytes(own_home: Path, colours: str, tmp_path: Path) -> None:
    whole = audits.run(
        colour_audit.AUDIT,
        "fake",
        colours,
        protocol=colour_audit.RULES,
        out=tmp_path / "whole",
        settings=SETTINGS,
        store=VectorStore(tmp_path / "other"),
    )
    out, kills, luck = tmp_path / "runs", 0, random.Random(4)
    for _ in range(12):
        process = _start(colours, out, own_home)
        _wait_for(process, out)
        try:
            process.wait(timeout=luck.uniform(0.0, 0.6))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            continue
        break
    assert kills >= 1
    if header.read(directories(out)[0]).status != "success":
        assert _start(colours, out, own_home).wait(timeout=120) == 0
    (folder,) = directories(out)
    assert folder.name.split("_")[-1] == whole.folder.name.split("_")[-1]
    for name in ("metrics.parquet", "metrics.csv", "samples/part-0000.parquet", "findings.json"):
        assert sha256_of(folder / name) == sha256_of(whole.folder / name), name
    sums = [(run / "SHA256SUMS").read_text().splitlines() for run in (folder, whole.folder)]
    timeless = [[line for line in lines if not line.endswith("  run.json")] for lines in sums]  # it holds the times
    assert timeless[0] == timeless[1]


def _start(colours: str, out: Path, home: Path) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "audits")])
    env = os.environ | {"PYTHONPATH": paths, "CLIP_WORKBENCH_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", CODE, colours, str(out)], env=env)


def _wait_for(process: subprocess.Popen[bytes], out: Path) -> None:
    """Wait until this process is at work: it has written to the log."""
    before = _events(out)
    while process.poll() is None and _events(out) == before:
        time.sleep(0.01)


def _events(out: Path) -> int:
    return sum(path.stat().st_size for path in out.glob("*/events.jsonl"))
