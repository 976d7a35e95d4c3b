"""The form: which audits, which models, which images, by which protocol; the cost; and the run with its progress."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from apps import limits
from apps.auditing import audit_request, choosing, collecting, protocols
from apps.auditing.audit_request import BUILTIN, COLLECTED, FOLDER, UPLOAD, AuditRequest
from apps.shared.audit_jobs import JobStep, run_jobs
from apps.shared.events import ASIDE, ASKS_MODEL, LONG, READING, handler, owner, when_drawn
from apps.shared.folder_box import FolderFile, folder_box
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.visitor_runs import RunList, title
from apps.shared.widgets import code, table
from audits import catalogue
from audits.run_directory.reader import Run
from audits.running.planning import Cost, costs
from workbench.checkpoints import checkpoints
from workbench.errors import BadInput
from workbench.loading import hub
from workbench.models import find
from workbench.scheduler import CancelToken

IDLE = "Choose an audit and press “Run”. With built-in images each takes some seconds to a minute on a laptop."
JOBS = Jobs("audit", stopped="Stopped. Finished work is kept: press “Run” again to go on.")
PLAN = ["audit", "model", "images", "of these cached", "texts", "seconds", "note"]
DONE = ["audit", "model", "status", "measures", "main finding"]


def model_choices(chosen: str = "") -> list[tuple[str, str]]:
    """Return the models that are on this machine, and the page's where it is an edited one."""
    here = [(spec.title, spec.key) for spec in checkpoints() if hub.presence(spec).here]
    edited = find(chosen) if chosen.startswith("folder:") else None
    return [*here, (edited.title, edited.key)] if edited else here


def about(audits: list[str]) -> str:
    """Return the question and source of the chosen audits, as Markdown."""
    rows = [catalogue.find(key) for key in dict.fromkeys(audits)]
    return "\n".join(f"- **{literal(row.title)}**: {literal(row.question)} {literal(row.source)}" for row in rows)


def protocol_view(audits: list[str], name: str) -> tuple[Any, ...]:
    """Return the protocol's widgets for the chosen audits: names, text, remark, warning, limits of use."""
    audits = list(dict.fromkeys(audits))  # a request may repeat one a thousand times
    shown = protocols.chosen_protocol(audits, name)
    use = protocols.intended_use(audits)
    every = [shown] if shown else [one for key in audits if (one := protocols.chosen_protocol([key], ""))]
    warning = protocols.warnings(every)
    names = list(catalogue.find(audits[0]).protocols) if len(audits) == 1 else []
    return (
        gr.update(choices=names, value=shown.name if shown else None, visible=shown is not None),
        gr.update(value=protocols.as_text(shown) if shown else "", visible=shown is not None),
        protocols.difference(shown, shown)
        if shown
        else "Each audit uses its first protocol. To edit it, choose one audit.",
        gr.update(value=f"**Before you go on.** {literal(warning)}", visible=bool(warning)),
        gr.update(value=False, visible=bool(warning)),
        gr.update(value=f"**Limits of use.** {use}", visible=bool(use)),
    )


def plan_rows(estimates: list[Cost]) -> list[list[str | int]]:
    """Return table rows: the cost of each job."""
    return [
        [
            one.audit,
            one.model,
            one.pictures,
            one.kept,
            one.texts,
            "?" if one.seconds is None else f"{one.seconds:.0f}",
            one.trouble or ("done already" if one.done else ""),
        ]
        for one in estimates
    ]


def job_row(step: JobStep) -> list[str | int]:
    """Return a table row: how a job ended."""
    if step.run is None:
        return [step.job.audit.key, step.job.model, "error", 0, step.error]
    run = Run(step.run)
    first = next((one.text for one in run.findings if one.strength == "found"), "")
    first = first or next((one.text for one in run.findings), "")
    return [step.job.audit.key, step.job.model, run.status, len(run.metrics), first]


