"""`python -m benchmarks`: measure everything in one run on this machine, print the tables, and keep the numbers.

Leaves with 0 whatever the ratios are: it measures, it does not judge.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import agreement, gpu, material, report, start, users
from benchmarks.peers import PEERS

screen = Console()
FLOAT32 = tuple(PEERS)
GROWING = ("ours", "open_clip loop")


def main(
    *,
    out: Annotated[Path | None, typer.Option(help="Keep the numbers in this JSON file.")] = None,
    pictures: Annotated[int, typer.Option(help="How many photographs.")] = 64,
    threads: Annotated[int, typer.Option(help="Threads of every peer; 0: one a core.")] = 0,
    repeats: Annotated[int, typer.Option(help="The best of so many runs counts.")] = 3,
    skip: Annotated[list[str] | None, typer.Option(help="peers, growth, users, start or gpu; repeatable.")] = None,
) -> None:
    """Measure ours beside transformers' pipeline, an open_clip loop, ONNX Runtime and OpenVINO."""
    threads = threads or len(os.sched_getaffinity(0))
    skipped = set(skip or ())
    found: dict[str, Any] = {"machine": machine(threads)}
    screen.print(" · ".join(f"{name}: {value}" for name, value in found["machine"].items()))
    with tempfile.TemporaryDirectory(prefix="clip-benchmarks-") as folder:
        made = material.make(Path(folder) / "material", pictures)
        if "peers" not in skipped:
            found["throughput"] = throughput(made, threads, repeats)
            screen.print(report.throughput_table(found["throughput"]))
            found["least_cosine"] = agreement.least_cosine(made)
            screen.print(f"bfloat16 beside float32: cosine of the embeddings at least {found['least_cosine']:.5f}")
        if "growth" not in skipped:
            found["growth"] = {peer: worker(made, peer, "growth", threads=threads) for peer in GROWING}
            screen.print(report.growth_table(found["growth"]))
        if "users" not in skipped:
            found["users"] = users.measure(made)
            screen.print(report.users_table(found["users"]["rows"]))
    if "start" not in skipped:
        found["start"] = start.measure()
        screen.print("Start: " + ", ".join(f"{name} {value:.2f}" for name, value in found["start"].items()))
    if "gpu" not in skipped:
        found["gpu"] = gpu.measure()
        screen.print(f"GPU: {found['gpu']}")
    screen.print(report.ratio_table(report.ratios(found)))
    if out:
        _write(out, found)


def machine(threads: int) -> dict[str, Any]:
    """What the numbers belong to."""
    import torch
    import transformers

    torch.set_num_threads(threads)
    return {
        "processor": platform.processor() or platform.machine(),
        "threads": threads,
        "bf16 instructions": has_bf16(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself; where it does not, torch emulates and is slower."""
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags or "bf16" in flags.split()


def throughput(made: material.Material, threads: int, repeats: int) -> dict[str, dict[str, Any]]:
    """Every peer in float32, and ours in bfloat16 where the processor has it."""
    rows = {peer: worker(made, peer, "throughput", threads=threads, repeats=repeats) for peer in FLOAT32}
    if has_bf16():
        rows["ours, bfloat16"] = worker(made, "ours", "throughput", threads=threads, dtype="bfloat16", repeats=repeats)
    else:
        rows["ours, bfloat16"] = {"dtype": "bfloat16", "missing": "this processor has no bf16 instructions"}
    return rows


def worker(
    made: material.Material, peer: str, case: str, *, threads: int, dtype: str = "float32", **options: Any
) -> dict[str, Any]:
    """Measure one peer in a process of its own."""
    request = {
        "folder": str(made.folder), "peer": peer, "case": case, "threads": threads, "dtype": dtype, "options": options
    }  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker"],
        input=json.dumps(request), capture_output=True, text=True, env=environment,
    )  # fmt: skip
    if "ModuleNotFoundError" in done.stderr or "is not installed" in done.stderr:
        return {"dtype": dtype, "missing": done.stderr.strip().splitlines()[-1]}
    if done.returncode:
        raise RuntimeError(f"{peer}, {case}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {"dtype": dtype, **result}


def _write(out: Path, found: dict[str, Any]) -> None:
    unfinished = out.with_name(out.name + ".tmp")
    unfinished.write_text(json.dumps(found, indent=1), encoding="utf-8")
    unfinished.replace(out)


if __name__ == "__main__":
    typer.run(main)
