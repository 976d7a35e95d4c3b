"""Few-shot methods that start from the classes' sentences, WiSE-FT, and what adapting does to images from elsewhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from apps.evaluate import adapter_figures as figures
from apps.shared.events import LONG, handler, owner
from apps.shared.folder_box import folder_box
from apps.shared.jobs import Jobs, wire
from apps.shared.labelled_images import from_folder
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.percentages import as_points, percent
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.widgets import COLLAPSED, table
from workbench.errors import BadInput
from workbench.places import write_whole
from workbench.probes.adaptation import AdaptationPlan
from workbench.probes.adapters.methods import METHODS, find
from workbench.probes.adapting import Adaptation, adaptations, embed_shifts, planes
from workbench.probes.equivalent import worth
from workbench.probes.evaluation import ZERO_SHOT
from workbench.probes.labelled import TEST
from workbench.probes.robustness import Plane
from workbench.probes.shifts import ShiftedFeatures, shifted
from workbench.probes.table import EmbeddedImages
from workbench.progress import Progress
from workbench.scheduler import CancelToken

IDLE = "Evaluate first; then compare ways to add a few labelled images to what a model knows by name."
TITLES = {ZERO_SHOT: "Zero-shot", **{method.key: method.title for method in METHODS}}
EXPLAINED = """
All methods see the same drawings of labelled images; settings are chosen on at most four other images a class, never
on test images. Intervals cover drawings and test images. **WiSE-FT** averages the weights of zero-shot and of the probe
from text; the whole curve is shown. **Images from elsewhere** are another folder with the same class names: nothing is
fitted on them. **Effective robustness** is the accuracy there above the line that probes of images alone form (Taori
et al. 2020).

