"""Killed at any moment and continued, a run ends in the same bytes as one that nobody disturbed."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import colour_audit
import pytest

import audits
from audits.run_directory.files import sha256_of
from audits.run_directory.reader import directories
from audits.running.vectors import VectorStore

ROOT = Path(__file__).parents[3]
SETTINGS = {"shades": [1.0, 0.8, 0.6, 0.4], "slow": 0.01}
NURSERY = """
import os, sys, pandas, pyarrow.parquet, scipy.stats, statsmodels.stats.multitest, torch, colour_audit, audits
settings = {"shades": [1.0, 0.8, 0.6, 0.4], "slow": 0.01}
for _ in sys.stdin:  # one child for each line; forked before anything has threads, so that imports are paid for once
    child = os.fork()
    if child == 0:
        rules = colour_audit.RULES
        audits.run(colour_audit.AUDIT, "fake", sys.argv[1], protocol=rules, out=sys.argv[2], settings=settings)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
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
    out, kills, rng = tmp_path / "runs", 0, random.Random(4)
    with _nursery(colours, out, own_home) as nursery:
        code = -signal.SIGKILL
        for _ in range(6):
            child, before = _start(nursery), _events(out)
            while not _ended(nursery, 0.01) and _events(out) == before:
                pass  # it is not at work yet: it has written nothing to the log
            if not _ended(nursery, rng.uniform(0.0, 0.6)):
                os.kill(child, signal.SIGKILL)
            code = int(nursery.stdout.readline())
            kills += code == -signal.SIGKILL
            if code == 0:
                break
        if code:
            _start(nursery)
            assert int(nursery.stdout.readline()) == 0
    assert kills >= 1
    (folder,) = directories(out)
    assert folder.name.split("_")[-1] == whole.folder.name.split("_")[-1]
    for name in ("metrics.parquet", "metrics.csv", "samples/part-0000.parquet", "findings.json"):
        assert sha256_of(folder / name) == sha256_of(whole.folder / name), name
    sums = [(run / "SHA256SUMS").read_text().splitlines() for run in (folder, whole.folder)]
    timeless = [[line for line in lines if not line.endswith("  run.json")] for lines in sums]  # it holds the times
    assert timeless[0] == timeless[1]


def _nursery(colours: str, out: Path, home: Path) -> Any:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "audits")])
    env = os.environ | {"PYTHONPATH": paths, "CLIP_WORKBENCH_HOME": str(home), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", NURSERY, colours, str(out)]
    return subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def _start(nursery: Any) -> int:
    """Let one more process run the audit, and return its id."""
    nursery.stdin.write(b"go\n")
    return int(nursery.stdout.readline())


def _ended(nursery: Any, seconds: float) -> bool:
    """Wait so long at most for the process to end by itself."""
    return bool(select.select([nursery.stdout], [], [], seconds)[0])


def _events(out: Path) -> int:
    return sum(path.stat().st_size for path in out.glob("*/events.jsonl"))
