"""Evaluate an index with captions: R@1, R@5, R@10 and ranks both ways, and what the correction of hubs changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.shared import caption_scores as scores
from apps.shared import index_choice as choice
from apps.shared.events import LONG, handler, owner
from apps.shared.index_choice import OWN
from apps.shared.jobs import Jobs, wire
from apps.shared.page import Page
from apps.shared.widgets import COLLAPSED, table
from workbench.errors import BadInput
from workbench.retrieval.captions import evaluate_captions, read_captions
from workbench.retrieval.pooling import POOLINGS
from workbench.scheduler import CancelToken

JOBS = Jobs("index")
EXPLAINED = """
A CSV with the columns `path` and `caption` (or MSR-VTT's `video_id` and `sentence`) says which image or video of the
chosen index belongs to which sentence. R@k is the share of queries whose best match is among the first k, with its 95 %
interval; equal scores count as rank = 1 + number better. The gallery is what the CSV names.
"""


def build(page: Page, index: gr.Dropdown, own: gr.State) -> None:
    """Lay out the box below the results."""
    with gr.Accordion("Evaluate with captions", open=False, elem_id="search-evaluation"):
        gr.Markdown(EXPLAINED)
        captions = gr.File(label="Captions (CSV)", file_types=[".csv", ".tsv"], height=110, elem_id="search-captions")
        pooling = gr.Radio(
            [(title, key) for key, title in POOLINGS.items()], value="mean", label="Frames of a video to one score"
        )
        with gr.Row():
            go = gr.Button("Evaluate", elem_id="search-evaluate")
            stop = gr.Button("Stop", variant="stop")
        status = gr.Markdown(elem_classes=["verdict", "live"], elem_id="search-scores")
        lines = table(list(scores.HEADERS), "How well sentences and images find each other", visible=COLLAPSED)

    def steps(typed: dict[Any, Any], visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        if not typed[captions]:
            raise BadInput("Choose a CSV of captions first.")
        pairs = read_captions(Path(typed[captions]))
        place = choice.place_of(typed[index], typed[own])
        with page.engine.session(visitor, typed[page.model], token=token, deadline=JOBS.seconds) as session:
            opened = choice.open_table(place, session, own=typed[index] == OWN)
            evaluating = evaluate_captions(session, opened, pairs, pooling=typed[pooling])
            while True:
                try:
                    yield {status: f"{next(evaluating).line} …"}
                except StopIteration as end:
                    yield {
                        status: scores.summary(end.value),
                        lines: gr.update(value=scores.rows(end.value), visible=True),
                    }
                    return

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)
        yield from JOBS.run(visitor, lambda token: steps(typed, visitor, token), stopped={status: JOBS.stopped})

    event: dict[str, Any] = {
        "fn": run,
        "inputs": {captions, pooling, index, own, page.model},
        "outputs": [status, lines],
    }
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    wire(JOBS, go, stop, status=status, event={**event, **hidden, **LONG})
