"""Boxes for many images: where a visitor drops them, and where drawings are shown."""

from __future__ import annotations

import gradio as gr

from apps import limits
from apps.shared.widgets import COLLAPSED


def images_box(*, height: int, elem_id: str) -> gr.File:
    """Several images, or a zip of them, as uploaded files."""
    return gr.File(
        label=f"Images (up to {limits.current().pictures}), or one zip",
        file_count="multiple",
        file_types=[".png", ".jpg", ".jpeg", ".webp", ".zip"],
        height=height,
        elem_id=elem_id,
    )


def drawings_box(label: str, *, elem_id: str) -> gr.Image:
    """Where `drawings_in_two_rows` is shown once there is a result."""
    return gr.Image(
        label=label, interactive=False, height=230, format="png", buttons=[], visible=COLLAPSED, elem_id=elem_id
    )
