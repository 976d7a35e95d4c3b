"""`python -m benchmarks`: measure everything in one run on this machine, print the tables, and save the numbers.

Needs no download: weights are random. Exits with 0 whatever the ratios are: it measures, it does not judge.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks import agreement, ceiling, gpu, material, report, start, users
from benchmarks.peers import PEERS, WITH_BFLOAT16

screen = Console()
GROWING = ("ours", "open_clip loop")
INSTALL = "pip install -r requirements-bench.txt"


def main(
    *,
    out: Annotated[Path | None, typer.Option(help="Save the numbers in this JSON file.")] = None,
    pictures: Annotated[int, typer.Option(help="Number of photographs.")] = 64,
    threads: Annotated[int, typer.Option(help="Threads of every peer; 0: one per core.")] = 0,
    repeats: Annotated[int, typer.Option(help="Runs of each measurement; the best one counts.")] = 3,
    skip: Annotated[list[str] | None, typer.Option(help="peers, growth, users, start or gpu; repeatable.")] = None,
) -> None:
    """Measure ours beside transformers' pipeline, an open_clip loop, ONNX Runtime and OpenVINO."""
    _quiet()
    threads = threads or len(os.sched_getaffinity(0))
    results: dict[str, Any] = {"machine": machine(threads)}
    screen.print(" · ".join(f"{name}: {value}" for name, value in results["machine"].items()))
    with tempfile.TemporaryDirectory(prefix="clip-benchmarks-") as folder:
        made = material.make(Path(folder) / "material", pictures)
        _measure(_steps(made, results, threads=threads, repeats=repeats, skip=set(skip or ())))
    for table in report.tables(results):
        screen.print(table)
    if missing := [name for name, row in results.get("throughput", {}).items() if "missing" in row]:
        screen.print(f"Not measured: {', '.join(missing)}. To add peers: {INSTALL}")
    if out:
        _write(out, results)


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


def worker(
    made: material.BenchmarkData, peer: str, case: str, *, threads: int, dtype: str = "float32", **options: Any
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


def _steps(
    made: material.BenchmarkData, results: dict[str, Any], *, threads: int, repeats: int, skip: set[str]
) -> list[tuple[str, Callable[[], None]]]:
    """Every measurement with its name; each puts its numbers into `results`."""
    steps: list[tuple[str, Callable[[], None]]] = []
    dtypes = ("float32", "bfloat16") if has_bf16() else ("float32",)

    def add(text: str, group: str, name: str | None, measure: Callable[[], Any]) -> None:
        def step() -> None:
            value = measure()
            results.update({group: value}) if name is None else results.setdefault(group, {}).update({name: value})

        steps.append((text, step))

    for dtype in dtypes:
        add(f"matrix product, {dtype}", "ceiling", dtype, lambda d=dtype: ceiling.matrix_product(d, threads))  # type: ignore[misc]
    if "peers" not in skip:
        for peer in PEERS:
            for dtype in dtypes if peer in WITH_BFLOAT16 else ("float32",):
                row = f"{peer}, {dtype}"
                options: dict[str, Any] = {"threads": threads, "dtype": dtype, "repeats": repeats}
                add(row, "throughput", row, lambda p=peer, o=options: worker(made, p, "throughput", **o))  # type: ignore[misc]
                if peer.startswith("ours"):
                    text = f"embedding, {row}"
                    add(text, "embedding", row, lambda p=peer, o=options: worker(made, p, "embedding", **o))  # type: ignore[misc]
        if len(dtypes) > 1:
            add("bfloat16 beside float32", "least_cosine", None, lambda: agreement.least_cosine(made))
    if "growth" not in skip:
        for peer in GROWING:
            add(f"growth, {peer}", "growth", peer, lambda p=peer: worker(made, p, "growth", threads=threads))  # type: ignore[misc]
    if "users" not in skip:
        add("visitors", "users", None, lambda: users.measure(made))
    if "start" not in skip:
        add("start", "start", None, start.measure)
    if "gpu" not in skip:
        add("GPU", "gpu", None, gpu.measure)
    return steps


def _measure(steps: list[tuple[str, Callable[[], None]]]) -> None:
    """Run the steps with a bar that shows how many are done and the time left."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(steps))
        for text, step in steps:
            bar.update(task, description=text)
            step()
            bar.advance(task)


def _quiet() -> None:
    """Hide what other libraries say of random weights and of their own settings."""
    os.environ.update({"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"})
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)


def _write(out: Path, results: dict[str, Any]) -> None:
    unfinished = out.with_name(out.name + ".tmp")
    unfinished.write_text(json.dumps(results, indent=1), encoding="utf-8")
    unfinished.replace(out)


if __name__ == "__main__":
    typer.run(main)
