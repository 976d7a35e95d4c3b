"""Many images: files or a zip become a table of answers; given true labels, an evaluation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import gradio as gr

from apps import limits
from apps.classify.evaluation import class_rows, confusion_figure, confusion_rows, occurring, scored, truth_of
from apps.shared.events import ALWAYS_LAST, CHOICE, LIGHT, LONG, handler, owner
from apps.shared.examples import shipped_files
from apps.shared.jobs import Jobs, wire
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.query import provenance, read_setup
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.widgets import images_box, labels_box, none_of_these_box, table, template_choice
from workbench.batch.export import to_json, write_csv, write_json
from workbench.batch.run import Row, classify_samples
from workbench.batch.table import RowFilter, cells, headers, select
from workbench.batch.truth import evaluate
from workbench.datasets.uploads import read_uploads
from workbench.errors import WorkbenchError
from workbench.labels import NONE_OF_THESE
from workbench.pictures import SAMPLES
from workbench.reproduce import Setup
from workbench.scheduler import CancelToken
from workbench.taught.likeness import together

IDLE = "Choose images or a zip, type labels, press “Classify all”."
JOBS = Jobs("batch")
_ANY = "any"


@dataclass(frozen=True)
class BatchResult:
    """The last run's result, for filters and downloads."""

    rows: tuple[Row, ...]
    setup: Setup
    truth: dict[str, str]
    model: str  # fingerprint


def summary(rows: tuple[Row, ...], ignored: tuple[str, ...]) -> str:
    """Say how many images were classified, failed, or were no images."""
    failed = sum(bool(row.error) for row in rows)
    text = f"**{len(rows) - failed} of {len(rows)}** images classified."
    if failed:
        text += f" {failed} could not be read; their rows say why."
    if unlike := together([row.unlike for row in rows]):
        text += f" {literal(unlike)}"
    if ignored:
        names = ", ".join(literal(name[:60]) for name in ignored[:5])
        text += f" {len(ignored)} other file(s) of the zip ignored: {names}{' …' if len(ignored) > 5 else ''}."
    return text


def files(result: BatchResult, chosen: RowFilter, k: int) -> tuple[str, str]:
    """Write both downloads; CSV holds the table as filtered, JSON everything. Return their paths."""
    folder = folder_beside_uploads("many-")
    with_model = [*headers(k, truth=bool(result.truth)), "model"]
    lines = cells(select(result.rows, chosen, result.truth), k, result.truth, digits=None)
    write_csv(folder / "answers.csv", with_model, [[*line, result.setup.model] for line in lines])
    header = {"model": result.setup.model, "fingerprint": result.model, "templates": list(result.setup.prompts)}
    write_json(folder / "answers.json", {**header, "results": to_json(result.rows, result.truth)})
    return str(folder / "answers.csv"), str(folder / "answers.json")


def view(result: BatchResult | None, k: int, *, label: str, at_least: float, only: str) -> tuple[Any, Any, Any]:
    """Return the filtered table and both downloads; nothing before the first run."""
    if result is None:
        return gr.skip(), gr.skip(), gr.skip()
    chosen = RowFilter("" if label in (None, _ANY) else label, float(at_least), only == "failed", only == "wrong")
    lines = cells(select(result.rows, chosen, result.truth), int(k), result.truth)
    shown = gr.update(value=lines, headers=headers(int(k), truth=bool(result.truth)))
    csv_file, json_file = files(result, chosen, int(k))
    return shown, gr.update(value=csv_file), gr.update(value=json_file)


def evaluated(result: BatchResult) -> dict[str, Any]:
    """Return what the evaluation's widgets take, by name: sentence, classes, matrix as table and figure."""
    labels = [*result.setup.labels, *([NONE_OF_THESE] if result.setup.none_of_these else [])]
    evaluation = evaluate(result.rows, result.truth, labels)
    return {
        "score": scored(evaluation),
        "classes": class_rows(evaluation),
        "matrix": gr.update(value=confusion_rows(evaluation), headers=["true label", *occurring(evaluation)]),
        "chart": confusion_figure(evaluation),
        "evaluation": gr.update(visible=True),
    }


