"""The view: an image and its mirror image, with the probabilities of both."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image, ImageOps

from apps.shared.events import ASKS_MODEL, handler, owner
from apps.shared.markdown import literal
from apps.shared.page import Page, put
from apps.shared.widgets import image_box, labels_box, table
from workbench import Model
from workbench.errors import BadInput
from workbench.images import safe_open
from workbench.labels import parse_labels

HEADERS = ["label", "image", "mirror image"]


def compare(model: Model, image: Image.Image, labels: list[str]) -> tuple[str, list[list[Any]]]:
    """Return a sentence, and a row per label with its probability for the image and for its mirror image."""
    plain, mirrored = model.classify([image, ImageOps.mirror(image)], labels)
    rows = zip(plain.labels, plain.probabilities, mirrored.probabilities, strict=True)
    table_rows = [[label, round(float(one), 3), round(float(two), 3)] for label, one, two in rows]
    if plain.label == mirrored.label:
        return f"Both are named **{literal(plain.label)}**.", table_rows
    return f"**{literal(plain.label)}**; mirrored, **{literal(mirrored.label)}**.", table_rows


def build(page: Page) -> None:
    """Lay out the view."""
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            image = image_box("Image", elem_id="mirror-image")
            labels = labels_box(elem_id="mirror-labels")
            go = gr.Button("Mirror it", variant="primary", elem_id="mirror-go")
        with gr.Column(elem_classes="answer"):
            verdict = gr.Markdown("Choose an image and labels.", elem_classes=["verdict", "live"])
            rows = table(HEADERS, "Probabilities", elem_id="mirror-table")
    page.exchange.accept("mirror", [image, labels], put)

    @handler
    def ask(path: str | None, typed: str, model: str, request: gr.Request) -> tuple[str, list[list[Any]]]:
        if not path:
            raise BadInput("Choose an image first.")
        with page.engine.session(owner(request), model, deadline=60) as session:
            return compare(Model(session), safe_open(path), parse_labels(typed))

    go.click(ask, [image, labels, page.model], [verdict, rows], api_visibility="private", **ASKS_MODEL)
