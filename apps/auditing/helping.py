"""“What would help?”: behind a finding on bias, measure all remedies, or make a model with one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.auditing.protocols import warnings
from apps.shared.audit_jobs import run_jobs
from apps.shared.events import LONG, READING, handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import literal
from apps.shared.model_menu import choices
from apps.shared.page import Page
from apps.shared.visitor_runs import RunList
from apps.shared.widgets import table
from audits import catalogue
from audits.bias.remedied_models import AUDIT, made
from audits.run_directory.reader import Run
from audits.running.jobs import make
from workbench.errors import BadInput
from workbench.models import find
from workbench.remedies import REMEDIES
from workbench.scheduler import CancelToken

JOBS = Jobs("audit", stopped="Stopped.")
GROUPS = [("Gender", "gender"), ("Skin tone", "skin-tone")]
IDLE = (
    "Five remedies make a model with one change: it has its own name and fingerprint, and every view and audit takes "
    "it. “Measure” also tries one more label and constrained search; gain, cost and what is left stand in one table. "
    "It uses drawn people: each half is measured under remedies that were fitted to the other."
)


def offered(run: Run) -> bool:
    """Say whether a run has found bias, so that remedies are of use."""
    return run.header.spec.audit.startswith("bias/") and any(one.strength == "found" for one in run.findings)


def build(page: Page, run_list: gr.State, chosen: gr.Dropdown) -> None:
    """Lay out the part; `chosen` is the run whose report is shown."""
    engine = page.engine
    with gr.Accordion("What would help?", open=False, visible=False, elem_id="audit-help") as part:
        gr.Markdown(IDLE, elem_classes="notes")
        lines = [[one.title, one.summary] for one in REMEDIES.values()]
        table(["remedy", "what it does"], "Remedies", value=lines, elem_id="audit-remedies")
        warning = warnings([catalogue.read_protocol(AUDIT, name) for _, name in GROUPS])
        gr.Markdown(f"**Before you go on.** {literal(warning)}", elem_classes="notes")
        read = gr.Checkbox(label="I have read this and want to go on", elem_id="audit-help-read")
        with gr.Row():
            groups = gr.Radio(GROUPS, value="gender", label="Between groups by", elem_id="audit-help-groups")
            method = gr.Radio(
                [(one.title, key) for key, one in REMEDIES.items()], value="leace", label="Remedy to apply",
                elem_id="audit-help-method",
            )  # fmt: skip
        with gr.Row():
            measure = gr.Button("Measure all remedies", variant="primary", elem_id="audit-help-measure")
            apply = gr.Button("Make a model with this remedy", elem_id="audit-help-apply")
            stop = gr.Button("Stop", variant="stop", elem_id="audit-help-stop")
        status = gr.Markdown(elem_classes=["live", "notes"], elem_id="audit-help-status")

    @handler
    def offer(key: str, runs: RunList) -> Any:
        return gr.update(visible=bool(key) and offered(runs.get(key)))

    @handler
    def measured(key: str, runs: RunList, by: str, agreed: bool, request: gr.Request) -> Iterator[tuple[str, Any]]:
        if not agreed:
            raise BadInput("Read the warning and tick the box below it first.")
        job = make(AUDIT, runs.get(key).header.spec.model, None, rules=by, options={"device": engine.device})
        visitor = owner(request)

        def steps(token: CancelToken) -> Iterator[tuple[str, Any]]:
            yield "Starting …", gr.skip()
            work = run_jobs(engine, [job], Path(runs.folder), owner=visitor, token=token, own_images=False)
            for step in throttle(work, passes=lambda one: one.run is not None or bool(one.error)):
                yield step.line, runs.added(step.run) if step.run else gr.skip()

        yield from JOBS.run(visitor, steps, stopped=(JOBS.stopped, gr.skip()))

    @handler
    def applied(key: str, runs: RunList, by: str, remedy: str, request: gr.Request) -> Iterator[tuple[str, Any]]:
        model, visitor = runs.get(key).header.spec.model, owner(request)

        def steps(token: CancelToken) -> Iterator[tuple[str, Any]]:
            with engine.session(visitor, model, token=token, deadline=JOBS.seconds) as session:
                work = made(session, remedy, protocol=by)
                for step in throttle(work, passes=lambda one: isinstance(one, Path)):
                    if isinstance(step, Path):
                        spec = find(str(step))
                        menu = gr.update(choices=[*choices(), (spec.title, spec.key)], value=spec.key)
                        yield f"Every view now asks **{literal(spec.title)}**.", menu
                    else:
                        yield step.line, gr.skip()

        yield from JOBS.run(visitor, steps, stopped=(JOBS.stopped, gr.skip()))

    chosen.change(offer, [chosen, run_list], part, **READING)
    event: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", **LONG}
    for go, fn, inputs, target in (
        (measure, measured, [chosen, run_list, groups, read], run_list),
        (apply, applied, [chosen, run_list, groups, method], page.model),
    ):
        wire(JOBS, go, stop, status=status, event={"fn": fn, "inputs": inputs, "outputs": [status, target], **event})
