"""Which few units decide a class? A sparse probe on labelled images.

They come from a folder, a zip, an index of this machine, or are drawings made on the spot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from apps.neurons.opened import unit_of_row
from apps.shared import index_choice as choice
from apps.shared.events import ALWAYS_LAST, ASIDE, LIGHT, LONG, QUIET, handler, owner
from apps.shared.folder_box import folder_box
from apps.shared.jobs import Jobs, wire
from apps.shared.labelled_images import MOST_IMAGES, given
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.percentages import percent
from apps.shared.widgets import COLLAPSED, table
from workbench.engine import Session
from workbench.errors import BadInput
from workbench.neurons.atlas import find_atlas
from workbench.neurons.naming import name_units
from workbench.neurons.sparse_probe import LabelledUnits, SparseProbe, SparseProbeRow, labelled_units, sparse_probe
from workbench.probes.labelled import LabelledImages, labelled
from workbench.progress import Progress
from workbench.retrieval.index import find_table
from workbench.retrieval.listing import LABEL, columns, indexed
from workbench.scheduler import CancelToken

JOBS = Jobs("neurons", stopped="Stopped; nothing was measured.")
GIVEN = "Images given here"
HEADERS = ["units", "accuracy", "AUROC"]
UNIT_HEADERS = ["unit", "responds to", "weight", "chosen as"]
NOTE = (
    "The class against all other classes, by a logistic regression on few units, chosen one after the other on "
    "training images. Accuracy is on images held out, as many of the class as of others: 50 % is chance. “By "
    "chance” is the largest number of units, learned from classes shuffled ten times: their mean, lowest and highest. "
    "A probe on 4 units takes the first four of the second table. Click a unit to open it."
)


def probe_rows(result: SparseProbe) -> list[list[str]]:
    """Return one row a number of units, then all units and chance."""

    def line(title: str, row: SparseProbeRow) -> list[str]:
        area = row.area
        shown = "–" if area.value is None else f"{area.value:.2f} ({area.low:.2f} to {area.high:.2f})"
        return [title, percent(row.accuracy, missing="–"), shown]

    rows = [line(str(len(row.units)), row) for row in result.rows]
    chance = [100 * one for one in result.by_chance]
    shown = f"{sum(chance) / len(chance):.1f} % ({min(chance):.1f} to {max(chance):.1f})"
    return [*rows, line("all", result.every_unit), ["by chance", shown, "–"]]


def unit_rows(result: SparseProbe, names: dict[int, str]) -> list[list[str]]:
    """Return the units of the largest probe in the order in which they were chosen."""
    last = result.rows[-1]
    return [
        [str(unit), names.get(unit, "–"), f"{weight:+.2f}", str(number + 1)]
        for number, (unit, weight) in enumerate(zip(last.units, last.weights, strict=True))
    ]


def images_of(index: str, column: str, *, folder: Any = None) -> LabelledImages:
    """Return the labelled images of an index, or those given here.

    Raises:
        BadInput: nothing usable, too many images, or an index that is not offered.
    """
    if index == GIVEN:
        return labelled(given(folder), complete=False)
    listing = indexed(choice.place_of(index, ""), column=column)
    if len(listing.samples) > MOST_IMAGES:
        raise BadInput(
            f"At most {MOST_IMAGES} images at once; the index has {len(listing.samples)} with this column. For more, "
            "use the command `sparse-probe MODEL --index NAME`, with --where where a part of them is enough."
        )
    return labelled(listing, complete=False)


def first_class(looked: LabelledUnits) -> str:
    """Return the class with most images, to begin with."""
    return looked.classes[int(np.bincount(looked.y, minlength=len(looked.classes)).argmax())]


def columns_of(index: str) -> Any:
    """Return the menu of the columns that can label an index's images."""
    if index == GIVEN:
        return gr.update(visible=COLLAPSED)
    names = columns(find_table(choice.place_of(index, ""))) or [LABEL]
    return gr.update(choices=names, value=names[0], visible=True)


