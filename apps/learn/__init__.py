"""Learn: a CLIP so small that it is trained from nothing while one looks on.

Knows the widgets; what they show stands in `lesson`. Each visitor's lesson takes its turns on the device one step at a
time, as every long job does, so that others' questions are answered in between; nothing of it is kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from apps import limits
from apps._handler import handler, owner
from apps._run_and_stop import Runs, wire
from apps._widgets import table
from apps.learn import lesson as words
from apps.learn.figures import strip
from workbench.engine import Engine
from workbench.scheduler import CancelToken
from workbench.training.miniature import MOST_BATCH, MOST_STEPS, Lesson, learn

_IDLE = "Press “Start”. On two processor cores it takes about half a minute."
_STOPPED = "Stopped. Nothing is computed any more, and nothing of this lesson is kept."
_QUEUE, _AT_ONCE = "learn", 4  # lessons apart from questions to models, so that a class does not fill their queue
_PAUSE = 0.25  # seconds between two lines of progress


def show(engine: Engine, lesson: Lesson, visitor: str, *, token: CancelToken | None = None) -> Iterator[words.Screen]:
    """Run a lesson in turn with everybody else's work; yield at most four times a second, and every figure."""
    last = 0.0
    seconds = limits.current().job_seconds
    moments = engine.stream(lambda: learn(lesson), owner=visitor, token=token, deadline=seconds)
    for screen in words.screens(moments, lesson):
        if screen.matrix is None and time.monotonic() - last < _PAUSE:
            continue
        last = time.monotonic()
        yield screen


def build(engine: Engine) -> None:
    """Lay out the tab."""
    gr.Markdown(words.LEAD)
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"), gr.Row():
            go = gr.Button("Start", variant="primary", elem_id="learn-go")
            stop = gr.Button("Stop", variant="stop", elem_id="learn-stop")
        with gr.Column(elem_classes="answer"):
            verdict = gr.Markdown(_IDLE, elem_classes=["verdict", "live"], elem_id="learn-verdict")
            status = gr.Markdown(elem_classes="notes", elem_id="learn-status")
            drawings = gr.Image(
                label="The twelve drawings",
                interactive=False,
                height=230,
                format="png",
                buttons=[],
                elem_id="learn-drawings",
            )
            matrix = gr.Plot(label="Drawings (rows) against sentences (columns)", elem_id="learn-matrix")
            # what would only be an empty frame before the first lesson is not there yet
            pairs = table(words.MATRIX_HEADERS, "The square as a table", elem_id="learn-pairs", visible=False)
            curves = gr.Plot(label="Loss, and held-out pairs named right", elem_id="learn-curves", visible=False)
            course = table(words.CURVE_HEADERS, "The curves as a table", elem_id="learn-course", visible=False)
        with gr.Column(elem_classes="more"):
            steps = gr.Slider(100, MOST_STEPS, 800, step=50, label="Steps", info="More steps, surer answers.")
            batch = gr.Slider(8, MOST_BATCH, 64, step=8, label="Batch size", info="Pairs that compete in one step.")
            temperature = gr.Radio(
                words.TEMPERATURES, value=words.LEARNED, label="Scale", info="What similarities are multiplied with."
            )
            seed = gr.Number(0, precision=0, minimum=0, label="Seed", info="The same seed gives the same lesson.")
            with gr.Accordion("What happens here, in plain words", open=False, elem_id="learn-explained"):
                gr.Markdown(words.EXPLAINED)

    runs = Runs(_STOPPED, places=_AT_ONCE)

    def screens(chosen: Lesson, visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        picture, alt = strip()
        yield {
            verdict: f"Learning, with seed {chosen.seed} …",
            status: "",
            drawings: gr.update(value=picture, alt_text=alt),
            matrix: None,
            curves: gr.update(value=None, visible=True),
            **{rows: gr.update(value=[], visible=True) for rows in (pairs, course)},
        }
        for screen in show(engine, chosen, visitor, token=token):
            shown = {matrix: screen.matrix, pairs: screen.pairs, curves: screen.curves, course: screen.course}
            said = {verdict: screen.status, status: ""} if screen.done else {status: screen.status}
            yield {**said, **{widget: value for widget, value in shown.items() if value is not None}}

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        chosen = words.read_lesson(typed[steps], typed[batch], typed[seed], temperature=typed[temperature])
        visitor, last = owner(request), {verdict: _STOPPED, status: ""}
        yield from runs.newest(visitor, lambda token: screens(chosen, visitor, token), stopped=last)

    event: dict[str, Any] = {
        "fn": run,
        "inputs": {steps, batch, temperature, seed},
        "outputs": [verdict, status, drawings, matrix, pairs, curves, course],
        "api_visibility": "private",
        "concurrency_id": _QUEUE,
        "concurrency_limit": _AT_ONCE,
        "show_progress": "hidden",
    }
    wire(runs, go, stop, says=verdict, event=event)
