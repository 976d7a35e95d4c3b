"""Folders beside the visitors' uploads: deleted with them, and the page may serve the files in them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from gradio.utils import get_upload_folder

VARIABLE = "CLIP_WORKBENCH_UPLOADS"  # of the environment; names the folder


def folder_beside_uploads(prefix: str) -> Path:
    """Make an empty folder that nobody else can read (mode 0700).

    Args:
        prefix: what its name begins with.
    """
    place = Path(get_upload_folder())
    place.mkdir(parents=True, exist_ok=True)
    os.environ[VARIABLE] = str(place)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=place))


def shown(path: Path) -> str:
    """Return a path in the folder of uploads without this machine's part of it, as a data set's reference takes it."""
    return f"${VARIABLE}/{path.relative_to(os.environ[VARIABLE])}"
