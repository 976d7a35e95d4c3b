"""Why contrastive? A race of objectives on equal image towers, images and captions, live; and one step in slow motion.

Each visitor's race takes turns on the device one measurement at a time, as every long job does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps._handler import ASIDE, handler, owner
from apps._jobs import Jobs, wire
from apps._page import Page
from apps._widgets import COLLAPSED, table
from apps.race import words
from apps.race.figures import curves_figure, slow_motion_figure
from workbench.places import write_whole
from workbench.scheduler import CancelToken
from workbench.training.race import OBJECTIVES, RaceSettings, RunnerCurve, conclude, race
from workbench.training.race.export import as_csv
from workbench.training.race.slow_motion import SlowMotion, slow_motion

_QUEUE, _AT_ONCE = "learn", 4
JOBS = Jobs("race", stopped="Stopped; nothing of this race is kept.", places=_AT_ONCE)


def build(page: Page) -> None:
    """Lay out the view."""
    gr.Markdown(words.LEAD)
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            with gr.Row():
                go = gr.Button("Start", variant="primary", elem_id="race-go")
                stop = gr.Button("Stop", variant="stop", elem_id="race-stop")
            question = gr.Radio(words.QUESTIONS, value="objectives", label="Compare", elem_id="race-question")
            runners = gr.CheckboxGroup(
                [(title, key) for key, title in OBJECTIVES.items()],
                value=[*OBJECTIVES],
                label="Objectives",
                info="Each trains an equal image tower on the same images and captions.",
                elem_id="race-runners",
            )
        with gr.Column(elem_classes="answer"):
            verdict = gr.Markdown(words.IDLE, elem_classes=["verdict", "live"], elem_id="race-verdict")
            axis = gr.Radio(
                [("images seen", "images"), ("seconds of training", "seconds")],
                value="images",
                label="Horizontal axis",
                visible=COLLAPSED,
            )
            chart = gr.Plot(label="Zero-shot accuracy", visible=COLLAPSED, elem_id="race-chart")
            results = table(words.RESULT_HEADERS, "Results", elem_id="race-results", visible=COLLAPSED)
            answers = table(
                words.ANSWER_HEADERS, "Answers on twelve drawings", elem_id="race-answers", visible=COLLAPSED
            )
            download = gr.DownloadButton("Download CSV", visible=False, elem_id="race-csv")
        with gr.Column(elem_classes="more"):
            images = gr.Slider(
                1024, 64_000, 12_800, step=1024, label="Images", info="Images that each runner sees; repeats count."
            )
            seeds = gr.Slider(1, 5, 3, step=1, label="Seeds", info="Runs of each runner; the band is their range.")
            seed = gr.Number(0, precision=0, minimum=0, label="Random seed", info="The same seed gives the same race.")
            with gr.Accordion("What is compared", open=False, elem_id="race-explained"):
                gr.Markdown(words.EXPLAINED)
    finished = gr.State(None)  # curves of the last race, plain data

    def screens(settings: RaceSettings, shown: str, visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        newest: dict[Any, RunnerCurve] = {}
        yield {
            verdict: f"Training {len(settings.runners)} runners, seed {settings.seed} …",
            axis: gr.update(visible=True),
            chart: gr.update(value=None, visible=True),
            results: gr.update(value=[], visible=True),
            answers: gr.update(value=[], visible=COLLAPSED),
            download: gr.update(visible=False),
        }
        for curve in page.engine.stream(lambda: race(settings), owner=visitor, token=token, deadline=JOBS.seconds):
            newest[curve.runner, curve.seed] = curve
            curves = list(newest.values())
            yield {
                verdict: words.status(curves, settings),
                chart: curves_figure(curves, shown),
                results: words.result_rows(conclude(curves)),
            }
        file = Path(tempfile.mkdtemp(prefix="race-")) / "race.csv"
        write_whole(file, as_csv(curves))
        yield {
            verdict: words.verdict(conclude(curves), settings),
            answers: gr.update(value=words.answer_rows(curves), headers=words.answer_headers(curves), visible=True),
            download: gr.update(value=str(file), visible=True),
            finished: curves,
        }

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        settings = words.read_settings(
            typed[question], typed[runners], images=typed[images], seeds=typed[seeds], seed=typed[seed]
        )
        visitor = owner(request)
        yield from JOBS.run(
            visitor, lambda token: screens(settings, typed[axis], visitor, token), stopped={verdict: JOBS.stopped}
        )

    event: dict[str, Any] = {
        "fn": run,
        "inputs": {question, runners, images, seeds, seed, axis},
        "outputs": [verdict, axis, chart, results, answers, download, finished],
        "api_visibility": "private",
        "concurrency_id": _QUEUE,
        "concurrency_limit": _AT_ONCE,
        "show_progress": "hidden",
    }
    wire(JOBS, go, stop, status=verdict, event=event)
    axis.input(
        lambda curves, shown: curves_figure(curves, shown) if curves else gr.skip(), [finished, axis], chart, **ASIDE
    )
    question.change(lambda key: gr.update(visible=key == "objectives"), question, runners, **ASIDE)
    _slow_motion(page)


def _slow_motion(page: Page) -> None:
    """Lay out one batch in slow motion; the slider steps with the arrow keys."""
    with gr.Accordion("One batch in slow motion", open=False, elem_id="race-slow"):
        gr.Markdown(words.SLOW_LEAD)
        with gr.Row():
            trained = gr.Radio(
                [("at the start", 0), ("after 60 steps", 60), ("after 200 steps", 200)], value=0, label="Model"
            )
            show = gr.Button("Show", elem_id="race-slow-go")
        frame = gr.Slider(1, len(words.FRAMES), 1, step=1, label="Frame", info="Arrow keys step.", elem_id="race-frame")
        text = gr.Markdown(elem_classes="live", elem_id="race-frame-text")
        picture = gr.Plot(label="The batch", visible=COLLAPSED, elem_id="race-frame-chart")
        numbers = table(words.FRAME_HEADERS, "The same numbers", elem_id="race-frame-table", visible=COLLAPSED)
    step = gr.State(None)

    @handler
    def compute(steps: int, request: gr.Request) -> SlowMotion:
        work = page.engine.stream(lambda: iter([slow_motion(steps=steps)]), owner=owner(request), deadline=JOBS.seconds)
        return next(iter(work))

    def draw(number: int, motion: SlowMotion | None) -> tuple[Any, ...]:
        if motion is None:
            return gr.skip(), gr.skip(), gr.skip()
        return (
            words.frame_text(int(number), motion),
            gr.update(value=slow_motion_figure(int(number), motion), visible=True),
            gr.update(value=words.frame_rows(int(number), motion), visible=True),
        )

    computed = {"concurrency_id": _QUEUE, "concurrency_limit": _AT_ONCE, "api_visibility": "private"}
    show.click(compute, trained, step, **computed).then(draw, [frame, step], [text, picture, numbers], **ASIDE)
    frame.change(draw, [frame, step], [text, picture, numbers], **ASIDE)
