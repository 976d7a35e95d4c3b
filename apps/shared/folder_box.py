"""A folder that is uploaded as a folder: its files come with the paths that they have in it.

The browser's part is `folder_box.js`: Gradio itself keeps bare names only. The paths come from a visitor; code that
writes files by them checks them with `inside`.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, ListFiles

from apps.shared.widgets import no_stubs
from workbench.errors import BadInput

SCRIPT = Path(__file__).with_name("folder_box.js").read_text(encoding="utf-8")
SLASH = "\N{DIVISION SLASH}"  # what the script writes for a slash
DEPTH = 8  # folders within folders
LONGEST = 200  # bytes of a folder's or a file's name

no_stubs()


class FolderFile(gr.File):
    """`gr.File` for a folder; its value is pairs of the uploaded file and its path in the folder."""

    is_template = True  # the page draws it as the file list it derives from

    def preprocess(self, payload: ListFiles | FileData | None) -> Any:
        """Return the upload: (file, path as the browser sends it) pairs, or None."""
        if payload is None:
            return None
        uploads = payload.root if isinstance(payload, ListFiles) else [payload]
        return [(one.path, one.orig_name or Path(one.path).name) for one in uploads]


def folder_box(label: str, *, elem_id: str, zipped: bool = False) -> FolderFile:
    """A box for a folder of images, with a CSV or without; with `zipped`, a zip may be dropped or chosen instead."""
    return FolderFile(
        label=label,
        file_count="directory",
        file_types=[".png", ".jpg", ".jpeg", ".webp", ".csv", *([".zip"] if zipped else [])],
        height=180,
        elem_id=elem_id,
        elem_classes=["folder-box", *(["or-zip"] if zipped else [])],
    )


def inside(text: str) -> PurePosixPath:
    """Return a path that stays in the folder it is joined to.

    Raises:
        BadInput: it leads elsewhere, hides something, or is deeper or longer than a path may be.
    """
    name = text.replace(SLASH, "/")
    path = PurePosixPath(name)
    strange = "\\" in name or ":" in name or any(ord(letter) < 32 for letter in name)
    if strange or path.is_absolute() or not path.parts or ".." in path.parts:
        raise BadInput(f"The path of a file must stay inside its folder; got {text[:80]!r}.")
    if len(path.parts) > DEPTH or any(len(part.encode()) > LONGEST for part in path.parts):
        raise BadInput(
            f"A folder may be {DEPTH} folders deep, with names of up to {LONGEST} bytes; got {text[:80]!r}. "
            "Or upload a zip of less depth."
        )
    return path
