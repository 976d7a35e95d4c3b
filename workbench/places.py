"""Files and folders that the workbench keeps on this machine; `CLIP_WORKBENCH_HOME` moves all of them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import uuid
from pathlib import Path
from typing import Any

import platformdirs

from workbench.errors import OutOfResources

WEIGHTS = "clip_workbench_weights"  # a package of their own, so that a release of the program does not repeat them
NO_WEIGHTS = (
    "{} comes with the package clip-workbench-weights, which is not installed: pip install clip-workbench-weights"
)


def home() -> Path:
    """Return the folder for downloads and caches; it may not exist yet."""
    moved = os.environ.get("CLIP_WORKBENCH_HOME")
    return Path(moved).expanduser() if moved else platformdirs.user_cache_path("clip-workbench", appauthor=False)


def shipped(*parts: str) -> Path:
    """Return where a shipped file or folder of weights is: in a checkout, or in the package `clip-workbench-weights`.

    Without either, the path does not exist.
    """
    here = Path(__file__).with_name("weights")
    spec = None if here.is_dir() else importlib.util.find_spec(WEIGHTS)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0] if places else here, *parts)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in one of our JSON files; empty when the file is missing or unreadable."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # everything kept there can be computed again
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file atomically.

    Raises:
        OutOfResources: the folder cannot be written.
    """
    text = json.dumps(content, indent=1, sort_keys=True).encode()
    write_whole(path, text, remedy="; set CLIP_WORKBENCH_HOME to a writable folder")


def write_whole(path: Path, content: bytes, *, remedy: str = "") -> None:
    """Write a file atomically, creating its folders: readers see the old content or the new, never a part.

    Args:
        path: the file.
        content: the whole content.
        remedy: advice at the end of the error message.

    Raises:
        OutOfResources: it cannot be written.
    """
    half = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(content)
        os.replace(half, path)
    except OSError as error:
        raise OutOfResources(f"The file {path.name!r} could not be written ({error.strerror}){remedy}.") from None
    finally:
        with contextlib.suppress(OSError):  # where no folder is, no half of a file is
            half.unlink()
