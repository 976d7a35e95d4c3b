"""Widgets that several views share: image, labels, templates, tables, code.

Every widget carries a label and a line of help.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio import component_meta
from gradio.data_classes import ImageData

from apps import limits
from workbench.prompts import TEMPLATE_SETS
from workbench.reproduce import OWN

FIRST_LABELS = "cat, dog, coffee cup, rocket, bicycle"
IMAGE_TYPES = "PNG, JPEG or WebP, up to 10 MB and 32 megapixels"
COLLAPSED: Any = "hidden"  # in the document but taking no room: a first result need not wait for its widget to load


def no_stubs() -> None:
    """Keep Gradio from writing a `.pyi` file beside a module that derives a component; type checkers would read it."""
    vars(component_meta)["create_or_modify_pyi"] = lambda *_: None


no_stubs()


class ImageFile(gr.Image):
    """`gr.Image` without its own decoding, which would end in a bare "Error" for a broken file."""

    is_template = True  # the page draws it as the image it derives from

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Return the path of the upload."""
        return payload.path if payload else None


def image_box(label: str, *, height: int = 300, elem_id: str | None = None) -> gr.Image:
    """An image that reaches us as the uploaded file, untouched: `images.safe_open` is the only decoder."""
    return ImageFile(
        label=label,
        type="filepath",
        image_mode=None,
        format="png",
        sources=["upload", "clipboard"],
        buttons=["fullscreen"],
        height=height,
        elem_id=elem_id,
        placeholder=f"Drop an image here, or click to choose\n{IMAGE_TYPES}",
        alt_text="The chosen image",
    )


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


def labels_box(value: str = FIRST_LABELS, *, elem_id: str | None = None) -> gr.Textbox:
    """Labels, one CSV row or one a line."""
    return gr.Textbox(
        value,
        label="Labels",
        info="Any words, separated by commas or one per line. At most 256.",
        placeholder="cat, dog, coffee cup",
        lines=2,
        max_lines=8,
        elem_id=elem_id,
    )


def template_choice() -> tuple[gr.Dropdown, gr.Textbox]:
    """Prompt templates to fill the labels into; the second widget appears for the visitor's own list."""
    counts = {entry.key: len(entry.templates) for entry in TEMPLATE_SETS}
    titles = {key: "" if count == 1 else f" ({count})" for key, count in counts.items()}
    choices = [(entry.title + titles[entry.key], entry.key) for entry in TEMPLATE_SETS]
    choice = gr.Dropdown(
        [*choices, ("My own list", OWN)],
        value="one",
        label="Prompt templates",
        info="Each label is put into these sentences; several are averaged.",
    )
    own = gr.Textbox(
        "",
        label="My templates",
        info="One per line; {} stands for the label.",
        placeholder="a photo of a {}.\na drawing of a {}.",
        lines=3,
        visible=False,
    )
    choice.change(lambda key: gr.update(visible=key == OWN), choice, own, queue=False, api_visibility="private")
    return choice, own


def none_of_these_box() -> gr.Checkbox:
    """Whether a background class competes with the labels."""
    return gr.Checkbox(label="Add “none of these”", info="Adds a generic background class.")


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


def code(label: str, *, elem_id: str | None = None, **options: Any) -> gr.Textbox:
    """A box of code or YAML in a fixed-width font."""
    return gr.Textbox(label=label, elem_id=elem_id, elem_classes="code", buttons=["copy"], **options)
