"""Reproduce: the same words on the same image as a page address, a command line and lines of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from apps.shared.events import LIGHT
from apps.shared.page import Page
from apps.shared.widgets import code
from apps.typographic.form import WrittenForm, places
from apps.typographic.links import NAME, command_line, from_link, python_lines, to_link
from apps.typographic.widgets import picture_file
from workbench.checkpoints import checkpoints
from workbench.errors import BadInput
from workbench.reproduce import csv_row
from workbench.typographic.examples import EXAMPLES


def lines(form: WrittenForm | None, image: str | None) -> tuple[str, str, str]:
    """Return the settings of an address, a command line and Python; an upload goes by its bare name."""
    if form is None or not form.labels or not image:
        return "", "# Write a word first.", "# Write a word first."
    name = form.picture or Path(image).name
    return urlencode({NAME: to_link(form)}), command_line(form, name), python_lines(form, name)


def restored(text: str) -> list[Any]:
    """Return what an address fills in: image, key, word, further words, names, places, and the look."""
    form = from_link(text, [row.key for row in checkpoints()], EXAMPLES)
    first = form.labels[0]
    image = str(picture_file(form.picture)) if form.picture else gr.skip()
    further = "\n".join(label.text for label in form.labels[1:])
    names = csv_row(tuple(name for name in form.names))
    look = [first.font, first.ink, bool(first.paper), first.paper or "#ffffff", first.form]
    rest = [bool(first.outline), first.outline or "#ffffff", first.tilt, first.opacity]
    return [image, form.picture, first.text, further, names, places(form.labels), *look, *rest, form.model]


def build(page: Page, form: gr.State, image: gr.Image, *, filled: list[Any]) -> None:
    """Lay out the view; `filled` are the widgets that a preset fills, too."""
    with gr.Tab("Reproduce", elem_id="typographic-reproduce", render_children=True):
        address = gr.Textbox(
            label="Address with these settings", info="Settings only: an uploaded image is never part of it.",
            interactive=False, buttons=["copy"], elem_id="typographic-address",
        )  # fmt: skip
        shell = code("On the command line", lines=1, interactive=False, elem_id="typographic-command")
        python = code("In Python", lines=8, interactive=False, elem_id="typographic-python")

    def fill(form: WrittenForm | None, path: str | None, request: gr.Request) -> tuple[str, str, str]:
        settings, command, program = lines(form, path)
        root = f"{request.headers.get('origin', '')}/"
        return (f"{root}?{settings}#typographic" if settings else ""), command, program

    def of_address(request: gr.Request) -> list[Any]:
        text = dict(request.query_params).get(NAME, "")
        nothing = [gr.skip() for _ in (*filled, page.model)]
        if not text:
            return nothing
        try:
            return restored(text)
        except BadInput as error:
            gr.Warning(str(error))
            return nothing

    form.change(fill, [form, image], [address, shell, python], **LIGHT)
    page.address.change(of_address, None, [*filled, page.model], **LIGHT)
