"""Prompt templates chosen on the images that are not for testing, beside random words; tested once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.shared.events import LONG, handler, owner
from apps.shared.jobs import Jobs, wire
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.percentages import as_points, percent
from apps.shared.widgets import COLLAPSED, table
from workbench.errors import BadInput
from workbench.probes.embedding import model_ref
from workbench.probes.labelled import TEST
from workbench.probes.prompt_search import PromptTrial, read_descriptions, search_prompts
from workbench.probes.table import EmbeddedImages
from workbench.scheduler import CancelToken

IDLE = "Evaluate first; then search templates for these classes."
EXPLAINED = """
Templates are added one by one while the accuracy on train and validation images grows; the test images are used once
for each row. **Random words** are as many templates that end in a meaningless word: what they gain is averaging, not
wording (Roth et al. 2023). **Descriptions** are a JSON file: `{"cat": ["a cat with whiskers.", …], …}`.
"""
HEADERS = ["model", "prompts", "accuracy", "points to one template", "sd of drawings"]
JOBS = Jobs("evaluate")


def build(page: Page, known: gr.State) -> None:
    """Lay out the part, in a tab below the table."""
    with gr.Tab("Prompt search", elem_id="prompts", render_children=True):
        gr.Markdown(EXPLAINED, elem_classes="notes")
        with gr.Row():
            most = gr.Slider(1, 20, 7, step=1, label="Templates at most", info="Of OpenAI's eighty.")
            file = gr.File(label="Descriptions (optional)", file_types=[".json"], height=110, elem_id="prompts-file")
        with gr.Row():
            go = gr.Button("Search templates", variant="primary", elem_id="prompts-go")
            stop = gr.Button("Stop", variant="stop")
        status = gr.Markdown(IDLE, elem_classes="live", elem_id="prompts-status")
        results = table(HEADERS, "Prompts", elem_id="prompts-table", visible=COLLAPSED)

    def steps(typed: dict[Any, Any], visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        embedded: EmbeddedImages | None = typed[known]
        if embedded is None or not embedded.texts:
            raise BadInput(IDLE)
        descriptions = read_descriptions(Path(typed[file])) if typed[file] else None
        lines: list[list[str]] = []
        chosen: tuple[str, ...] = ()
        for key in embedded.texts:
            title = embedded.rows[key].title
            with page.engine.session(visitor, model_ref(key), token=token, deadline=JOBS.seconds) as session:
                for trial in search_prompts(
                    session, embedded.made[key], embedded.images, descriptions=descriptions, most=int(typed[most])
                ):
                    lines.append(row(title, trial))
                    chosen = trial.prompts if trial.name.startswith("best") else chosen
                    yield {
                        status: f"{literal(title)}: {trial.name} …",
                        results: gr.update(value=lines, visible=True),
                    }
        tested = int(embedded.images.rows(TEST).sum())
        listed = "; ".join(f"“{literal(template)}”" for template in chosen)
        yield {status: f"Chosen: {listed}. Tested once on {tested} images."}

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)
        yield from JOBS.run(visitor, lambda token: steps(typed, visitor, token), stopped={status: JOBS.stopped})

    event = {
        "fn": run, "inputs": {known, most, file}, "outputs": [status, results],
        "api_visibility": "private", "show_progress": "hidden", **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)


def row(model: str, trial: PromptTrial) -> list[str]:
    """Return one row of the table."""
    return [
        model,
        trial.name,
        percent(trial.accuracy),
        as_points(trial.difference) if trial.difference else "",
        f"{100 * trial.spread:.1f}" if trial.spread else "",
    ]
