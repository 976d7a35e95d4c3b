"""The report of an evaluation: the audit `accuracy` on the same images, as files, and as runs in the Audits view."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.evaluate.data import of_classes, ways_of
from apps.shared.audit_jobs import run_jobs
from apps.shared.events import LIGHT, LONG, handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.run_downloads import RunFiles, run_files
from apps.shared.upload_folders import folder_beside_uploads, shown
from apps.shared.visitor_runs import RunList
from audits.datasets.unpacked import write_labelled
from audits.run_directory.reader import Run
from audits.running.evaluating import accuracy_jobs
from audits.running.jobs import AuditJob
from workbench.errors import BadInput
from workbench.probes.evaluation import Ways
from workbench.probes.table import EmbeddedImages
from workbench.scheduler import CancelToken

IDLE = "Evaluate first: the report is about the same models, images and test images."
NOTE = "A report for keeping, comparing and gating. The same runs are open under Audits: Report, Compare runs, Gate."
NO_TEXTS = "The report asks by the classes' names; none of these models has a text tower."
JOBS = Jobs("audit", stopped="Stopped; no report was written.")


def build(page: Page, known: gr.State, options: dict[str, Any]) -> None:
    """Lay out the part: `options` are the widgets of classes, shots, seeds and the random seed."""
    with gr.Row():
        go = gr.Button("Write a report", size="sm", visible=False, elem_id="evaluate-report")
        stop = gr.Button("Stop", variant="stop", size="sm", visible=False)
    known.change(lambda measured: gr.update(visible=measured is not None), known, go, **LIGHT)
    status = gr.Markdown(elem_classes=["notes", "live"], elem_id="evaluate-report-status")
    with gr.Row():
        files = [
            gr.DownloadButton(title, size="sm", visible=False, elem_id=f"evaluate-report-{key}")
            for key, title in (("html", "Report (HTML)"), ("pdf", "Report (PDF)"), ("zip", "Runs and card (zip)"))
        ]

    def steps(typed: dict[Any, Any], visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        ways = ways_of(*(typed[options[name]] for name in ("shots", "seeds", "seed")))
        embedded = typed[known]
        jobs = report_jobs(embedded and of_classes(embedded, typed[options["classes"]]), ways)
        kept: RunList = typed[page.runs].opened()
        yield {status: "Starting …", stop: gr.update(visible=True), **{one: gr.update(visible=False) for one in files}}
        done: list[Run] = []
        failed = []
        running = run_jobs(page.engine, jobs, Path(kept.folder), owner=visitor, token=token, own_images=True)
        for step in throttle(running, passes=lambda step: step.run is not None or bool(step.error)):
            if step.run is not None:
                kept, done = kept.added(step.run), [*done, Run(step.run)]
            elif step.error:
                failed.append(literal(step.line))
            yield {status: literal(step.line), page.runs: kept}
        if not done:
            raise BadInput("; ".join(failed))
        yield {status: "Writing the report …", stop: gr.update(visible=False)}
        written = run_files(done, pdf=True)
        paths = (written.page, written.pdf, written.packed)
        ready = [gr.update(value=str(path), visible=True) if path else gr.update(visible=False) for path in paths]
        yield {status: summary(done, failed, written), **dict(zip(files, ready, strict=True))}

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)
        stopped = {status: JOBS.stopped, stop: gr.update(visible=False)}
        yield from JOBS.run(visitor, lambda token: steps(typed, visitor, token), stopped=stopped)

    event = {
        "fn": run, "inputs": {known, page.runs, *options.values()}, "outputs": [status, *files, stop, page.runs],
        "api_visibility": "private", "show_progress": "hidden", **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)


def report_jobs(embedded: EmbeddedImages | None, ways: Ways) -> list[AuditJob]:
    """Return one audit for each model that has a text tower, on the images as they were evaluated.

    Raises:
        BadInput: nothing was evaluated, or no model has a text tower.
    """
    if embedded is None or not embedded.made:
        raise BadInput(IDLE)
    keys = [key for key in embedded.made if key in embedded.texts]
    if not keys:
        raise BadInput(NO_TEXTS)
    table = write_labelled(embedded.images, folder_beside_uploads("evaluate-report-"))
    return accuracy_jobs(keys, f"csv:{shown(table)}", ways, options={})


def summary(done: list[Run], failed: list[str], files: RunFiles) -> str:
    """Say what was written, as Markdown."""
    images = done[0].header.dataset.n
    lines = [f"**{len(done)} model{'s' if len(done) > 1 else ''}, {images} images.** {NOTE}", *failed]
    if files.no_pdf:
        lines.append(literal(files.no_pdf))
    return "\n\n".join(lines)
