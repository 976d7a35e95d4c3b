"""Folders beside the visitors' uploads: deleted with them, and the page may serve the files in them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gradio.utils import get_upload_folder


def folder_beside_uploads(prefix: str) -> Path:
    """Make an empty folder that nobody else can read (mode 0700).

    Args:
        prefix: what its name begins with.
    """
    place = Path(get_upload_folder())
    place.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=place))
