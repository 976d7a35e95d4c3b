"""Widgets that several views share: picture, labels, templates, model menu; and text that is shown as it was typed.

Knows no tab. Every widget carries a label and a word of help.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.data_classes import ImageData

from workbench.prompts import TEMPLATE_SETS
from workbench.reproduce import OWN

if TYPE_CHECKING:
    from workbench.models import ModelSpec

PICTURE_TYPES = "PNG, JPEG or WebP, up to 10 MB and 32 megapixels"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")

class PictureFile(gr.Image):
    """`gr.Image` without its own decoding, which would end in a bare "Error" for a broken file."""

    is_template = True  # the page draws it as the image it derives from

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Hand on the path of the upload."""
        return payload.path if payload else None
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

def picture_box(label: str, *, height: int = 300, elem_id: str | None = None) -> gr.Image:
    """A picture that reaches us as the uploaded file, untouched: `images.safe_open` is the only decoder."""
    return PictureFile(
        label=label,
        type="filepath",
        image_mode=None,
        format="png",
        sources=["upload", "clipboard"],
        buttons=["fullscreen"],
        height=height,
        elem_id=elem_id,
        placeholder=f"Drop a picture here, or click to choose\n{PICTURE_TYPES}",
        alt_text="The picture to be named",
    )

def labels_box(value: str = "", *, elem_id: str | None = None) -> gr.Textbox:
    """Labels, one CSV row or one a line."""
    return gr.Textbox(
        value,
        label="Labels",
        info="Any words: separated by commas, or one a line. At most 256.",
        placeholder="cat, dog, coffee cup",
        lines=2,
        max_lines=8,
        elem_id=elem_id,
    )

def template_choice() -> tuple[gr.Dropdown, gr.Textbox]:
    """Which sentences the labels are put into; the second widget shows itself for the visitor's own list."""
    choices = [(_template_title(entry.title, len(entry.templates)), entry.key) for entry in TEMPLATE_SETS]
    choice = gr.Dropdown(
        [*choices, ("My own list", OWN)],
        value="one",
        label="Prompt templates",
        info="The sentences that each label is put into; several are averaged.",
    )
    own = gr.Textbox(
        "",
        label="My templates",
        info="One a line; {} stands for the label.",
        placeholder="a photo of a {}.\na drawing of a {}.",
        lines=3,
        visible=False,
    )
    choice.change(lambda key: gr.update(visible=key == OWN), choice, own, queue=False, api_visibility="private")
    return choice, own

def _template_title(title: str, count: int) -> str:
    return title if count == 1 else f"{title} ({count})"

def literal(text: str) -> str:
    """Return text that Markdown shows exactly as typed: no markup, no link, no picture is made of it."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))

def said(spec: ModelSpec) -> str:
    """Return the words every answer carries about its model: which, and what it was trained on."""
    trained = f"trained on {spec.trained_on}" if spec.trained_on else "what it was trained on is not known here"
    return f"**{literal(spec.title)}**, {literal(trained)}"

def table(headers: list[str], label: str, *, elem_id: str | None = None, **options: Any) -> gr.Dataframe:
    """A table that is read, not edited; user text in it is never HTML."""
    return gr.Dataframe(
        headers=headers,
        label=label,
        interactive=False,
        type="array",
        wrap=True,
        max_height=420,
        elem_id=elem_id,
        buttons=["copy"],
        **options,
    )
