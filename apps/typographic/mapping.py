"""Where and how large a word must be: maps of its probability, with a table beside each."""

from __future__ import annotations

from typing import Any

import gradio as gr

from apps._figures import heat_map
from apps._handler import LONG, handler, owner
from apps._text import literal
from apps._widgets import COLLAPSED, table
from apps.typographic.form import WrittenForm
from apps.typographic.widgets import opened_picture
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.statistics.intervals import proportion
from workbench.typographic.sweeping import SWEEPS, SuccessMap, sweep

TITLES = {"place": "Place", "size and place": "Size × height", "contrast and opacity": "Contrast × opacity"}
SECONDS = 120.0


def shown(result: SuccessMap, word: str) -> tuple[Any, ...]:
    """Return what the widgets take: a sentence, the figure, the table."""
    rows = [f"{result.rows[0]} {value:g}" for value in result.rows[1]]
    columns = [f"{result.columns[0]} {value:g}" for value in result.columns[1]]
    figure = heat_map(result.probability, rows, columns, title="probability")
    lines = [
        [name, *(f"{chance:.2f}{' ✓' if win else ''}" for chance, win in zip(chances, wins, strict=True))]
        for name, chances, wins in zip(rows, result.probability, result.wins, strict=True)
    ]
    share = proportion(int(result.wins.sum()), result.wins.size)
    sentence = f"“{literal(word)}” is the answer in {int(result.wins.sum())} of {share.n} ways of writing it."
    return sentence, gr.update(value=figure, visible=True), gr.update(value=lines, headers=["", *columns], visible=True)


def build(engine: Engine, form: gr.State, image: gr.Image) -> None:
    """Lay out the view."""
    with gr.Accordion("Where it works: maps of success", open=False, elem_id="typographic-maps"):
        kind = gr.Radio([(TITLES[key], key) for key in SWEEPS], value="place", label="Map", info="25 ways each.")
        go = gr.Button("Draw the map", variant="primary", elem_id="typographic-maps-go")
        status = gr.Markdown(elem_classes=["live", "notes"], elem_id="typographic-maps-status")
        figure = gr.Plot(label="Probability of the first word", visible=COLLAPSED, elem_id="typographic-maps-figure")
        rows = table([""], "Probability; ✓ where the word is the answer", visible=COLLAPSED)

    @handler
    def draw(form: WrittenForm | None, path: str | None, key: str, request: gr.Request) -> tuple[Any, ...]:
        if not path or form is None or not form.labels:
            raise BadInput("Choose an image and type a word first.")
        label = form.labels[0]
        with engine.session(owner(request), form.model, deadline=SECONDS) as session:
            result = sweep(session, opened_picture(path), label, kind=key, names=form.names)
        return shown(result, label.text)

    go.click(
        draw, [form, image, kind], [status, figure, rows], api_visibility="private", show_progress_on=[status], **LONG
    )
