"""Apply a defence: write an edited model and choose it in the page's menu, so that every view asks it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from apps._handler import LIGHT, handler
from apps._model_menu import choices
from apps._text import literal
from apps._widgets import table
from workbench.engine import Engine
from workbench.models import find
from workbench.typographic.defences import DEFENCES, applied

HEADERS = ["defence", "what it does", "needs"]
IDLE = (
    "A defended model is the chosen one with one change. It has its own name and fingerprint, and every view and "
    "audit takes it. How much each gives back is measured by `clip-workbench defend MODEL --method M --out FOLDER`."
)


def build(engine: Engine, model: gr.Dropdown) -> None:
    """Lay out the defences that need no learning, and those that the shell learns."""
    with gr.Accordion("Defend", open=False, elem_id="typographic-defend"):
        gr.Markdown(IDLE, elem_classes="notes")
        table(
            HEADERS, "Defences", value=[[one.title, one.summary, one.needs] for one in DEFENCES.values()],
            elem_id="typographic-defences",
        )  # fmt: skip
        quick = [(one.title, key) for key, one in DEFENCES.items() if one.quick]
        method = gr.Radio(quick, value=quick[0][1], label="Apply to the chosen model", elem_id="typographic-method")
        with gr.Row():
            go = gr.Button("Apply", variant="primary", elem_id="typographic-apply")
            undo = gr.Button("Back to the model without it", elem_id="typographic-undo")
        status = gr.Markdown(elem_classes=["live", "notes"], elem_id="typographic-defend-status")

    @handler
    def apply(key: str, chosen: str) -> tuple[Any, str]:
        folder = applied(key, chosen)
        spec = find(str(folder))
        menu = gr.update(choices=[*choices(), (spec.title, spec.key)], value=spec.key)
        return menu, f"Every view now asks **{literal(spec.title)}**."

    @handler
    def back(chosen: str) -> tuple[Any, str]:
        base = find(chosen).base or chosen
        return gr.update(choices=choices(), value=base), f"Every view asks **{literal(find(base).title)}** again."

    go.click(apply, [method, model], [model, status], **LIGHT)
    undo.click(back, model, [model, status], **LIGHT)
