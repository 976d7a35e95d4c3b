"""Learn: a CLIP so small that it is trained from random weights in half a minute, in the browser's sight.

Each visitor's training takes turns on the device one step at a time, as every long job does, so that others' queries
are answered in between. Nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from apps.learn import lesson as words
from apps.shared.charts import drawings_in_two_rows
from apps.shared.events import handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.page import Page
from apps.shared.what_now import what_now
from apps.shared.widgets import COLLAPSED, drawings_box, table
from workbench.engine import Engine
from workbench.scheduler import CancelToken
from workbench.training.lesson import MOST_BATCH, MOST_STEPS, LessonSettings, watched

IDLE = "Press “Start”. On two processor cores it takes about half a minute."
_QUEUE, _AT_ONCE = "learn", 4  # apart from queries to models, so that a class does not fill their queue
JOBS = Jobs("lesson", stopped="Stopped; nothing of this training is kept.", places=_AT_ONCE)


def train(
    engine: Engine, lesson: LessonSettings, visitor: str, *, token: CancelToken | None = None
) -> Iterator[words.Screen]:
    """Train in turn with everybody else's work; yield at most four updates a second, and every figure."""
    from workbench.training.miniature import learn

    moments = engine.stream(lambda: learn(lesson), owner=visitor, token=token, deadline=JOBS.seconds)
    yield from throttle(words.screens(moments, lesson), passes=lambda screen: screen.matrix is not None)


def build(page: Page) -> None:
    """Lay out the view."""
    engine = page.engine
    gr.Markdown(words.LEAD)
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"), gr.Row():
            go = gr.Button("Start", variant="primary", elem_id="learn-go")
            stop = gr.Button("Stop", variant="stop", elem_id="learn-stop")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("learn")
            verdict = gr.Markdown(IDLE, elem_classes=["verdict", "live"], elem_id="learn-verdict")
            status = gr.Markdown(elem_classes="notes", elem_id="learn-status")
            drawings = drawings_box("The twelve drawings", elem_id="learn-drawings")
            matrix = gr.Plot(
                label="Drawings (rows) against sentences (columns)", visible=COLLAPSED, elem_id="learn-matrix"
            )
            what_now(
                ("Race it against other objectives", "race", ""),
                ("See images and words on one map", "map", ""),
                ("Ask a model that learned this way", "classify", ""),
            )
            pairs = table(words.MATRIX_HEADERS, "The matrix as a table", elem_id="learn-pairs", visible=COLLAPSED)
            curves = gr.Plot(label="Loss, and accuracy on held-out pairs", elem_id="learn-curves", visible=COLLAPSED)
            course = table(words.CURVE_HEADERS, "The curves as a table", elem_id="learn-course", visible=COLLAPSED)
        with gr.Column(elem_classes="more"):
            steps = gr.Slider(100, MOST_STEPS, 800, step=50, label="Steps", info="More steps, better answers.")
            batch = gr.Slider(8, MOST_BATCH, 64, step=8, label="Batch size", info="Pairs that compete in one step.")
            temperature = gr.Radio(
                words.TEMPERATURES, value=words.LEARNED, label="Scale", info="Similarities are multiplied by this."
            )
            seed = gr.Number(0, precision=0, minimum=0, label="Seed", info="The same seed gives the same training.")
            with gr.Accordion("What happens here", open=False, elem_id="learn-explained"):
                gr.Markdown(words.EXPLAINED)

    def screens(chosen: LessonSettings, visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        image, alt = drawings_in_two_rows(watched())
        yield {
            verdict: f"Training, seed {chosen.seed} …",
            status: "",
            drawings: gr.update(value=image, alt_text=alt, visible=True),
            matrix: gr.update(value=None, visible=True),
            curves: gr.update(value=None, visible=True),
            **{rows: gr.update(value=[], visible=True) for rows in (pairs, course)},
        }
        for screen in train(engine, chosen, visitor, token=token):
            shown = {matrix: screen.matrix, pairs: screen.pairs, curves: screen.curves, course: screen.course}
            lines = {verdict: screen.status, status: ""} if screen.done else {status: screen.status}
            yield {**lines, **{widget: value for widget, value in shown.items() if value is not None}}

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        chosen = words.read_lesson(typed[steps], typed[batch], typed[seed], temperature=typed[temperature])
        visitor, last = owner(request), {verdict: JOBS.stopped, status: ""}
        yield from JOBS.run(visitor, lambda token: screens(chosen, visitor, token), stopped=last)

    event: dict[str, Any] = {
        "fn": run,
        "inputs": {steps, batch, temperature, seed},
        "outputs": [verdict, status, drawings, matrix, pairs, curves, course],
        "api_visibility": "private",
        "concurrency_id": _QUEUE,
        "concurrency_limit": _AT_ONCE,
        "show_progress": "hidden",
    }
    wire(JOBS, go, stop, status=verdict, event=event)
    page.first.show("learn", event, {}, mark=mark, ready=True)
