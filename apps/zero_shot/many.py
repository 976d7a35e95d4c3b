"""Many pictures: files or a zip become a table of answers; given true labels, an evaluation.

Knows the view; reading, classifying and scoring stand in `workbench.batch`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from apps import limits
from apps._handler import LIGHT, LONG, handler, owner
from apps._model_menu import model_menu
from apps._run_and_stop import Runs, wire
from apps._uploads import folder_beside_uploads
from apps._widgets import labels_box, literal, table, template_choice
from apps.zero_shot.evaluation import class_rows, confusion_figure, confusion_rows, scored, seen, truth_of
from apps.zero_shot.question import numbers, provenance, read_setup
from workbench.batch.export import to_json, write_csv, write_json
from workbench.batch.run import Row, classify_samples
from workbench.batch.table import RowFilter, cells, headers, select
from workbench.batch.truth import evaluate
from workbench.datasets.uploads import read_uploads
from workbench.engine import Engine
from workbench.errors import WorkbenchError
from workbench.labels import NONE_OF_THESE
from workbench.pictures import SAMPLES, sample_path
from workbench.reproduce import Setup
from workbench.scheduler import CancelToken

_IDLE = "Choose pictures or a zip, type labels, press “Name them all”."
_ANY = "any"


@dataclass(frozen=True)
class Kept:
    """What the last run left, for filters and downloads."""

    rows: tuple[Row, ...]
    setup: Setup
    truth: dict[str, str]
    model: str  # fingerprint


def summary(rows: tuple[Row, ...], ignored: tuple[str, ...]) -> str:
    """Say how many pictures were named, failed, or were no pictures."""
    failed = sum(bool(row.error) for row in rows)
    said = f"**{len(rows) - failed} of {len(rows)}** pictures named."
    if failed:
        said += f" {failed} could not be read; their rows say why."
    if ignored:
        names = ", ".join(literal(name[:60]) for name in ignored[:5])
        said += f" {len(ignored)} other file(s) of the zip left alone: {names}{' …' if len(ignored) > 5 else ''}."
    return said


def files(kept: Kept, wanted: RowFilter, k: int) -> tuple[str, str]:
    """Write both downloads; CSV holds the table as filtered, JSON everything. Return their paths."""
    folder = folder_beside_uploads("many-")
    with_model = [*headers(k, truth=bool(kept.truth)), "model"]
    lines = cells(select(kept.rows, wanted, kept.truth), k, kept.truth, digits=None)
    write_csv(folder / "answers.csv", with_model, [[*line, kept.setup.model] for line in lines])
    told = {"model": kept.setup.model, "fingerprint": kept.model, "templates": list(kept.setup.prompts)}
    write_json(folder / "answers.json", {**told, "results": to_json(kept.rows, kept.truth)})
    return str(folder / "answers.csv"), str(folder / "answers.json")


def view(kept: Kept | None, k: int, *, label: str, at_least: float, only: str) -> tuple[Any, Any, Any]:
    """Return the filtered table and both downloads; nothing before the first run."""
    if kept is None:
        return gr.skip(), gr.skip(), gr.skip()
    wanted = RowFilter("" if label in (None, _ANY) else label, float(at_least), only == "failed", only == "wrong")
    lines = cells(select(kept.rows, wanted, kept.truth), int(k), kept.truth)
    shown = gr.update(value=lines, headers=headers(int(k), truth=bool(kept.truth)))
    csv_file, json_file = files(kept, wanted, int(k))
    return shown, gr.update(value=csv_file, interactive=True), gr.update(value=json_file, interactive=True)


def evaluated(kept: Kept) -> tuple[Any, ...]:
    """Return what the evaluation's widgets take: sentence, classes, matrix as table and figure."""
    labels = [*kept.setup.labels, *([NONE_OF_THESE] if kept.setup.none_of_these else [])]
    found = evaluate(kept.rows, kept.truth, labels)
    matrix = gr.update(value=confusion_rows(found), headers=["true label", *seen(found)])
    return scored(found), class_rows(found), matrix, confusion_figure(found)


def finish(whole: Kept, k: int, *, csv_file: str | None, folders: bool) -> Iterator[dict[str, Any]]:
    """Show the answers first, so that unusable true labels cost nothing but themselves; widget name -> value."""
    yield {
        **{"at_least": 0, "only": "all", "score": "", "classes": [], "matrix": [], "chart": None, "kept": whole},
        "label": gr.update(choices=[_ANY, *whole.setup.labels], value=_ANY),
        **_answers(whole, k),
    }
    try:
        truth, remark = truth_of(whole.rows, csv_file, folders)
        if not truth:
            return
        whole = replace(whole, truth=truth)
        score, classes, matrix, chart = evaluated(whole)
    except WorkbenchError as error:
        yield {"score": f"Not evaluated: {literal(str(error))}"}
        return
    scores = {"score": score + remark, "classes": classes, "matrix": matrix, "chart": chart}
    yield {**_answers(whole, k), **scores, "kept": whole}


def _answers(kept: Kept, k: int) -> dict[str, Any]:
    return dict(zip(("rows", "csv", "json"), view(kept, k, label=_ANY, at_least=0, only="all"), strict=True))


