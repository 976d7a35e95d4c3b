"""Defences: apply one, so that every view asks the defended model; and measure them all in one table."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.shared.events import LIGHT, LONG, handler, owner
from apps.shared.folder_box import folder_box
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import literal
from apps.shared.model_menu import choices
from apps.shared.percentages import percent
from apps.shared.widgets import COLLAPSED, table
from apps.typographic.own_images import images_to_measure
from audits.typographic.drawings import lesson_images
from workbench.engine import Engine
from workbench.errors import Unsupported
from workbench.labels import parse_labels
from workbench.models import find
from workbench.progress import Progress
from workbench.scheduler import CancelToken
from workbench.typographic.defences import DEFENCES
from workbench.typographic.making import made
from workbench.typographic.measuring import AttackedSet, DefenceRow, Outcomes, defence_row, outcome_steps

JOBS = Jobs("typographic", stopped="Stopped.")
HEADERS = ["defence", "what it does", "needs"]
MEASURED = ["defence", "written on: right", "lost accuracy back", "clean: change", "ms an image"]
IDLE = (
    "A defended model is the chosen one with one change. It has its own name and fingerprint, and every view and "
    "audit takes it. Learning uses drawings that are never measured. A prefix is learned for the "
    "labels that stand above, in the prompt “a photo of a …”; all other texts share one, which helps them less."
)
FOLDER_NOTE = (
    "Class folders: another thing's name is written on each image. Or photos that bear words already, with "
    "`labels.csv` (columns file, thing, word; an empty word is a photo without one): all of them are measured."
)
SEED = 0
LESSON = functools.partial(lesson_images, SEED)


def measured_line(title: str, row: DefenceRow) -> list[str]:
    """Return one row of the table."""
    right = f"{100 * (row.attacked_two.second or 0):.1f} %"
    return [
        title,
        right,
        percent(row.back, missing="—"),
        percent(row.clean.difference, missing="—"),
        f"{row.milliseconds:+.1f}",
    ]


def measured_note(base: Outcomes, title: str, shown: str = "drawings") -> str:
    """Say what the table is about, in Markdown; `shown`: what the images are, in the plural."""
    bare = "" if base.distinct is None else f" with {len(base.distinct)} different clean ones"
    return (
        f"**{literal(title)}** without a defence: {100 * base.clean_two.mean():.1f} % right when clean, "
        f"{100 * base.attacked_two.mean():.1f} % when written on (thing against word), {len(base.clean_two)} "
        f"{shown}{bare}. "
        "“Lost accuracy back” is the share of that loss; “clean: change” is among all names. 95 % intervals, paired by "
        "image; images of one thing count together."
    )


def build(engine: Engine, model: gr.Dropdown, labels: gr.Textbox) -> None:
    """Lay out the defences, and the table that measures them."""
    with gr.Tab("Defend", elem_id="typographic-defend", render_children=True):
        gr.Markdown(IDLE, elem_classes="notes")
        table(
            HEADERS, "Defences", value=[[one.title, one.summary, one.needs] for one in DEFENCES.values()],
            elem_id="typographic-defences",
        )  # fmt: skip
        every = [(one.title, key) for key, one in DEFENCES.items()]
        method = gr.Radio(every, value=every[0][1], label="Apply to the chosen model", elem_id="typographic-method")
        with gr.Row():
            go = gr.Button("Apply", variant="primary", elem_id="typographic-apply")
            stop = gr.Button("Stop", variant="stop", elem_id="typographic-defend-stop")
            undo = gr.Button("Back to the model without it", elem_id="typographic-undo")
        status = gr.Markdown(elem_classes=["live", "notes"], elem_id="typographic-defend-status")
        count = gr.Slider(60, 600, 150, step=30, label="Images to measure on", info="600 give the narrowest intervals.")
        folder = folder_box("Your folder (or none: drawings)", elem_id="typographic-folder")
        gr.Markdown(FOLDER_NOTE, elem_classes="notes")
        measure = gr.Button("Measure all defences", elem_id="typographic-measure")
        note = gr.Markdown(elem_classes=["live", "notes"], elem_id="typographic-measured-note")
        rows = table(MEASURED, "Measured", visible=COLLAPSED, elem_id="typographic-measured")

    @handler
    def apply(key: str, chosen: str, typed: str, request: gr.Request) -> Iterator[tuple[Any, str]]:
        visitor = owner(request)
        names = parse_labels(typed) if DEFENCES[key].for_names else ()

        def work(token: CancelToken) -> Iterator[tuple[Any, str]]:
            with engine.session(visitor, chosen, token=token, deadline=JOBS.seconds) as session:
                for step in _throttled(made(session, key, LESSON, seed=SEED, names=names)):
                    if isinstance(step, Path):
                        spec = find(str(step))
                        menu = gr.update(choices=[*choices(), (spec.title, spec.key)], value=spec.key)
                        yield menu, f"Every view now asks **{literal(spec.title)}**."
                    else:
                        yield gr.skip(), step.line

        yield from JOBS.run(visitor, work, stopped=(gr.skip(), JOBS.stopped))

    @handler
    def back(chosen: str) -> tuple[Any, str]:
        base = find(chosen).base or chosen
        return gr.update(choices=choices(), value=base), f"Every view asks **{literal(find(base).title)}** again."

    @handler
    def measured(chosen: str, number: float, own: Any, request: gr.Request) -> Iterator[tuple[str, Any]]:
        visitor = owner(request)

        def work(token: CancelToken) -> Iterator[tuple[str, Any]]:
            yield "Writing on the images …", gr.skip()
            images, shown = images_to_measure(own, int(number), seed=SEED)
            base, left_out = yield from _table(engine, chosen, images, how={"visitor": visitor, "token": token})
            yield "\n\n".join([measured_note(base, find(chosen).title, shown), *left_out]), gr.skip()

        yield from JOBS.run(visitor, work, stopped=(JOBS.stopped, gr.skip()))

    event: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", **LONG}
    wire(
        JOBS,
        go,
        stop,
        status=status,
        event={"fn": apply, "inputs": [method, model, labels], "outputs": [model, status], **event},
    )
    undo.click(back, model, [model, status], **LIGHT)
    wire(
        JOBS,
        measure,
        stop,
        status=note,
        event={"fn": measured, "inputs": [model, count, folder], "outputs": [note, rows], **event},
    )


def _table(
    engine: Engine, chosen: str, images: AttackedSet, *, how: dict[str, Any]
) -> Generator[tuple[str, Any], None, tuple[Outcomes, list[str]]]:
    """Measure the model, then each defence of it; yield progress and the rows so far.

    Returns the model's outcomes, and why a defence was left out, in Markdown.
    """
    visitor, token = how["visitor"], how["token"]
    lines, left_out = list[list[str]](), list[str]()
    base: Outcomes | None = None
    for key in (None, *DEFENCES):
        title = DEFENCES[key].title if key else "No defence"
        try:
            measured_model = chosen
            if key:
                with engine.session(visitor, chosen, token=token, deadline=JOBS.seconds) as session:
                    for step in _throttled(made(session, key, LESSON, seed=SEED, names=images.names)):
                        if isinstance(step, Path):
                            measured_model = str(step)
                        else:
                            yield f"{title}: {step.line}", gr.skip()
            with engine.session(visitor, measured_model, token=token, deadline=JOBS.seconds) as session:
                for outcome in _throttled(outcome_steps(session, images)):
                    if isinstance(outcome, Progress):
                        yield f"{title}: {outcome.line}", gr.skip()
        except Unsupported as error:
            lines.append([title, *["—"] * (len(MEASURED) - 1)])
            left_out.append(f"{title}: {literal(str(error))}")
            yield gr.skip(), gr.update(value=lines, visible=True)
            continue
        assert isinstance(outcome, Outcomes)
        base = base or outcome
        lines.append(measured_line(title, defence_row(base, outcome, images.truth)))
        yield gr.skip(), gr.update(value=lines, visible=True)
    assert base is not None
    return base, left_out


def _throttled(steps: Iterator[Any]) -> Iterator[Any]:
    return throttle(steps, passes=lambda one: not isinstance(one, Progress))
