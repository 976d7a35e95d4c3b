"""Transfer: the same words on the same image, asked of every other model on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.shared.events import LONG, handler, owner
from apps.shared.jobs import Jobs, wire
from apps.shared.markdown import literal
from apps.shared.query import percent
from apps.shared.widgets import COLLAPSED, table
from apps.typographic.form import WrittenForm
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.loading.listing import edits_here, models_here
from workbench.scheduler import CancelToken
from workbench.typographic.comparing import canvas
from workbench.typographic.transfer import Transfer, transferred

JOBS = Jobs("typographic", stopped="Stopped.")
HEADERS = ["model", "clean", "written on", "probability", "the word's probability", "fooled"]
IDLE = "Does what fools this model fool others? Defended models are asked too; each is loaded once."


def line(row: Transfer) -> list[str]:
    """Return one row of the table."""
    verdict = "yes" if row.success else "no"
    return [row.title, row.before, row.answer, percent(row.probability), percent(row.target), verdict]


def verdict(rows: list[Transfer], word: str) -> str:
    """Say how far the attack carries, in Markdown."""
    wins = sum(row.success for row in rows)
    return f"“{literal(word)}” makes itself the answer of {wins} of {len(rows)} models."


def build(engine: Engine, form: gr.State, image: gr.Image) -> None:
    """Lay out the view."""
    with gr.Tab("Transfer: ask other models", elem_id="typographic-transfer", render_children=True):
        with gr.Row():
            go = gr.Button("Ask them", variant="primary", elem_id="typographic-transfer-go")
            stop = gr.Button("Stop", variant="stop")
        status = gr.Markdown(IDLE, elem_classes=["live", "notes"], elem_id="typographic-transfer-status")
        rows = table(HEADERS, "Answers of all models", visible=COLLAPSED, elem_id="typographic-transfer-rows")

    def steps(written_form: WrittenForm, path: str, visitor: str, token: CancelToken) -> Iterator[tuple[Any, Any]]:
        keys = (written_form.model, *models_here(but=written_form.model), *edits_here(but=written_form.model))
        picture, word, answers = canvas(Path(path)), written_form.labels[0].text, list[Transfer]()
        for number, key in enumerate(keys, 1):
            yield f"Asking model {number} of {len(keys)} …", gr.skip()
            with engine.session(visitor, key, token=token, deadline=JOBS.seconds) as session:
                answers.append(
                    transferred(session, picture, written_form.labels, names=written_form.names, target=word)
                )
            yield gr.skip(), gr.update(value=[line(one) for one in answers], visible=True)
        yield verdict(answers, word), gr.skip()

    @handler
    def run(written_form: WrittenForm | None, path: str | None, request: gr.Request) -> Iterator[tuple[Any, Any]]:
        if not path or written_form is None or not written_form.labels:
            raise BadInput("Choose an image and type a word first.")
        visitor = owner(request)
        yield from JOBS.run(
            visitor, lambda token: steps(written_form, path, visitor, token), stopped=(JOBS.stopped, gr.skip())
        )

    event: dict[str, Any] = {
        "fn": run,
        "inputs": [form, image],
        "outputs": [status, rows],
        "api_visibility": "private",
        "show_progress": "hidden",
        **LONG,
    }
    wire(JOBS, go, stop, status=status, event=event)
