"""Units that were published with a name: a list that opens them where their checkpoint is on this machine."""

from __future__ import annotations

from typing import Any

import gradio as gr

from apps.shared.events import ASIDE, handler
from apps.shared.model_menu import advice
from apps.shared.page import Page
from workbench.loading import hub
from workbench.models import find
from workbench.neurons.presets import FAMOUS, MODEL

TITLE = "Published units of RN50x4"
OTHERS = "Of any model, “Map of all units” below lists the units with the best names."


def info() -> str:
    """Say whether the checkpoint is on this machine."""
    return f"Goh et al. 2021.{'' if hub.presence(find(MODEL)).here else ' Its checkpoint is not here.'} {OTHERS}"


@handler
def chosen(name: str | None) -> tuple[Any, Any, Any, str]:
    """Return model, layer, unit and a message; where the checkpoint is missing, only the message changes."""
    if name is None or name not in FAMOUS:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    spec = find(MODEL)
    if not hub.presence(spec).here:
        return gr.skip(), gr.skip(), gr.skip(), f"“{name}” is unit {FAMOUS[name]} of {spec.title}. {advice(spec)}"
    return MODEL, gr.update(value="last"), FAMOUS[name], f"“{name}” is unit {FAMOUS[name]}; press “Open unit”."


def build(page: Page, place: tuple[gr.Dropdown, gr.Number], status: gr.Markdown) -> None:
    """Lay out the list; `place`: the widgets of layer and unit."""
    names = gr.Dropdown(list(FAMOUS), value=None, label=TITLE, info=info(), elem_id="neurons-famous")
    names.input(chosen, names, [page.model, *place, status], **ASIDE)
