"""Files that appear whole or not at all, and hashes of files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.errors import OutOfResources
from workbench.places import write_whole
from workbench.strict_json import strict_json


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_name(text: str, most: int = 80) -> str:
    """Return a text as a part of a file name: letters, digits, dots and dashes, at most so many."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:most] or "x"


def write_json(path: Path, content: Any) -> None:
    """Write strict JSON at once."""
    write_whole(path, strict_json(content, indent=1).encode())


def write(path: Path, how: Callable[[Path], object]) -> None:
    """Let `how` write to a temporary name, and rename it.

    Raises:
        OutOfResources: the folder cannot be written.
    """
    half = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        how(half)
        os.replace(half, path)
    except OSError as error:
        raise OutOfResources(f"{path.name!r} could not be written ({error.strerror or error}).") from None
    finally:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
