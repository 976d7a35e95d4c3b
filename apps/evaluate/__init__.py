"""Evaluate: a folder of labelled images in, a table of models out, row by row; then its probable label errors.

What was embedded stays with the open page: other shots, seeds, classes or columns are answered from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from apps.evaluate import adapters, certainty, paper, prompts, report, suspects, sweep, words
from apps.evaluate.data import of_classes, ways_of
from apps.evaluate.figures import accuracy_figure
from apps.shared.events import ALWAYS_LAST, LIGHT, LONG, QUIET, handler, owner
from apps.shared.folder_box import folder_box
from apps.shared.jobs import Jobs, wire
from apps.shared.labelled_images import classes_line, given
from apps.shared.page import Page
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.what_now import what_now
from apps.shared.widgets import COLLAPSED, table
from workbench.checkpoints import checkpoints
from workbench.engine import Engine
from workbench.loading import hub
from workbench.places import write_whole
from workbench.probes.evaluation import PROBE, SHOTS, ModelEvaluation
from workbench.probes.labelled import labelled
from workbench.probes.suite.plots import SetRun
from workbench.probes.table import (
    EmbeddedImages,
    EvaluationRequest,
    answers,
    embed_all,
    ranked,
    with_answers,
)
from workbench.progress import Progress
from workbench.scheduler import CancelToken

FOLDER = "evaluate-folder"
AGAIN = Jobs("evaluate")  # answers from what was embedded
JOBS = Jobs("evaluate", stopped=words.STOPPED, places=LONG["concurrency_limit"])


def measuring(
    engine: Engine, request: EvaluationRequest, *, owner: str, token: CancelToken | None = None
) -> Iterator[Progress | ModelEvaluation | EmbeddedImages]:
    """Embed and measure; yield progress, each row after each of its columns, and what is known of the images so far.

    Without early dropping one model after the other is measured to its end, so that stopping loses none before it.
    """
    groups = [request.models] if request.early else [(key,) for key in request.models]
    whole = EmbeddedImages(request.images)
    for models in groups:
        for step in embed_all(engine, replace(request, models=models), owner=owner, token=token, deadline=JOBS.seconds):
            if not isinstance(step, EmbeddedImages):
                yield step
                continue
            whole = EmbeddedImages(
                step.images, whole.made | step.made, whole.texts | step.texts, whole.rows | step.rows
            )
            yield from answers(step, request.ways)
            yield whole


def here() -> list[tuple[str, str]]:
    """Return the models that are on this machine: title and key."""
    return [(row.title, row.key) for row in checkpoints() if hub.presence(row).here or row.loader == "fake"]


def build(page: Page) -> None:
    """Lay out the view."""
    gr.Markdown(words.LEAD)
    known, rows, runs = gr.State(None), gr.State(None), gr.State({})  # EmbeddedImages; model -> row; title -> SetRun
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            folder = folder_box("Folder of class folders, or a zip (none: drawings)", elem_id=FOLDER, zipped=True)
            sent, sent_line = gr.State(()), gr.Markdown(elem_classes="notes", elem_id="evaluate-sent")
            models = gr.Dropdown(
                here(), value=[page.engine.default], multiselect=True, label="Models", elem_id="evaluate-models",
                info="Those on this machine. Others: the model menu downloads them.",
            )  # fmt: skip
            with gr.Row():
                go = gr.Button("Evaluate", variant="primary", elem_id="evaluate-go")
                stop = gr.Button("Stop", variant="stop", elem_id="evaluate-stop")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("evaluate")
            status = gr.Markdown(words.IDLE, elem_classes=["verdict", "live"], elem_id="evaluate-status")
            data = gr.Markdown(elem_classes="notes", elem_id="evaluate-data")
            chart = gr.Plot(label="Accuracy with 95 % intervals", visible=COLLAPSED, elem_id="evaluate-chart")
            download = gr.DownloadButton("Download CSV", visible=False, elem_id="evaluate-csv")
            reporting = gr.Column()
            what_now(*words.NEXT)
        with gr.Column(elem_classes="more"):
            shots, seeds, seed, by, early, classes = _settings()
    results = table(words.headers([]), "Models", elem_id="evaluate-table", visible=COLLAPSED)
    with gr.Tabs():
        swept = sweep.build()
        suspects.build(page, known)
        certainty.build(page, known)
        adapters.build(page, known, {"shots": shots, "seeds": seeds, "seed": seed})
        prompts.build(page, known)
        paper.build(page, runs)
    shown = {"status": status, "data": data, "results": results, "chart": chart, "download": download, **swept}
    options = {"shots": shots, "seeds": seeds, "seed": seed, "by": by}
    with reporting:
        report.build(page, known, {**options, "classes": classes})

    def steps(typed: dict[Any, Any], visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        ways, column = ways_of(typed[shots], typed[seeds], typed[seed]), typed[by]
        images = labelled(given(typed[folder], typed[sent]), seed=ways.seed)
        request = EvaluationRequest(images, tuple(typed[models] or ()), ways, column, bool(typed[early]), ways.seed)
        choices = gr.update(choices=list(images.classes), value=list(images.classes))
        yield {status: "Loading …", data: words.parts(images), known: None, classes: choices, download: _hidden()}
        done: dict[str, ModelEvaluation] = {}
        for step in measuring(page.engine, request, owner=visitor, token=token):
            if isinstance(step, Progress):
                yield {status: f"{step.stage}: {step.line} …"}
            elif isinstance(step, EmbeddedImages):
                yield {known: with_answers(step, done)}
            else:
                done[step.model] = step
                yield {shown[name]: value for name, value in screen(list(done.values()), column).items()} | {rows: done}
        measured = SetRun(images.title, tuple(done.values()))
        yield {download: _download(list(done.values()), column), runs: {**typed[runs], images.title: measured}}

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)
        yield from JOBS.run(visitor, lambda token: steps(typed, visitor, token), stopped={status: JOBS.stopped})

    page.exchange.accept_many("evaluate", [folder, sent, sent_line], lambda sent: [None, sent, classes_line(sent)])
    inputs, kept = {folder, sent, models, *options.values(), early, runs}, [known, rows, runs, classes]
    event: dict[str, Any] = {"fn": run, "inputs": inputs, "outputs": [*shown.values(), *kept], **QUIET, **LONG}
    wire(JOBS, go, stop, status=status, event=event)
    page.first.show("evaluate", event, {}, mark=mark, ready=True)

    @handler
    def again(typed: dict[Any, Any], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        if typed[known] is not None:
            settings = [typed[one] for one in (known, classes, *options.values())]
            yield from AGAIN.run(owner(request), lambda token: _measured(*settings), stopped=(gr.skip(),) * 7)

    changed = [shots.input, seeds.release, seed.input, classes.input]
    answered = [status, results, chart, download, rows, *swept.values()]
    always: dict[str, Any] = {"trigger_mode": "multiple", **QUIET, **LONG}
    gr.on(changed, again, {known, classes, *options.values()}, answered, **always)
    by.input(_by, [rows, by], [status, results, chart, download], **ALWAYS_LAST, **LIGHT)


@handler
def _by(rows: dict[str, ModelEvaluation] | None, by: str) -> tuple[Any, ...]:
    """Rank by another column; nothing is measured."""
    if not rows:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    shown = screen(list(rows.values()), by)
    return shown["status"], shown["results"], shown["chart"], _download(list(rows.values()), by)


def screen(rows: Sequence[ModelEvaluation], by: str) -> dict[str, Any]:
    """Return what the widgets take, by name, from the rows so far."""
    order = ranked(rows, by)
    lines = gr.update(value=words.table_rows(rows, order, by), headers=words.headers(rows), visible=True)
    chart = gr.update(value=accuracy_figure(rows), visible=True)
    return {"status": words.verdict(rows, order, by), "results": lines, "chart": chart, **sweep.screen(rows)}


def _measured(
    known: EmbeddedImages, classes: list[str], shots: list[int], seeds: float, seed: float | None, by: str
) -> Iterator[tuple[Any, ...]]:
    """Answer other settings from what was embedded, model by model."""
    part = of_classes(known, classes)
    done: dict[str, ModelEvaluation] = {}
    for row in answers(part, ways_of(shots, seeds, seed)):
        done[row.model] = row
        shown = screen(list(done.values()), by)
        yield shown["status"], shown["results"], shown["chart"], gr.skip(), done, gr.skip(), gr.skip()
    shown = screen(list(done.values()), by)
    file = _download(list(done.values()), by)
    yield shown["status"], shown["results"], shown["chart"], file, done, shown["curve"], shown["penalties"]


def _download(rows: Sequence[ModelEvaluation], by: str) -> Any:
    path: Path = folder_beside_uploads("evaluate-") / "models.csv"
    write_whole(path, words.as_csv(rows, ranked(rows, by)))
    return gr.update(value=str(path), visible=True)


def _hidden() -> Any:
    return gr.update(visible=False)


def _settings() -> tuple[Any, ...]:
    shots = gr.CheckboxGroup(
        [(str(one), one) for one in (1, 2, 4, 8, 16)], value=list(SHOTS), label="Shots", elem_id="evaluate-shots",
        info="Labelled images a class. Changes are answered at once.",
    )  # fmt: skip
    seeds = gr.Slider(1, 10, 10, step=1, label="Seeds", info="Drawings of the shots; the interval covers them.")
    seed = gr.Number(0, precision=0, minimum=0, label="Random seed", elem_id="evaluate-seed")
    by = gr.Radio(words.COLUMN_CHOICES, value=PROBE, label="Best by", elem_id="evaluate-by")
    classes = gr.Dropdown(
        [],
        multiselect=True,
        label="Classes",
        info="Take some out to compare on the others.",
        elem_id="evaluate-classes",
    )
    early = gr.Checkbox(
        label="Drop models early", info="Embed a sample first, and drop models that fall clearly behind."
    )
    with gr.Accordion("What is measured", open=False):
        gr.Markdown(words.EXPLAINED)
    return shots, seeds, seed, by, early, classes
