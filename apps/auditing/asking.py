"""Ask: which audits, which models, which pictures, by which protocol; what it costs; and the run with its progress.

Knows the form; what it stands for is read in `audit_request`, and done in `running`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gradio as gr

from apps import limits
from apps._folder_box import FolderFile, folder_box
from apps._handler import LONG, MODEL_LIMIT, MODEL_QUEUE, READING, handler, owner
from apps._run_and_stop import Runs, wire
from apps._widgets import literal, table
from apps.auditing import audit_request, rules
from apps.auditing.audit_request import BUILTIN, FOLDER, UPLOAD, AuditRequest
from apps.auditing.run_list import RunList, title
from apps.auditing.running import Step, carry_out
from audits import catalogue
from audits.run_directory.reader import Run
from audits.running.planning import Cost, costs
from workbench.checkpoints import CHECKPOINTS
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.loading import hub
from workbench.scheduler import CancelToken

IDLE = "Choose an audit and press “Run”. With built-in pictures each takes some seconds to a minute on a laptop."
STOPPED = "Stopped. What is done is kept: press “Run” again to go on."
PLAN = ["audit", "model", "pictures", "of these known", "texts", "seconds", "note"]
DONE = ["audit", "model", "status", "measures", "what stands out"]


def audit_choices() -> list[tuple[str, str]]:
    """Return the menu of audits; what each asks is told beside it."""
    return [(row.title, row.key) for row in catalogue.AUDITS]


def model_choices() -> list[tuple[str, str]]:
    """Return the models that are on this machine; others can be fetched in the zero-shot tab."""
    return [(spec.title, spec.key) for spec in CHECKPOINTS if hub.presence(spec).here]


def about(audits: list[str]) -> str:
    """Return what the chosen audits ask and where they come from, as Markdown."""
    rows = [catalogue.find(key) for key in dict.fromkeys(audits)]
    return "\n".join(f"- **{literal(row.title)}**: {literal(row.question)} {literal(row.source)}" for row in rows)


def protocol_view(audits: list[str], name: str) -> tuple[Any, ...]:
    """Return what the protocol's widgets show for the chosen audits: names, text, remark, warning, limits of use."""
    audits = list(dict.fromkeys(audits))  # a request may repeat one a thousand times
    shown = rules.chosen_protocol(audits, name)
    use = rules.intended_use(audits)
    every = [shown] if shown else [one for key in audits if (one := rules.chosen_protocol([key], ""))]
    warning = rules.warnings(every)
    names = list(catalogue.find(audits[0]).protocols) if len(audits) == 1 else []
    return (
        gr.update(choices=names, value=shown.name if shown else None, visible=shown is not None),
        gr.update(value=rules.as_text(shown) if shown else "", visible=shown is not None),
        rules.difference(shown, shown) if shown else "Each audit runs by its first protocol; choose one to edit it.",
        gr.update(value=f"**Before you go on.** {literal(warning)}", visible=bool(warning)),
        gr.update(value=False, visible=bool(warning)),
        gr.update(value=f"**Limits of use.** {use}", visible=bool(use)),
    )


def plan_rows(found: list[Cost]) -> list[list[str | int]]:
    """Return table rows: what each job would cost."""
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
        for one in found
    ]


def done_row(step: Step) -> list[str | int]:
    """Return a table row: how a job ended."""
    if step.run is None:
        return [step.job.audit.key, step.job.model, "error", 0, step.error]
    run = Run(step.run)
    first = next((one.text for one in run.findings if one.strength == "found"), "")
    first = first or next((one.text for one in run.findings), "")
    return [step.job.audit.key, step.job.model, run.status, len(run.metrics), first]