""" + " ".join(method.note for method in METHODS if method.note)
JOBS = Jobs("evaluate")


def build(page: Page, known: gr.State, options: dict[str, Any]) -> None:
    """Lay out the part, in an accordion below the table.

    Args:
        page: of the view.
        known: `EmbeddedImages` or None.
        options: the widgets `shots`, `seeds` and `seed` of the view.
    """
    with gr.Tab("Few shots: methods, WiSE-FT and robustness", elem_id="adapters", render_children=True):
        gr.Markdown(EXPLAINED, elem_classes="notes")
        methods = gr.CheckboxGroup(
            [(method.title, method.key) for method in METHODS], value=[method.key for method in METHODS],
            label="Methods", info="At the numbers of shots chosen above.", elem_id="adapters-methods",
        )  # fmt: skip
        folder = folder_box("Images from elsewhere (optional)", elem_id="adapters-folder")
        with gr.Row():
            go = gr.Button("Compare methods", variant="primary", elem_id="adapters-go")
            stop = gr.Button("Stop", variant="stop")
        status = gr.Markdown(IDLE, elem_classes="live", elem_id="adapters-status")
        charts = [
            gr.Plot(label=label, visible=COLLAPSED, elem_id=f"adapters-chart-{number}")
            for number, label in enumerate(("Accuracy by shots", "WiSE-FT", "Effective robustness"))
        ]
        results = table(_headers(()), "Methods", elem_id="adapters-table", visible=COLLAPSED)
        download = gr.DownloadButton("Download CSV", visible=False, elem_id="adapters-csv")
    outputs = [status, *charts, results, download]

    def steps(typed: dict[Any, Any], visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        embedded: EmbeddedImages | None = typed[known]
        if embedded is None or not embedded.made:
            raise BadInput(IDLE)
        plan = _plan(typed[methods], *(typed[options[name]] for name in ("shots", "seeds", "seed")))
        shifts: dict[str, tuple[ShiftedFeatures, ...]] = {}
        if typed[folder]:
            there = shifted(from_folder(typed[folder]), embedded.images, name="elsewhere")
            for step in embed_shifts(
                page.engine, list(embedded.made), [there], owner=visitor, token=token, deadline=JOBS.seconds
            ):
                if isinstance(step, Progress):
                    yield {status: f"{step.stage}: {step.line} …"}
                else:
                    shifts = step
        done: dict[str, Adaptation] = {}
        for result in adaptations(embedded, plan, shifts):
            done[result.model] = result
            last = result.rows[-1]
            titled = _titled(embedded, done)
            yield {
                status: f"{TITLES[last.method]}, {last.shots} shots …",
                charts[0]: gr.update(value=figures.shots_figure(titled), visible=True),
                results: gr.update(value=rows(titled, []), headers=_headers(titled), visible=True),
            }
        titled = _titled(embedded, done)
        drawn = planes(titled, seed=plan.seed)
        yield {
            status: summary(titled),
            charts[1]: gr.update(value=figures.mixes_figure(titled), visible=any(one.mixes for one in titled)),
            charts[2]: gr.update(value=figures.plane_figure(drawn[0]) if drawn else None, visible=bool(drawn)),
            results: gr.update(value=rows(titled, drawn), headers=_headers(titled)),
            download: gr.update(value=str(_file(titled, drawn)), visible=True),
        }

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)
        yield from JOBS.run(visitor, lambda token: steps(typed, visitor, token), stopped={status: JOBS.stopped})

    event = {
        "fn": run, "inputs": {known, methods, folder, *options.values()}, "outputs": outputs,
        "api_visibility": "private", "show_progress": "hidden", **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)


def summary(results: Sequence[Adaptation]) -> str:
    """Say which method is best at the most shots, beside zero-shot, and how many shots zero-shot is worth."""
    lines = []
    for result in results:
        most = max(row.shots for row in result.rows)
        last = [row for row in result.rows if row.shots == most]
        best = max(last, key=lambda row: row.accuracy().value or 0)
        text = (
            f"**{literal(result.model)}**: {TITLES[best.method]} is highest at {most} shots, {percent(best.accuracy())}"
        )
        zero = next((row for row in result.rows if row.method == ZERO_SHOT), None)
        lines.append(f"{text}; zero-shot {percent(zero.accuracy())}." if zero and most else f"{text}.")
        for interval in result.equivalent.values():
            lines.append(f"Labelled images a class that zero-shot is worth: {worth(interval, result.most)}.")
    return " ".join(lines)


def rows(results: Sequence[Adaptation], drawn: Sequence[Plane]) -> list[list[str]]:
    """Return one row for each model, method and number of shots, WiSE-FT's mixes last."""
    effective = {
        (plane.shift, point.model, point.method, point.shots): point.effective
        for plane in drawn
        for point in plane.points
    }
    lines = []
    for result in results:
        names = list(result.rows[0].base)
        for row in result.rows:
            cells = []
            for name in names:
                above = effective.get((name, result.model, row.method, row.shots))
                cells += [percent(row.accuracy(name)), as_points(above) if above else ""]
            lines.append(
                [
                    result.model,
                    TITLES[row.method],
                    str(row.shots),
                    percent(row.accuracy()),
                    *cells,
                    f"{row.seconds:.2f}",
                ]
            )
        for mix, row in result.mixes.items():
            cells = [cell for name in names for cell in (percent(row.accuracy(name)), "")]
            lines.append([result.model, f"WiSE-FT, mix {mix:.1f}", str(row.shots), percent(row.accuracy()), *cells, ""])
    return lines


def as_csv(results: Sequence[Adaptation], drawn: Sequence[Plane]) -> bytes:
    """Return the rows with their header."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(_headers(results))
    out.writerows(rows(results, drawn))
    return text.getvalue().encode()


def _headers(results: Sequence[Adaptation]) -> list[str]:
    names = list(results[0].rows[0].base) if results else []
    shifts = [cell for name in names for cell in (name, f"effective robustness, {name}")]
    return ["model", "method", "shots", TEST, *shifts, "s"]


def _titled(embedded: EmbeddedImages, done: dict[str, Adaptation]) -> list[Adaptation]:
    return [replace(one, model=embedded.rows[key].title) for key, one in done.items()]


def _plan(methods: Sequence[str], shots: Sequence[int], seeds: float, seed: float | None) -> AdaptationPlan:
    if not methods or not shots:
        raise BadInput("Choose at least one method, and at least one number of shots.")
    return AdaptationPlan(tuple(find(key) for key in methods), tuple(sorted(shots)), int(seeds), int(seed or 0))


def _file(results: Sequence[Adaptation], drawn: Sequence[Plane]) -> Path:
    path: Path = folder_beside_uploads("adapters-") / "methods.csv"
    write_whole(path, as_csv(results, drawn))
    return path
