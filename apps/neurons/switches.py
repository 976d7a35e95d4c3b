"""Switch units off, hold them or add to them, and watch answers change: on the built-in images and on your own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from apps.neurons.opened import JOBS, OpenAtlases
from apps.shared.events import ASKS_MODEL, QUIET, handler, owner
from apps.shared.markdown import in_markdown, literal
from apps.shared.page import Page
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.widgets import COLLAPSED, image_box, table
from workbench.checkpoints.edit import SETTINGS
from workbench.engine import Session
from workbench.errors import BadInput
from workbench.labels import check_labels, parse_labels
from workbench.neurons.atlas import Atlas
from workbench.neurons.edits import units_edit
from workbench.neurons.page import images_html
from workbench.neurons.switching import SwitchResult, UnitChange, intervened, parse_units, switch
from workbench.neurons.unit import SHOWN, GalleryImage
from workbench.neurons.vocabulary import embed_words
from workbench.places import write_whole

LABELS = "dog, cat, jellyfish, bird, fish, horse, elephant, car, bus, pizza"
KINDS = [("off", "off"), ("hold at the value", "clamp"), ("add the value", "add")]
APPLY_NOTE = (
    "Put the file into a folder of its own: every command and audit takes `--model FOLDER`. The base's weights stay as "
    "they are."
)
HEADERS = ["label", "before", "after", "change"]


def own_rows(session: Session, path: str, change: UnitChange, *, layer: str, texts: np.ndarray) -> np.ndarray:
    """Probabilities of k labels for one image before and after, (2, k)."""
    pixels = session.prepare(Path(path)).numpy()[None]
    before = session.embed_images([Path(path)]).numpy()
    after = next(intervened(session, pixels, [change], layer=layer))
    logits = session.logit_scale * np.concatenate([before, after]) @ texts.T
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: np.ndarray = likely / likely.sum(axis=1, keepdims=True)
    return shares


def edit_file(model: str, layer: str, change: UnitChange) -> Any:
    """Write the change as an edited model's file, beside the uploads, and offer it."""
    path = folder_beside_uploads("units-") / SETTINGS
    write_whole(path, units_edit(model, layer, [change.intervention(layer)]).model_dump_json(indent=1).encode())
    return gr.update(value=str(path), visible=True)


def answer_rows(labels: Sequence[str], both: np.ndarray) -> list[list[str]]:
    """Return labels with both probabilities, (2, k), as rows of a table, the likeliest before first."""
    percent = 100 * both
    return [
        [labels[k], f"{percent[0, k]:.1f} %", f"{percent[1, k]:.1f} %", f"{percent[1, k] - percent[0, k]:+.1f}"]
        for k in np.argsort(-both[0])
    ]


def summary(result: SwitchResult, seconds: float) -> str:
    """Return the result in words."""
    return (
        f"Named right before: {result.before}. After: {result.after}. Other answers: {result.turned}. "
        f"Computed without a forward pass in {1000 * seconds:.0f} ms."
    )


def turned_images(atlas: Atlas, result: SwitchResult, labels: tuple[str, ...]) -> str:
    """Show some images whose answer changed, with both answers."""
    turned = np.flatnonzero(result.answers_before != result.answers_after)[:SHOWN]
    shown = [GalleryImage(atlas.survey.items[n], 0.0) for n in turned]
    notes = [f"{labels[result.answers_before[n]]} → {labels[result.answers_after[n]]}" for n in turned]
    return in_markdown(images_html(shown, notes=notes)) if shown else "No answer changed."


def build(page: Page, atlases: OpenAtlases) -> gr.Textbox:
    """Lay out the section; every change of the units, the kind or the value answers anew. Return the box of units."""
    section = gr.Tab("Switch units off", elem_id="neurons-switches", render_children=True)
    with section, gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            units = gr.Textbox(
                "0", label="Units of the last layer", info="Numbers, separated by commas.", elem_id="neurons-off"
            )
            kind = gr.Radio(KINDS, value="off", label="What is done to them")
            value = gr.Slider(-6, 6, 2, step=0.1, label="Value", info="In the units' own scale; not used by “off”.")
            labels = gr.Textbox(LABELS, label="Labels", lines=2)
            image = image_box("Your image (optional)", height=200, elem_id="neurons-switch-image")
            go = gr.Button("Answer again", elem_id="neurons-switch")
        with gr.Column(elem_classes="answer"):
            text = gr.Markdown(elem_classes="live", elem_id="neurons-switched")
            own = table(HEADERS, "Your image", visible=COLLAPSED, elem_id="neurons-own-answers")
            shown = gr.Markdown("", elem_id="neurons-turned")
            edited = gr.DownloadButton(
                "Apply: download as an edited model (edit.json)", visible=False, elem_id="neurons-apply"
            )
            gr.Markdown(APPLY_NOTE, elem_classes="notes")

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        names = tuple(check_labels(parse_labels(typed[labels] or "")))
        if len(names) < 2:
            raise BadInput(f"Give at least two labels; got {len(names)}.")
        with page.engine.session(owner(request), typed[page.model], deadline=JOBS.seconds) as session:
            atlas = atlases.ready(session, "last")
            chosen = parse_units(typed[units] or "", atlas.units, atlas.survey.layer)
            change = UnitChange(chosen, typed[kind], float(typed[value] or 0))
            rows = embed_words(session, names).numpy()
            table_update: Any = gr.update(visible=COLLAPSED)
            if typed[image]:
                both = own_rows(session, typed[image], change, layer=atlas.survey.layer, texts=rows)
                table_update = gr.update(value=answer_rows(names, both), visible=True)
            file = edit_file(typed[page.model], atlas.survey.layer, change)
            if not atlas.linear:
                note = f"On {literal(session.spec.title)} the last step is not linear: only your own image is answered."
                return note, table_update, "", file
        begun = time.perf_counter()
        result = switch(atlas, change, names, rows=rows)
        seconds = time.perf_counter() - begun
        return summary(result, seconds), table_update, turned_images(atlas, result, names), file

    inputs = {units, kind, value, labels, image, page.model}
    gr.on(
        [go.click, units.submit, kind.input, value.release, image.upload], run, inputs, [text, own, shown, edited],
        **QUIET, **ASKS_MODEL,
    )  # fmt: skip
    return units