def _results() -> dict[str, Any]:
    """Lay out the right-hand column; return its widgets by name."""
    says = gr.Markdown(_IDLE, elem_classes=["verdict", "live"], elem_id="many-says")
    with gr.Row():
        k = gr.Slider(1, 10, value=3, step=1, label="Likeliest labels shown")
        at_least = gr.Slider(0, 1, value=0, step=0.01, label="Probability at least")
    with gr.Row():
        label = gr.Dropdown([_ANY], value=_ANY, label="Answer is")
        only = gr.Radio([("all", "all"), ("failed", "failed"), ("wrong", "wrong")], value="all", label="Rows")
    rows = table(headers(3, truth=False), "Answers", elem_id="many-table")
    with gr.Row():
        csv_button = gr.DownloadButton("CSV: the table as shown", interactive=False, elem_id="many-csv")
        json_button = gr.DownloadButton("JSON: everything", interactive=False, elem_id="many-json")
    score = gr.Markdown(elem_classes="live", elem_id="many-score")
    with gr.Accordion("Evaluation against true labels", open=False):
        classes = table(["true label", "pictures", "share right", "low", "high"], "Each true label")
        matrix = table(["true label"], "Confusion: true label in rows, answer in columns")
        chart = gr.Plot(label="Confusion", elem_id="many-confusion")
    whose = gr.Markdown(elem_classes="provenance")
    answers = {"says": says, "k": k, "at_least": at_least, "label": label, "only": only, "rows": rows}
    files = {"csv": csv_button, "json": json_button}
    return {**answers, **files, "score": score, "classes": classes, "matrix": matrix, "chart": chart, "whose": whose}


def build(engine: Engine) -> None:
    """Lay out the view."""
    bounds = limits.current()
    kept, runs = gr.State(None), Runs("Stopped.")
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            given = gr.File(
                label=f"Pictures (up to {bounds.pictures}), or one zip",
                file_count="multiple",
                file_types=[".png", ".jpg", ".jpeg", ".webp", ".zip"],
                height=180,
                elem_id="many-files",
            )
            shipped = gr.Button("Try with the shipped pictures", elem_id="many-shipped")
            labels = labels_box("cat, dog, coffee cup, rocket, bicycle", elem_id="many-labels")
            with gr.Row():
                go = gr.Button("Name them all", variant="primary", elem_id="many-go")
                stop = gr.Button("Stop", variant="stop", elem_id="many-stop")
        with gr.Column(elem_classes="answer"):
            shown_in = {"kept": kept, **_results()}
        with gr.Column(elem_classes="more"):
            with gr.Accordion("True labels (optional)", open=False):
                told = gr.File(
                    label="CSV with the columns file and label", file_types=[".csv"], height=120, elem_id="many-truth"
                )
                folders = gr.Checkbox(label="The zip's folder names are the true labels")
            choice, own = template_choice()
            none = gr.Checkbox(label="Add “none of these”", info="An unspecific background competes as well.")
            model = model_menu(engine)
    says, whose, k = (shown_in[name] for name in ("says", "whose", "k"))

    def screens(typed: dict[Any, Any], setup: Setup, visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        began = time.perf_counter()
        found: tuple[Row, ...] = ()
        uploads = read_uploads(typed[given] or [], limit=bounds.pictures)
        with engine.session(visitor, setup.model, token=token, deadline=bounds.job_seconds) as session:
            for step in classify_samples(
                session, uploads.samples, setup.labels, templates=setup.prompts, none_of_these=setup.none_of_these
            ):
                found += step.rows
                yield {says: f"{step.done} of {step.total} …", kept: None}
            whole = Kept(found, setup, {}, session.fingerprint)
            line = provenance(session, " on ".join(numbers(engine)), time.perf_counter() - began)
        yield {says: summary(found, uploads.ignored), whose: line}
        for changed in finish(whole, typed[k], csv_file=typed[told], folders=typed[folders]):
            yield {shown_in[name]: value for name, value in changed.items()}

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        words = [typed[widget] for widget in (labels, choice, own)]
        setup = read_setup(*words, none_of_these=typed[none], model=typed[model])
        visitor = owner(request)
        yield from runs.newest(visitor, lambda token: screens(typed, setup, visitor, token), stopped={says: "Stopped."})

    @handler
    def filtered(last: Kept | None, shown: int, answer: str, chance: float, kind: str) -> tuple[Any, Any, Any]:
        return view(last, shown, label=answer, at_least=chance, only=kind)

    @handler
    def take() -> tuple[list[str], str]:
        return [str(sample_path(row.key)) for row in SAMPLES], ", ".join(dict.fromkeys(row.answer for row in SAMPLES))

    inputs: set[Any] = {given, told, folders, labels, choice, own, none, model, k}
    outputs = [widget for name, widget in shown_in.items() if name != "k"]
    event: dict[str, Any] = {"fn": run, "inputs": inputs, "outputs": outputs, "show_progress_on": [says]}
    event |= {"api_name": "many", **LONG}
    wire(runs, go, stop, says=says, event=event)
    shipped.click(take, None, [given, labels], api_visibility="private")
    filters = [kept, *(shown_in[name] for name in ("k", "label", "at_least", "only"))]
    changes = [k.release, *(shown_in[name].input for name in ("label", "at_least", "only"))]
    table_and_files = [shown_in[name] for name in ("rows", "csv", "json")]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", **LIGHT}
    gr.on(changes, filtered, filters, table_and_files, **quiet)
