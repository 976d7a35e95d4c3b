"""A map of all units of a layer: each a point with its name; a click, or Enter, opens the unit. A table beside it."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from apps.neurons.opened import JOBS, UNITS, OpenAtlases, unit_of_row
from apps.neurons.unit_canvas import UnitPoints, canvas
from apps.shared.events import ASIDE, LIGHT, LONG, QUIET, handler, owner
from apps.shared.page import Page
from apps.shared.widgets import COLLAPSED, table
from workbench.errors import BadInput
from workbench.neurons.atlas import Atlas
from workbench.neurons.corpus import FORMS
from workbench.neurons.unit_map import DENSEST, DENSITIES, NONE, PLACED_BY, SEVERAL, UnitMap, unit_map
from workbench.progress import Progress
from workbench.retrieval.projection import METHODS

HEADERS = ["unit", "name", "active on", "strongest images"]
ROWS = 200  # of the table
FORM, DENSITY = "form", "density"
COLOURS = [("form of its strongest images", FORM), ("how often it is active", DENSITY)]
TITLES = {"photo": "photos", "drawing": "drawings", "word": "written words"}
BOX = "neurons-map-chosen"
NOTE = (
    "Units that lie close together are alike in what places them; distances are rough. Point at a unit to read its "
    "name, click to open it. With the keyboard: arrows go from unit to unit, Enter opens. The table lists the units "
    "with the best names; click a row to open one."
)


def groups_of(shown: UnitMap, by: str) -> tuple[list[str], list[str]]:
    """Return the group of each unit, and the groups in the order of their colours."""
    if by == DENSITY:
        return shown.densities, [name for _, name in DENSITIES] + [DENSEST]
    return [TITLES.get(form, form) for form in shown.forms], [*(TITLES[form] for form in FORMS), SEVERAL, NONE]


def map_html(shown: UnitMap, layer: str, *, by: str) -> str:
    """Return the map with its legend."""
    groups, order = groups_of(shown, by)
    names = [f"unit {unit}: {name}" if name else f"unit {unit}" for unit, name in enumerate(shown.names)]
    drawn = UnitPoints(names, groups, [one for one in order if one in groups], shown.positions)
    alt = f"Map of the {len(names)} units of {layer}; arrow keys go from unit to unit, the table below lists them."
    return canvas(drawn, alt=alt, box=BOX)


def map_rows(shown: UnitMap) -> list[list[str]]:
    """Return the units with the highest scores as rows, at most 200."""
    groups, _ = groups_of(shown, FORM)
    return [
        [str(unit), shown.names[unit] or "–", f"{100 * shown.density[unit]:.0f} %", groups[unit]]
        for unit in np.argsort(-shown.scores, kind="stable")[:ROWS].tolist()
    ]


def summary(shown: UnitMap, images: int) -> str:
    """Say what is on the map."""
    named = sum(bool(name) for name in shown.names)
    held = "" if shown.explained is None else f" The two axes hold {100 * shown.explained:.0f} % of the variance."
    return (
        f"**{len(shown.names)} units on {images} images.** {named} have a name that stands out more than for 19 in 20 "
        f"shuffled units; 5 % would by chance.{held}"
    )


def chosen_box() -> gr.Textbox:
    """Lay out what the map's script and the wall's write to; outside of tabs, so that it is there for both."""
    return gr.Textbox(label="Number of the chosen unit", elem_id=BOX, visible=COLLAPSED)


def build(
    page: Page, atlases: OpenAtlases, place: tuple[Any, Any, Any], chosen: gr.Textbox, *, opens: dict[str, Any]
) -> None:
    """Lay out the section.

    Args:
        page: the page.
        atlases: those that are open.
        place: the widgets of layer and unit, and the tabs.
        chosen: from `chosen_box`.
        opens: the event that opens the unit of these widgets.
    """
    layer, unit, tabs = place
    with gr.Tab("Map of all units", elem_id="neurons-map", render_children=True):
        with gr.Row():
            by = gr.Radio([(title, key) for key, title in PLACED_BY.items()], value="direction", label="Placed by")
            colour = gr.Radio(COLOURS, value=FORM, label="Coloured by", elem_id="neurons-map-colour")
            method = gr.Radio([(title, key) for key, title in METHODS.items()], value="pca", label="Projection")
        go = gr.Button("Draw the map", elem_id="neurons-map-go")
        text = gr.Markdown(elem_classes=["live", "notes"], elem_id="neurons-map-status")
        drawn = gr.Markdown(sanitize_html=False, visible=COLLAPSED, elem_id="neurons-map-canvas")
        gr.Markdown(NOTE, elem_classes="notes")
        rows = table(HEADERS, "Units with the best names", visible=COLLAPSED, elem_id="neurons-map-table")

    @handler
    def draw(name: str, placed: str, how: str, colours: str, key: str, request: gr.Request) -> Any:
        with page.engine.session(owner(request), key, deadline=JOBS.seconds) as session:
            for step in atlases.steps(session, name or "last"):
                if isinstance(step, Progress):
                    yield f"Looking at the built-in images: {step.line}", gr.skip(), gr.skip()
                elif isinstance(step, Atlas):
                    shown = unit_map(step, by=placed, method=how)
                    yield (
                        summary(shown, len(step.survey.items)),
                        gr.update(value=map_html(shown, step.survey.layer, by=colours), visible=True),
                        gr.update(value=map_rows(shown), visible=True),
                    )

    gr.on(
        [go.click, by.input, method.input, colour.input], draw, [layer, by, method, colour, page.model],
        [text, drawn, rows], trigger_mode="multiple", **QUIET, **LONG,
    )  # fmt: skip
    picked = chosen.change(_picked, chosen, [unit, tabs], **LIGHT)
    picked.success(**opens, trigger_mode="multiple")
    selected = rows.select(unit_of_row, None, [unit, tabs], trigger_mode="multiple", **ASIDE)
    selected.success(**opens, trigger_mode="multiple")


@handler
def _picked(text: str) -> tuple[int, Any]:
    """Read what the map's script writes: the number of a unit, and when it was chosen."""
    number = (text or "").split(";")[0]
    if not number.isdecimal():
        raise BadInput("Click a unit on the map, or choose one with the arrow keys and Enter.")
    return int(number), gr.Tabs(selected=UNITS)