def finish(result: BatchResult, k: int, *, csv_file: str | None, folders: bool) -> Iterator[dict[str, Any]]:
    """Show the answers first, so that unusable true labels cost nothing but themselves; widget name -> value."""
    yield {
        **{"at_least": 0, "only": "all", "score": "", "kept": result},
        **{"evaluation": gr.update(visible=False), "results": gr.update(visible=True)},
        "label": gr.update(choices=[_ANY, *result.setup.labels], value=_ANY),
        **_answers(result, k),
    }
    try:
        truth, remark = truth_of(result.rows, csv_file, folders)
        if not truth:
            return
        result = replace(result, truth=truth)
        values = evaluated(result)
    except WorkbenchError as error:
        yield {"score": f"Not evaluated: {literal(str(error))}"}
        return
    yield {**_answers(result, k), **values, "score": values["score"] + remark, "kept": result}


def _answers(result: BatchResult, k: int) -> dict[str, Any]:
    return dict(zip(("rows", "csv", "json"), view(result, k, label=_ANY, at_least=0, only="all"), strict=True))


def _image_of(given: Sequence[str], name: str) -> str | None:
    """Return a path of one image of the files or the zip, by its name in the table; None where it is not there."""
    samples = read_uploads(given, limit=limits.current().pictures).samples
    sample = next((one for one in samples if one.name == name), None)
    if sample is None or isinstance(sample.source, Path):
        return None if sample is None else str(sample.source)
    target = folder_beside_uploads("many-image-") / PurePosixPath(name).name
    target.write_bytes(sample.read())
    return str(target)


def _results(page: Page) -> dict[str, Any]:
    """Lay out the right-hand column; return its widgets by name."""
    mark = page.first.mark("many")
    status = gr.Markdown(IDLE, elem_classes=["verdict", "live"], elem_id="many-status")
    with gr.Column(visible=False) as results:
        score = gr.Markdown(elem_classes="live", elem_id="many-score")
        rows = table(headers(3, truth=False), "Answers: choose a row to send its image on", elem_id="many-table")
        with gr.Row():
            k = gr.Slider(1, 10, value=3, step=1, label="Labels shown per image")
            at_least = gr.Slider(0, 1, value=0, step=0.01, label="Minimum probability")
        with gr.Row():
            label = gr.Dropdown([_ANY], value=_ANY, label="Answer is")
            only = gr.Radio(["all", "failed", "wrong"], value="all", label="Rows")
        with gr.Row():
            csv_button = gr.DownloadButton("CSV: the table as shown", elem_id="many-csv")
            json_button = gr.DownloadButton("JSON: everything", elem_id="many-json")
    with gr.Accordion("Evaluation against true labels", open=False, visible=False) as evaluation:
        classes = table(["true label", "images", "share right", "low", "high"], "Each true label")
        matrix = table(["true label"], "Confusion matrix: true label in rows, answer in columns")
        chart = gr.Plot(label="Confusion matrix", elem_id="many-confusion")
    whose = gr.Markdown(elem_classes="provenance")
    answers = {"mark": mark, "status": status, "k": k, "at_least": at_least, "label": label, "only": only, "rows": rows}
    parts = {"results": results, "evaluation": evaluation, "csv": csv_button, "json": json_button}
    return {**answers, **parts, "score": score, "classes": classes, "matrix": matrix, "chart": chart, "whose": whose}