def build(engine: Engine, run_list: gr.State) -> None:
    """Lay out the view."""
    first, runs = [catalogue.AUDITS[0].key], Runs(STOPPED)
    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            audits = gr.CheckboxGroup(audit_choices(), value=first, label="Audits", elem_id="audit-which")
            models = gr.CheckboxGroup(
                model_choices(), value=[engine.default], label="Models on this machine", elem_id="audit-models",
                info="Others are fetched in the model menu of the zero-shot tab.",
            )  # fmt: skip
        with gr.Column(scale=6, min_width=300):
            told = gr.Markdown(about(first), elem_classes="notes", elem_id="audit-told")
            use = gr.Markdown(visible=False, elem_classes=["notes", "live"], elem_id="audit-use")
            warning = gr.Markdown(visible=False, elem_classes=["notes", "live"], elem_id="audit-warning")
            read = gr.Checkbox(label="I have read this and want to go on", visible=False, elem_id="audit-read-it")
            data, folder, files, truth = _data_widgets()
            with gr.Accordion("Protocol: labels, templates, settings", open=False):
                # a quick hand may be ahead of the list of choices; what is no protocol is read as the first one
                name = gr.Dropdown([], label="Protocol", info="As shipped.", visible=False, allow_custom_value=True)
                text = gr.Code(language="yaml", label="Protocol, editable", lines=8, max_lines=24, visible=False)
                remark = gr.Markdown(elem_classes=["notes", "live"], elem_id="audit-hash")
            with gr.Row():
                seed = gr.Number(
                    0, label="Seed", info="The same seed, the same numbers.", precision=0, minimum=0, maximum=2**31
                )
                limit = gr.Number(
                    0, label="Pictures at most", info="0 takes all; a part is marked as such.", precision=0, minimum=0
                )
            with gr.Row():
                estimate = gr.Button("Cost", min_width=90, elem_id="audit-plan")
                go = gr.Button("Run", variant="primary", min_width=90, elem_id="audit-go")
                stop = gr.Button("Stop", variant="stop", min_width=90, elem_id="audit-stop")
            status = gr.Markdown(IDLE, elem_classes=["live", "notes"], elem_id="audit-status")
    cost = table(PLAN, "What it would cost", elem_id="audit-costs", visible=False)
    rows = table(
        DONE, "What was run", elem_id="audit-done", visible=False, column_widths=["18%", "12%", "9%", "9%", "52%"]
    )
    form: Any = {audits, models, data, folder, files, truth, name, text, seed, limit, read, run_list}

    def requested(typed: dict[Any, Any]) -> AuditRequest:
        paths = [str(one) for one in typed[files] or []]
        return AuditRequest(
            tuple(typed[audits] or ()), tuple(typed[models] or ()), typed[data], tuple(paths), typed[truth] or "",
            tuple(typed[folder] or ()), typed[name] or "", typed[text] or "",
            int(typed[seed] or 0), int(typed[limit] or 0), bool(typed[read]),
        )  # fmt: skip

    @handler
    def plan(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        jobs = audit_request.jobs(requested(typed))
        kept: RunList = typed[run_list].opened()
        with ExitStack() as stack:
            keys = {job.model for job in jobs}
            open_ = {key: stack.enter_context(engine.session(owner(request), key)) for key in sorted(keys)}
            found = costs(jobs, Path(kept.folder), models=open_)
        return "Nothing was run.", gr.update(value=plan_rows(found), visible=True)

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        jobs = audit_request.jobs(requested(typed))
        kept: RunList = typed[run_list].opened()
        visitor, own = owner(request), typed[data] != BUILTIN

        def steps(token: CancelToken) -> Iterator[tuple[Any, ...]]:
            yield "Beginning …", gr.skip(), kept
            done = carry_out(engine, jobs, Path(kept.folder), owner=visitor, token=token, own_pictures=own)
            yield from _screens(done, kept)

        yield from runs.newest(visitor, steps, stopped=(runs.stopped, gr.skip(), gr.skip()))

    view = [name, text, remark, warning, read, use]
    _wire_protocol(audits, told, view)
    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    queued: dict[str, Any] = {"concurrency_id": MODEL_QUEUE, "concurrency_limit": MODEL_LIMIT, **hidden}
    estimate.click(plan, form, [status, cost], **queued)
    event = {"fn": run, "inputs": form, "outputs": [status, rows, run_list], **hidden, **LONG}
    wire(runs, go, stop, says=status, event=event)


def _wire_protocol(audits: gr.CheckboxGroup, told: gr.Markdown, view: list[Any]) -> None:
    """Let the protocol's widgets follow the choice of audits, and its hash follow the text."""
    name, text, remark = view[:3]

    def rehash(keys: list[str], one: str, typed: str) -> str:
        original = rules.chosen_protocol(keys, one)
        if original is None:
            return ""
        try:
            return rules.difference(original, rules.edited(typed or "", keys[0], original))
        except BadInput as error:
            return f"**Not usable yet:** {literal(str(error))}"

    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
    audits.change(
        lambda keys: (about(keys), *protocol_view(keys, "")),
        audits,
        [told, *view],
        trigger_mode="always_last",
        **hidden,
    )
    name.input(protocol_view, [audits, name], view, **hidden)
    gr.on(None, lambda keys: protocol_view(keys, ""), audits, view, **hidden)
    queued = {**hidden, "queue": True, **READING}
    text.change(rehash, [audits, name, text], remark, trigger_mode="always_last", **queued)


def _data_widgets() -> tuple[gr.Radio, FolderFile, gr.File, gr.File]:
    most = limits.current().pictures
    data = gr.Radio(
        [("Built-in", BUILTIN), ("My own folder", FOLDER), ("My own pictures or zip", UPLOAD)], value=BUILTIN,
        label="Pictures", info="Built-in: drawn and rendered, or from packages; they show the method, not the world.",
        elem_id="audit-data",
    )  # fmt: skip
    stay = "They stay on this machine and are deleted with the other uploads. Use pictures of people only if you may."
    columns = "`path,label`, and a column for each attribute (`gender`, `race`, `age`, …)"
    with gr.Column(visible=False) as whole:
        gr.Markdown(
            f"A folder whose folders are the labels (`cat/`, `dog/`), or one with a CSV in it: {columns}. "
            f"{most} files at most; `python -m audits run … --dataset folder:PATH` takes more. {stay}",
            elem_classes="notes",
        )
        folder = folder_box("A folder of pictures", elem_id="audit-folder")
    with gr.Column(visible=False) as mine:
        gr.Markdown(
            f"A zip whose folders are the labels, or pictures with a CSV: {columns}. {most} files at most. {stay}",
            elem_classes="notes",
        )
        files = gr.File(
            label="Pictures or a zip", file_count="multiple", file_types=[".png", ".jpg", ".jpeg", ".webp", ".zip"],
            height=180, elem_id="audit-files",
        )  # fmt: skip
        truth = gr.File(label="What they show (CSV)", file_types=[".csv"], height=120, elem_id="audit-truth")
    data.change(
        lambda kind: (gr.update(visible=kind == FOLDER), gr.update(visible=kind == UPLOAD)),
        data, [whole, mine], queue=False, show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    return data, folder, files, truth


def _screens(steps: Iterator[Step], kept: RunList) -> Iterator[tuple[Any, ...]]:
    """Turn steps into what the widgets show: words, the table of what is done, and the run_list."""
    lines = []
    for step in steps:
        if step.run is None and not step.error:
            yield step.said, gr.skip(), kept
            continue
        lines.append(done_row(step))
        kept = kept.added(step.run) if step.run else kept
        yield step.said, gr.update(value=lines, visible=True), kept
    yield _ended(lines, kept), gr.skip(), kept


def _ended(lines: list[list[str | int]], kept: RunList) -> str:
    failed = sum(line[2] == "error" for line in lines)
    well = len(lines) - failed
    newest = literal(title(Run(Path(kept.runs[0])))) if kept.runs and well else ""
    said = f"**{well} of {len(lines)}** done." + (f" {failed} failed; their rows say why." if failed else "")
    return said + (f" Read the report under “Read”: {newest}." if newest else "")
