"""Where a run's numbers come from: code, packages, machine, torch's switches, the model's files and preprocessing."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from audits.contracts import ModelFacts
from audits.run_directory.header_parts import Provenance
from workbench.errors import Unsupported
from workbench.models import find

if TYPE_CHECKING:
    from torch import Tensor

ROOT = Path(__file__).parents[2]
SECRET = ("token", "password", "secret", "key=", "auth")  # an argument that holds one of these is not written down


def collect(known: dict[str, Any], *, seed: int) -> Provenance:
    """Return everything that can be known about a run before it starts.

    `known` is what `look_at` said about the model.
    """
    return Provenance(
        git=git(),
        packages=packages(),
        machine=machine(),
        torch=torch_flags(),
        model=known,
        argv=tuple("(not written down)" if any(mark in word.lower() for mark in SECRET) else word for word in sys.argv),
        seeds={
            "seed": seed,
            "scheme": "numpy PCG64 and torch generators, seeded per audit and item; Python's own unused",
        },
    )


def look_at(model: Any) -> tuple[ModelFacts, dict[str, Any]]:
    """Return what the later stages may know of a model, and what its provenance is.

    The model is a loaded one, or a session of the engine.
    """
    from audits.stages import facts

    known: dict[str, Any] = {"weights_sha256": dict(model.spec.sha256), "repository": model.spec.repo or ""}
    known |= {"revision": model.spec.revision or "", "licence": model.spec.licence or "", "library": model.spec.loader}

    def inside(box: Any) -> Iterator[dict[str, Any]]:
        preprocessing = repr(box.preprocessing)
        square = box.prepare(_probe())
        row: Tensor = box.encode_pixels(square[None])[0]
        yield {
            "preprocessing": preprocessing,
            "preprocessing_sha256": hashlib.sha256(preprocessing.encode()).hexdigest(),
            "probe_pixels_sha256": hashlib.sha256(square.numpy().tobytes()).hexdigest(),
            "probe_embedding": [round(float(value), 4) for value in row[:8]],
            "probe_sha256": hashlib.sha256(row.numpy().round(3).tobytes()).hexdigest(),
            "tokenizer_probe": [int(one) for one in box.tokenize(["a photo of a cat."]).ids[0]],
        }

    try:
        known |= next(iter(model.steps(inside)))
    except Unsupported:  # a device in another process gives no details
        known["preprocessing"] = "unknown"
    if not known["weights_sha256"]:
        known["weights_sha256"] = _weights(model.spec)
    return facts(model), known


@functools.cache
def git() -> dict[str, Any]:
    """Return commit, whether files differ from it, and a hash of the difference; empty outside a clone."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {}
    changed = _git("status", "--porcelain", "--untracked-files=no")
    different = _git("diff", "HEAD") if changed else ""
    digest = hashlib.sha256(different.encode()).hexdigest() if different else ""
    return {"commit": commit.strip(), "dirty": bool(changed.strip()), "diff_sha256": digest}


@functools.cache
def packages() -> dict[str, str]:
    """Return name and version of every installed distribution."""
    versions = {
        str(one.metadata["Name"]): one.version for one in importlib.metadata.distributions() if one.metadata["Name"]
    }
    return dict(sorted(versions.items(), key=lambda row: row[0].lower()))


def machine() -> dict[str, Any]:
    """Return interpreter, operating system, processor and graphics card."""
    from workbench.loading.device import choose_device

    return {
        "python": platform.python_version(),
        "os": platform.platform(),
        "cpu": _processor(),
        "cores": os.cpu_count() or 0,
        "accelerator": str(choose_device("auto")),
    }


def torch_flags() -> dict[str, Any]:
    """Return torch's version and the switches that can move a number."""
    import torch

    return {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "tf32_cudnn": torch.backends.cudnn.allow_tf32,
        "cuda": torch.version.cuda or "",
    }


def _weights(spec: Any) -> dict[str, str]:
    """Return the hashes of a local folder's weights, which no table knows."""
    if spec.folder is None or spec.loader == "fake":
        return {}
    from workbench.loading.hashes import sha256_of, weight_files

    if spec.loader == "edited":
        own = {file.name: sha256_of(file) for file in sorted(spec.folder.glob("edit.*"))}
        return _weights(find(spec.base)) | own
    return {file.name: sha256_of(file) for file in weight_files(spec, spec.folder)}


def _probe() -> Any:
    """An image that is the same everywhere: two gradients and a checkered corner, 320 x 240."""
    down, across = np.mgrid[0:240, 0:320]
    blue = np.where((down // 16 + across // 16) % 2 == 0, 220, 30)
    return Image.fromarray(np.stack([across * 255 // 319, down * 255 // 239, blue], axis=2).astype(np.uint8))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, timeout=20, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
