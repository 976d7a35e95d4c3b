"""Learn a sparse dictionary of the built-in images' embeddings; its features then open as the units of a layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np

from apps.neurons.opened import OpenAtlases
from apps.shared.events import LONG, QUIET, handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.page import Page
from workbench.engine import Session
from workbench.engine.tasks import LEARN_DICTIONARY
from workbench.neurons.atlas import Atlas
from workbench.neurons.dictionary import DictionaryMeasures, DictionarySettings, SparseDictionary, measure
from workbench.neurons.dictionary_atlas import LAYER, dictionary_atlas
from workbench.progress import Progress
from workbench.scheduler import CancelToken

JOBS = Jobs("neurons", stopped="Stopped; nothing was learned.")
HELD_OUT = 5  # every fifth image is measured on
NOTE = (
    "An image's embedding as a sum of a few of many features (a top-k autoencoder), learned on four of five built-in "
    "images with two seeds and measured on the fifth. Then choose the layer “dictionary” above: search, pages, map and "
    "switches are about its features."
)


def measured_line(one: DictionaryMeasures, images: int) -> str:
    """Say how well a dictionary stands for embeddings that it did not see."""
    agreement = "" if one.agreement is None else f" Agreement of two seeds: {one.agreement:.2f} of 1."
    return (
        f"On {images} images held out: **{100 * one.explained:.1f} %** of the variance explained by {one.active:.1f} "
        f"features an image; in use: {one.alive}; the same answer among all words: {one.kept}.{agreement}"
    )


def learned(
    session: Session, atlas: Atlas, settings: DictionarySettings
) -> Iterator[Progress | tuple[SparseDictionary, DictionaryMeasures, int]]:
    """Learn a dictionary twice; yields progress, and at the end the first with its figures and the images held out.

    Raises:
        Cancelled, DeadlinePassed: the session is over.
    """
    rows = atlas.survey.embeddings
    held_out = np.random.default_rng(settings.seed).permutation(len(rows)) < len(rows) // HELD_OUT
    dictionaries = []
    for number in range(2):
        lesson = rows[~held_out], replace(settings, seed=settings.seed + number)
        for step in session.stream(LEARN_DICTIONARY, lesson):
            if isinstance(step, SparseDictionary):
                dictionaries.append(step)
            else:
                yield replace(step, stage=f"dictionary {number + 1} of 2")
    figures = measure(dictionaries[0], rows[held_out], texts=atlas.lexicon.rows, other=dictionaries[1])
    yield dictionaries[0], figures, int(held_out.sum())


def build(page: Page, atlases: OpenAtlases, layer: gr.Dropdown) -> None:
    """Lay out the section; `layer`: the view's choice, which then offers the dictionary."""
    with gr.Tab("Sparse dictionary", elem_id="neurons-dictionary", render_children=True):
        gr.Markdown(NOTE, elem_classes="notes")
        with gr.Row():
            features = gr.Slider(64, 4096, 1024, step=64, label="Features", elem_id="neurons-features")
            active = gr.Slider(1, 64, 16, step=1, label="Features that an image may use")
            steps = gr.Slider(100, 4000, 1000, step=100, label="Steps", elem_id="neurons-dictionary-steps")
            nested = gr.Checkbox(label="Nested", info="From coarse to fine (Matryoshka).")
        with gr.Row():
            go = gr.Button("Learn", elem_id="neurons-dictionary-go")
            stop = gr.Button("Stop", variant="stop")
        status = gr.Markdown(elem_classes=["live", "notes"], elem_id="neurons-dictionary-status")

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)

        def work(token: CancelToken) -> Iterator[dict[Any, Any]]:
            settings = DictionarySettings(
                int(typed[features]), int(typed[active]), bool(typed[nested]), int(typed[steps])
            )
            with page.engine.session(visitor, typed[page.model], token=token, deadline=JOBS.seconds) as session:
                atlas, layers = atlases.ready(session, "last"), ["last", LAYER, *reversed(session.anatomy.layers)]
                lessons = learned(session, atlas, settings)
                for step in throttle(lessons, passes=lambda one: not isinstance(one, Progress)):
                    if isinstance(step, Progress):
                        yield {status: f"Learning {step.stage}: {step.line}"}
                        continue
                    dictionary, figures, images = step
                    atlases.keep(session, LAYER, dictionary_atlas(dictionary, atlas))
                    yield {status: measured_line(figures, images), layer: gr.update(choices=layers, value=LAYER)}

        yield from JOBS.run(visitor, work, stopped={status: JOBS.stopped})

    event = {
        "fn": run, "inputs": {features, active, nested, steps, page.model}, "outputs": [status, layer],
        **QUIET, **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)
