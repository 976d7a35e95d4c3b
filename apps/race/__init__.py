"""Why contrastive? A race of objectives on equal image towers, images and captions, live; and one step in slow motion.

Each visitor's race takes turns on the device one measurement at a time, as every long job does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.race import slow_motion, words
from apps.race.figures import curves_figure
from apps.shared.charts import drawings_in_two_rows
from apps.shared.events import ALWAYS_LAST, ASIDE, LIGHT, handler, owner
from apps.shared.jobs import Jobs, wire
from apps.shared.page import Page
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.what_now import what_now
from apps.shared.widgets import COLLAPSED, drawings_box, table
from workbench.engine import Engine
from workbench.places import write_whole
from workbench.scheduler import CancelToken
from workbench.training.race import OBJECTIVES, RaceSettings, Runner, RunnerCurve, conclude, watched
from workbench.training.race.export import as_csv, as_svg

_QUEUE, _AT_ONCE = "learn", 4
JOBS = Jobs("race", stopped="Stopped; nothing of this race is kept.", places=_AT_ONCE)


def running(
    engine: Engine, settings: RaceSettings, visitor: str, *, token: CancelToken | None = None
) -> Iterator[list[RunnerCurve]]:
    """Run a race in turn with everybody else's work; yield all curves whenever one has a new point."""
    from workbench.training.race.run import race

    newest: dict[tuple[Runner, int], RunnerCurve] = {}
    for curve in engine.stream(lambda: race(settings), owner=visitor, token=token, deadline=JOBS.seconds):
        before = newest.get((curve.runner, curve.seed))
        if curve.accuracy and (before is None or len(before.accuracy) < len(curve.accuracy)):
            newest[curve.runner, curve.seed] = curve
            yield list(newest.values())


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
            mark = page.first.mark("race")
            answer = _answer_widgets()
            what_now(
                ("See one training step in slow motion", "race", "race-slow"),
                ("Train one yourself", "learn", ""),
                ("Ask a model that learned by contrast", "classify", ""),
            )
        with gr.Column(elem_classes="more"):
            images, seeds, seed = _settings()
    finished = gr.State(None)  # curves of the last race, plain data
    slots = {**answer, "finished": finished}
    verdict, axis = answer["verdict"], answer["axis"]

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        settings = words.read_settings(
            typed[question], typed[runners], images=typed[images], seeds=typed[seeds], seed=typed[seed]
        )
        visitor = owner(request)

        def updates(token: CancelToken) -> Iterator[dict[Any, Any]]:
            for screen in _screens(running(page.engine, settings, visitor, token=token), settings, typed[axis]):
                yield {slots[name]: value for name, value in screen.items()}

        yield from JOBS.run(visitor, updates, stopped={verdict: JOBS.stopped})

    event: dict[str, Any] = {
        "fn": run,
        "inputs": {question, runners, images, seeds, seed, axis},
        "outputs": [*slots.values()],
        "api_visibility": "private",
        "concurrency_id": _QUEUE,
        "concurrency_limit": _AT_ONCE,
        "show_progress": "hidden",
    }
    wire(JOBS, go, stop, status=verdict, event=event)
    first = {**event, "outputs": [one for one in slots.values() if one is not axis]}  # redraws an own race
    page.first.show("race", first, {}, mark=mark, ready=True)
    axis.input(_redrawn, [finished, axis], answer["chart"], **ALWAYS_LAST, **LIGHT)
    question.change(lambda key: gr.update(visible=key == "objectives"), question, runners, **ASIDE)
    slow_motion.build(page)


def _answer_widgets() -> dict[str, Any]:
    """What a race fills."""
    widgets: dict[str, Any] = {
        "verdict": gr.Markdown(words.IDLE, elem_classes=["verdict", "live"], elem_id="race-verdict"),
        "axis": gr.Radio(
            [("images seen", "images"), ("seconds of training", "seconds")],
            value="images",
            label="Horizontal axis",
            visible=COLLAPSED,
        ),
        "chart": gr.Plot(label="Zero-shot accuracy", visible=COLLAPSED, elem_id="race-chart"),
        "results": table(words.RESULT_HEADERS, "Results", elem_id="race-results", visible=COLLAPSED),
        "drawings": drawings_box("Twelve drawings", elem_id="race-drawings"),
        "answers": table(words.ANSWER_HEADERS, "Answers", elem_id="race-answers", visible=COLLAPSED),
    }
    with gr.Row():
        for kind, ending in (("CSV", "csv"), ("figure", "svg")):
            widgets[ending] = gr.DownloadButton(f"Download {kind}", visible=False, elem_id=f"race-{ending}")
    return widgets


def _screens(race_so_far: Iterator[list[RunnerCurve]], settings: RaceSettings, axis: str) -> Iterator[dict[str, Any]]:
    """Turn curves into updates by the widgets' names."""
    yield {
        "verdict": f"Training {len(settings.runners)} runners, seed {settings.seed} …",
        "axis": gr.update(visible=True),
        "chart": gr.update(value=None, visible=True),
        "results": gr.update(value=[], visible=True),
        "drawings": gr.update(visible=COLLAPSED),
        "answers": gr.update(value=[], visible=COLLAPSED),
        **dict.fromkeys(("csv", "svg"), gr.update(visible=False)),
    }
    curves: list[RunnerCurve] = []
    began = time.monotonic()
    for curves in race_so_far:
        yield {
            "verdict": words.status(curves, settings, time.monotonic() - began),
            "chart": curves_figure(curves, axis),
            "results": words.result_rows(conclude(curves)),
        }
    rows, headers = words.answer_rows(curves), words.answer_headers(curves)
    image, alt = drawings_in_two_rows(watched())
    csv, svg = _files(curves)
    yield {
        "verdict": words.verdict(conclude(curves), settings),
        "drawings": gr.update(value=image, alt_text=alt, visible=True),
        "answers": gr.update(value=rows, headers=headers, visible=True),
        "csv": gr.update(value=str(csv), visible=True),
        "svg": gr.update(value=str(svg), visible=True),
        "finished": curves,
    }


def _redrawn(curves: list[RunnerCurve] | None, axis: str) -> Any:
    return curves_figure(curves, axis) if curves else gr.skip()


def _files(curves: list[RunnerCurve]) -> list[Path]:
    """Write the curves and the figure beside the uploads, where they are deleted with these."""
    folder = folder_beside_uploads("race-")
    write_whole(folder / "race.csv", as_csv(curves))
    write_whole(folder / "race.svg", as_svg(conclude(curves)))
    return [folder / "race.csv", folder / "race.svg"]


def _settings() -> tuple[gr.Slider, gr.Slider, gr.Number]:
    """How long the race is, how often it is repeated, and the text about it."""
    images = gr.Slider(
        1024, 64_000, 9_600, step=64, label="Images", info="Images that each runner sees; repeats count."
    )
    seeds = gr.Slider(1, 5, 3, step=1, label="Seeds", info="Runs of each runner; the band is their range.")
    seed = gr.Number(0, precision=0, minimum=0, label="Random seed", info="The same seed gives the same race.")
    with gr.Accordion("What is compared", open=False, elem_id="race-explained"):
        gr.Markdown(words.EXPLAINED)
    return images, seeds, seed
