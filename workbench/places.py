"""Where the workbench keeps what it downloads and remembers on this machine.

Knows nothing of what lies there; `CLIP_WORKBENCH_HOME` moves all of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

import platformdirs

from workbench.errors import OutOfResources


def home() -> Path:
    """Return the folder of everything kept; it may not exist yet."""
    moved = os.environ.get("CLIP_WORKBENCH_HOME")
    return Path(moved).expanduser() if moved else platformdirs.user_cache_path("clip-workbench", appauthor=False)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file of ours; empty when there is none, or it is not readable as one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # what is kept can be worked out again
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file at once.

    Raises:
        OutOfResources: the folder cannot be written.
    """
    said = json.dumps(content, indent=1, sort_keys=True).encode()
    write_whole(path, said, remedy="; point CLIP_WORKBENCH_HOME at a folder that can be")


def write_whole(path: Path, content: bytes, *, remedy: str = "") -> None:
    """Write a file at once, with the folders it wants: readers see the old one or the new one, never half of it.

    Args:
        path: the file.
        content: all of it.
        remedy: what would help, at the end of the error's sentence.

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