def build(page: Page, run_list: gr.State, tabs: gr.Tabs) -> dict[str, Any]:
    """Lay out the view; return the event that runs what is chosen."""
    engine = page.engine
    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            whole = gr.Button("Everything in three minutes", size="sm", elem_id="audit-everything")
            groups = choosing.boxes()
            models = gr.CheckboxGroup(
                model_choices(), value=[engine.default], label="Models on this machine", elem_id="audit-models",
                info="Download others in the model menu.",
            )  # fmt: skip
        with gr.Column(scale=6, min_width=300):
            question = gr.Markdown(about([choosing.FIRST]), elem_classes="notes", elem_id="audit-question")
            use = gr.Markdown(visible=False, elem_classes=["notes", "live"], elem_id="audit-use")
            warning = gr.Markdown(visible=False, elem_classes=["notes", "live"], elem_id="audit-warning")
            read = gr.Checkbox(label="I have read this and want to go on", visible=False, elem_id="audit-read-it")
            data, folder, files, truth, collected = _data_widgets(page, tabs)
            with gr.Accordion("Protocol: labels, templates, settings", open=False):
                name = gr.Dropdown([], label="Protocol", info="As shipped.", visible=False, allow_custom_value=True)
                text = code("Protocol, editable", lines=8, max_lines=24, visible=False, elem_id="audit-protocol")
                remark = gr.Markdown(elem_classes=["notes", "live"], elem_id="audit-hash")
            with gr.Row():
                seed = gr.Number(
                    0, label="Seed", info="The same seed gives the same numbers.", precision=0, minimum=0, maximum=2**31
                )
                limit = gr.Number(
                    0, label="Maximum images", info="0 takes all; part runs are marked.", precision=0, minimum=0
                )
            with gr.Row():
                estimate = gr.Button("Cost", min_width=90, elem_id="audit-plan")
                go = gr.Button("Run", variant="primary", min_width=90, elem_id="audit-go")
                stop = gr.Button("Stop", variant="stop", min_width=90, elem_id="audit-stop")
            status = gr.Markdown(IDLE, elem_classes=["live", "notes"], elem_id="audit-status")
    cost = table(PLAN, "Estimated cost", elem_id="audit-costs", visible=False)
    rows = table(
        DONE, "Finished audits", elem_id="audit-done", visible=False, column_widths=["18%", "12%", "9%", "9%", "52%"]
    )
    form: Any = {*groups, models, data, folder, files, truth, collected, name, text, seed, limit, read, run_list}

    def requested(typed: dict[Any, Any]) -> AuditRequest:
        paths = [str(one) for one in typed[files] or []]
        return AuditRequest(
            tuple(choosing.joined([typed[one] for one in groups])),
            tuple(typed[models] or ()), typed[data], tuple(paths), typed[truth] or "",
            tuple(typed[folder] or ()), tuple(typed[collected] or ()), typed[name] or "", typed[text] or "",
            int(typed[seed] or 0), int(typed[limit] or 0), bool(typed[read]),
        )  # fmt: skip

    @handler
    def plan(typed: dict[Any, Any]) -> tuple[Any, ...]:
        jobs = audit_request.jobs(requested(typed))
        runs: RunList = typed[run_list].opened()
        here = [replace(job, device=engine.device, dtype=engine.dtype) for job in jobs]
        estimates = costs(here, Path(runs.folder))
        return "Estimated; nothing was run.", gr.update(value=plan_rows(estimates), visible=True)

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        jobs = audit_request.jobs(requested(typed))
        runs: RunList = typed[run_list].opened()
        visitor, own_images = owner(request), typed[data] != BUILTIN

        def steps(token: CancelToken) -> Iterator[tuple[Any, ...]]:
            yield "Starting …", gr.skip(), runs
            done = run_jobs(engine, jobs, Path(runs.folder), owner=visitor, token=token, own_images=own_images)
            yield from _updates(done, runs)

        yield from JOBS.run(visitor, steps, stopped=(JOBS.stopped, gr.skip(), gr.skip()))

    view = [name, text, remark, warning, read, use]
    _wire_protocol(groups, question, view)
    whole.click(lambda: [*choosing.everything(groups), choosing.BRIEF], None, [*groups, limit], **ASIDE)
    page.model.change(lambda key: gr.update(choices=model_choices(key or "")), page.model, models, **READING)
    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    queued: dict[str, Any] = {**ASKS_MODEL, **hidden}
    estimate.click(plan, form, [status, cost], **queued)
    event = {"fn": run, "inputs": form, "outputs": [status, rows, run_list], **hidden, **LONG}
    wire(JOBS, go, stop, status=status, event=event)
    return event


