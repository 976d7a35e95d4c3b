"""Images sent from other views become an audit's data: each gets its true label before it is added."""

from __future__ import annotations

from typing import Any

import gradio as gr

from apps.auditing.audit_request import COLLECTED
from apps.shared.events import ASIDE, LIGHT, handler
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.widgets import image_box
from workbench.errors import BadInput
from workbench.labels import parse_labels

Collected = tuple[tuple[str, str], ...]  # image file, label
NONE = "No image added yet."
RUN = "audit-run"  # the tab


def add(image: str | None, label: str | None, collected: Collected) -> Collected:
    """Return the images with one more; one that was there before gets the new label.

    Raises:
        BadInput: no image or no label.
    """
    if not image:
        raise BadInput("Send an image here from another view first, or drop one.")
    if not (label or "").strip():
        raise BadInput("Choose or type what the image shows.")
    return (*(one for one in collected if one[0] != image), (image, str(label).strip()))


def summary(collected: Collected) -> str:
    """Return how many images have which label, as Markdown."""
    counts: dict[str, int] = {}
    for _, label in collected:
        counts[label] = counts.get(label, 0) + 1
    parts = ", ".join(f"{count} {literal(label)}" for label, count in counts.items())
    return f"**{len(collected)} images:** {parts}." if collected else NONE


def build(page: Page, data: gr.Radio, tabs: gr.Tabs) -> gr.State:
    """Lay out the box, which the tab `RUN` holds; return the images added so far."""
    collected = gr.State(())
    gr.Markdown("What does the image show? The audit takes this as the truth, so check it.", elem_classes="notes")
    with gr.Row():
        image = image_box("Image", height=180, elem_id="audit-received")
        with gr.Column(min_width=160):
            label = gr.Dropdown(
                [], label="True label", info="Choose or type it.", allow_custom_value=True, elem_id="audit-true-label"
            )
            more = gr.Button("Add", variant="primary", elem_id="audit-add")
            clear = gr.Button("Remove all", elem_id="audit-clear")
    status = gr.Markdown(NONE, elem_classes=["notes", "live"], elem_id="audit-collected")

    @handler
    def added(file: str | None, text: str | None, images: Collected) -> tuple[Any, ...]:
        now = add(file, text, images)
        return now, summary(now), None

    def fill(file: str | None, labels: str, *_: Any) -> list[Any]:
        names = list(parse_labels(labels)) if labels.strip() else []
        return [COLLECTED, file or gr.skip(), gr.update(choices=names, value=None)]

    more.click(added, [image, label, collected], [collected, status, image], **LIGHT)
    clear.click(lambda: ((), NONE), None, [collected, status], **ASIDE)
    opens = {tabs: gr.update(selected=RUN)}
    page.exchange.accept("audits", [data, image, label], fill, opens=opens)
    page.exchange.accept_many(
        "audits", [data, collected, status], lambda images: [COLLECTED, tuple(images), summary(images)], opens=opens
    )
    return collected