def names_of(session: Session, result: SparseProbe, *, units: int) -> dict[int, str]:
    """Return what the largest probe's units respond to, where the layer has an atlas and a name is above chance."""
    atlas = find_atlas(session, result.layer)
    if atlas is None or atlas.units != units:
        return {}
    last = result.rows[-1].units
    named = name_units(atlas.evidence, last, directions=atlas.directions, count=1)
    return {one: words[0].title for one, words in zip(last, named, strict=True) if words[0].above_chance}


def build(page: Page, place: tuple[gr.Dropdown, gr.Number, gr.Tabs], *, opens: dict[str, Any]) -> None:
    """Lay out the section; see `mapping.build`."""
    layer, unit, tabs = place
    known = gr.State(None)  # LabelledUnits
    section = gr.Tab("Which few units decide a class?", elem_id="neurons-probe", render_children=True)
    with section, gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            index = choice.menu(GIVEN, "Images of", "neurons-probe-index")
            column = gr.Dropdown(
                [LABEL], value=LABEL, label="Column that holds the classes", visible=COLLAPSED,
                elem_id="neurons-probe-column",
            )  # fmt: skip
            folder = folder_box(
                "Folder of class folders, or a zip (none: drawings)", elem_id="neurons-probe-folder", zipped=True
            )
            name = gr.Dropdown([], label="Class", info="Known once the images are looked at.", elem_id="neurons-class")
            with gr.Row():
                go = gr.Button("Find the units", elem_id="neurons-probe-go")
                stop = gr.Button("Stop", variant="stop")
            gr.Markdown(NOTE, elem_classes="notes")
        with gr.Column(elem_classes="answer"):
            status = gr.Markdown(elem_classes=["live", "notes"], elem_id="neurons-probe-status")
            rows = table(HEADERS, "Probes", visible=COLLAPSED, elem_id="neurons-probe-table")
            units = table(UNIT_HEADERS, "Units", visible=COLLAPSED, elem_id="neurons-probe-units")

    def screen(looked: LabelledUnits, chosen: str, key: str, visitor: str) -> dict[Any, Any]:
        result = sparse_probe(looked, chosen)
        with page.engine.session(visitor, key, deadline=JOBS.seconds) as session:
            names = names_of(session, result, units=looked.values.shape[1])
        line = (
            f"**{literal(chosen)}** in {literal(result.layer)}: {result.images} images of it, {result.others} of "
            f"others; {result.held_out} held out."
        )
        return {
            status: line,
            rows: gr.update(value=probe_rows(result), visible=True),
            units: gr.update(value=unit_rows(result, names), visible=True),
        }

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)

        def work(token: CancelToken) -> Iterator[dict[Any, Any]]:
            yield {status: "Reading the images …"}
            images = images_of(typed[index], typed[column], folder=typed[folder])
            with page.engine.session(visitor, typed[page.model], token=token, deadline=JOBS.seconds) as session:
                for step in labelled_units(session, images, typed[layer] or "last"):
                    if isinstance(step, Progress):
                        yield {status: f"Looking: {step.line}"}
                    else:
                        looked = step
            chosen = typed[name] if typed[name] in looked.classes else first_class(looked)
            choice = gr.update(choices=list(looked.classes), value=chosen)
            yield {known: looked, name: choice, **screen(looked, chosen, typed[page.model], visitor)}

        yield from JOBS.run(visitor, work, stopped={status: JOBS.stopped})

    @handler
    def again(looked: LabelledUnits | None, chosen: str, key: str, request: gr.Request) -> dict[Any, Any]:
        if looked is None:
            raise BadInput("Press “Find the units” first.")
        return screen(looked, chosen, key, owner(request))

    event = {
        "fn": run, "inputs": {index, column, folder, name, layer, page.model},
        "outputs": [status, rows, units, name, known], **QUIET, **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)
    name.input(again, [known, name, page.model], [status, rows, units], **ALWAYS_LAST, **LIGHT)
    page.list_when_opened(index, lambda: choice.beside(GIVEN))
    index.input(handler(columns_of), index, column, **ALWAYS_LAST, **LIGHT)
    chosen_unit = units.select(unit_of_row, None, [unit, tabs], trigger_mode="multiple", **ASIDE)
    chosen_unit.success(**opens, trigger_mode="multiple")