def _wire_protocol(groups: list[gr.CheckboxGroup], question: gr.Markdown, view: list[Any]) -> None:
    """Update the protocol's widgets with the choice of audits, and its hash with the text."""
    name, text, remark = view[:3]

    def rehash(one: str, typed: str, *chosen: list[str]) -> str:
        keys = choosing.joined(chosen)
        original = protocols.chosen_protocol(keys, one)
        if original is None:
            return ""
        try:
            return protocols.difference(original, protocols.edited(typed or "", keys[0], original))
        except BadInput as error:
            return f"**Not usable yet:** {literal(str(error))}"

    def shown(*chosen: list[str]) -> tuple[Any, ...]:
        keys = choosing.joined(chosen)
        return about(keys), *protocol_view(keys, "")

    gr.on([one.change for one in groups], shown, groups, [question, *view], **ASIDE)
    when_drawn(shown, groups, [question, *view], **ASIDE)
    name.input(lambda one, *chosen: protocol_view(choosing.joined(chosen), one), [name, *groups], view, **ASIDE)
    text.change(rehash, [name, text, *groups], remark, **READING)


def _data_widgets(page: Page, tabs: gr.Tabs) -> tuple[gr.Radio, FolderFile, gr.File, gr.File, gr.State]:
    most = limits.current().pictures
    choices = [("Built-in", BUILTIN), ("My own folder", FOLDER), ("My own images or zip", UPLOAD)]
    data = gr.Radio(
        [*choices, ("Sent from other views", COLLECTED)], value=BUILTIN, label="Images",
        info="Built-in: drawn and rendered, or from packages; for demonstration only.", elem_id="audit-data",
    )  # fmt: skip
    stay = "They stay on this machine and are deleted with the other uploads. Use images of people only if you may."
    columns = "`path,label`, and a column for each attribute (`gender`, `race`, `age`, …)"
    with gr.Column(visible=False) as whole:
        gr.Markdown(
            f"A folder whose subfolders are the labels (`cat/`, `dog/`), or one with a CSV in it: {columns}. "
            f"{most} files at most; `python -m audits run … --dataset folder:PATH` takes more. {stay}",
            elem_classes="notes",
        )
        folder = folder_box("A folder of images", elem_id="audit-folder")
    with gr.Column(visible=False) as mine:
        gr.Markdown(
            f"A zip whose folders are the labels, or images with a CSV: {columns}. {most} files at most. {stay}",
            elem_classes="notes",
        )
        files = gr.File(
            label="Images or a zip", file_count="multiple", file_types=[".png", ".jpg", ".jpeg", ".webp", ".zip"],
            height=180, elem_id="audit-files",
        )  # fmt: skip
        truth = gr.File(label="Their labels (CSV)", file_types=[".csv"], height=120, elem_id="audit-truth")
    with gr.Column(visible=False) as received:
        collected = collecting.build(page, data, tabs)
    data.change(
        lambda kind: [gr.update(visible=kind == one) for one in (FOLDER, UPLOAD, COLLECTED)],
        data, [whole, mine, received], **ASIDE,
    )  # fmt: skip
    return data, folder, files, truth, collected


def _updates(steps: Iterator[JobStep], runs: RunList) -> Iterator[tuple[Any, ...]]:
    """Turn steps into what the widgets show: status, the table of finished audits, and the run list."""
    lines = []
    for step in throttle(steps, passes=lambda step: step.run is not None or bool(step.error)):
        if step.run is None and not step.error:
            yield step.line, gr.skip(), runs
            continue
        lines.append(job_row(step))
        runs = runs.added(step.run) if step.run else runs
        yield step.line, gr.update(value=lines, visible=True), runs
    yield _ended(lines, runs), gr.skip(), runs


def _ended(lines: list[list[str | int]], runs: RunList) -> str:
    failed = sum(line[2] == "error" for line in lines)
    well = len(lines) - failed
    newest = literal(title(Run(Path(runs.runs[0])))) if runs.runs and well else ""
    text = f"**{well} of {len(lines)}** done." + (f" {failed} failed; their rows say why." if failed else "")
    return text + (f" Open “Report” to read it: {newest}." if newest else "")