def build(page: Page) -> None:
    """Lay out the view."""
    engine, bounds = page.engine, limits.current()
    kept, chosen = gr.State(None), gr.State(None)
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            given = images_box(height=180, elem_id="many-files")
            shipped = gr.Button("Try the shipped images", elem_id="many-shipped")
            labels = labels_box(elem_id="many-labels")
            with gr.Row():
                go = gr.Button("Classify all", variant="primary", elem_id="many-go")
                stop = gr.Button("Stop", variant="stop", elem_id="many-stop")
        with gr.Column(elem_classes="answer"):
            shown_in = {"kept": kept, **_results(page)}
            with gr.Column(visible=False) as sending:
                picked = gr.Markdown(elem_classes="notes", elem_id="many-picked")
                page.exchange.offer("many", chosen, labels, now=("attribution", "typographic", "search"))
        with gr.Column(elem_classes="more"):
            with gr.Accordion("True labels (optional)", open=False):
                truth = gr.File(
                    label="CSV with the columns file and label", file_types=[".csv"], height=120, elem_id="many-truth"
                )
                folders = gr.Checkbox(label="The zip's folder names are the true labels")
            choice, own = template_choice()
            none = none_of_these_box()
    status, whose, k = (shown_in[name] for name in ("status", "whose", "k"))

    def updates(typed: dict[Any, Any], setup: Setup, visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        began = time.perf_counter()
        rows: tuple[Row, ...] = ()
        uploads = read_uploads(typed[given] or [], limit=bounds.pictures)
        with engine.session(visitor, setup.model, token=token, deadline=JOBS.seconds) as session:
            for step in classify_samples(
                session, uploads.samples, setup.labels, templates=setup.prompts, none_of_these=setup.none_of_these
            ):
                rows += step.rows
                yield {status: f"{step.done} of {step.total} images …", kept: None}
            result = BatchResult(rows, setup, {}, session.fingerprint)
            line = provenance(session, engine, time.perf_counter() - began, texts=setup.labels)
        yield {status: summary(rows, uploads.ignored), whose: line}
        for changed in finish(result, typed[k], csv_file=typed[truth], folders=typed[folders]):
            yield {shown_in[name]: value for name, value in changed.items()}

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        words = [typed[widget] for widget in (labels, choice, own)]
        setup = read_setup(*words, none_of_these=typed[none], model=typed[page.model])
        visitor = owner(request)
        yield from JOBS.run(visitor, lambda token: updates(typed, setup, visitor, token), stopped={status: "Stopped."})

    event: dict[str, Any] = {
        "fn": run,
        "inputs": {given, truth, folders, labels, choice, own, none, page.model, k},
        "outputs": [widget for name, widget in shown_in.items() if name not in ("k", "mark")],
        "show_progress_on": [status],
        "api_visibility": "private",
        **LONG,
    }
    wire(JOBS, go, stop, status=status, event=event)
    shipped.click(_shipped, None, [given, labels], api_visibility="private")
    shown_in["rows"].select(_picked, [shown_in["rows"], given], [chosen, picked, sending], **CHOICE)
    _wire_filters(shown_in)
    page.exchange.accept("many", [given, labels], _added, after=event)
    page.first.show("many", event, {given: lambda: _shipped()[0], labels: lambda: _shipped()[1]}, mark=shown_in["mark"])


def _wire_filters(widgets: dict[str, Any]) -> None:
    @handler
    def filtered(last: BatchResult | None, shown: int, answer: str, chance: float, kind: str) -> tuple[Any, Any, Any]:
        return view(last, shown, label=answer, at_least=chance, only=kind)

    filters = [widgets[name] for name in ("kept", "k", "label", "at_least", "only")]
    changes = [widgets["k"].release, *(widgets[name].input for name in ("label", "at_least", "only"))]
    gr.on(changes, filtered, filters, [widgets[name] for name in ("rows", "csv", "json")], **ALWAYS_LAST, **LIGHT)


@handler
def _picked(rows: list[list[Any]], given: list[str] | None, event: gr.SelectData) -> tuple[Any, ...]:
    name = str(rows[event.index[0]][0])
    return _image_of(given or [], name), f"Selected: {literal(name)}", gr.update(visible=True)


def _shipped() -> tuple[list[str], str]:
    return shipped_files(), ", ".join(dict.fromkeys(row.answer for row in SAMPLES))


def _added(image: str | None, labels: str, given: list[str] | None, _: str) -> list[Any]:
    """Add an image that was sent to those that are there."""
    paths = [str(one) for one in given or []]
    more = [*paths, image] if image and image not in paths else paths
    return [more or gr.skip(), labels or gr.skip()]
