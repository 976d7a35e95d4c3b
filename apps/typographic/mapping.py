"""Where and how large a word must be: maps of its probability, with a table beside each."""

from __future__ import annotations

from typing import Any

import gradio as gr

from apps.shared.charts import heat_map
from apps.shared.events import LONG, handler, owner
from apps.shared.markdown import literal
from apps.shared.widgets import COLLAPSED, table
from apps.typographic.form import WrittenForm
from apps.typographic.widgets import opened_picture
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.statistics.intervals import Share
from workbench.typographic.sweeping import SWEEPS, SuccessMap, sweep

TITLES = {"place": "Place", "size and place": "Size × height", "contrast and opacity": "Contrast × opacity"}
SECONDS = 120.0


def shown(result: SuccessMap, word: str) -> tuple[Any, ...]:
    """Return what the widgets take: a sentence, the figure, the table."""
    rows = [f"{result.rows[0]} {value:g}" for value in result.rows[1]]
    columns = [f"{result.columns[0]} {value:g}" for value in result.columns[1]]
    shares = result.shares
    notes = [[f"the answer in {cell(one)}" for one in row] for row in shares] if result.ways > 1 else None
    figure = heat_map(result.probability, rows, columns, title="probability", notes=notes)
    lines = [
        [name, *(f"{chance:.2f}{mark(one)}" for chance, one in zip(chances, line, strict=True))]
        for name, chances, line in zip(rows, result.probability, shares, strict=True)
    ]
    every = result.won.size * result.ways
    sentence = f"“{literal(word)}” is the answer in {int(result.won.sum())} of {every} ways of writing it."
    if result.ways > 1:
        sentence += f" In each cell: mean probability, then how often it is the answer in {result.ways} ways, with the "
        sentence += "95 % interval."
    return sentence, gr.update(value=figure, visible=True), gr.update(value=lines, headers=["", *columns], visible=True)


def cell(one: Share) -> str:
    """Return how often a word was the answer, with its interval in percent."""
    if one.value is None or one.low is None or one.high is None:
        return "–"
    return f"{round(one.value * one.n)} of {one.n} ({100 * one.low:.0f} to {100 * one.high:.0f} %)"


def mark(one: Share) -> str:
    """Return what the table says of a cell beside the probability."""
    return f"; {cell(one)}" if one.n > 1 else " ✓" if one.value else ""


def build(engine: Engine, form: gr.State, image: gr.Image) -> None:
    """Lay out the view."""
    with gr.Tab("Where it works: maps of success", elem_id="typographic-maps", render_children=True):
        kind = gr.Radio([(TITLES[key], key) for key in SWEEPS], value="place", label="Map", info="25 cells.")
        ways = gr.Radio(
            [("once", 1), ("4 ways", 4), ("12 ways", 12)], value=1, label="Each cell is written",
            elem_id="typographic-ways",
            info="In several fonts, moved and turned a little; then each cell has an interval.",
        )  # fmt: skip
        go = gr.Button("Draw the map", variant="primary", elem_id="typographic-maps-go")
        status = gr.Markdown(elem_classes=["live", "notes"], elem_id="typographic-maps-status")
        figure = gr.Plot(label="Probability of the first word", visible=COLLAPSED, elem_id="typographic-maps-figure")
        rows = table([""], "Probability, and whether the word is the answer (✓)", visible=COLLAPSED)

    @handler
    def draw(form: WrittenForm | None, path: str | None, key: str, number: int, request: gr.Request) -> tuple[Any, ...]:
        if not path or form is None or not form.labels:
            raise BadInput("Choose an image and type a word first.")
        label = form.labels[0]
        with engine.session(owner(request), form.model, deadline=SECONDS) as session:
            result = sweep(session, opened_picture(path), label, kind=key, names=form.names, ways=int(number))
        return shown(result, label.text)

    go.click(
        draw,
        [form, image, kind, ways],
        [status, figure, rows],
        api_visibility="private",
        show_progress_on=[status],
        **LONG,
    )
