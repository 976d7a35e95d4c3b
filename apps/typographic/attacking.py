"""Find the smallest attack on the image, and put it there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.shared.events import LONG, handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import literal
from apps.typographic.form import WrittenForm, places
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.labels import check_labels, meant, with_words
from workbench.progress import Progress
from workbench.reproduce import csv_row
from workbench.scheduler import CancelToken
from workbench.typographic.attacking import AttackPlan, FoundAttack, find_attack
from workbench.typographic.comparing import canvas
from workbench.typographic.lettering import Label

JOBS = Jobs("typographic", stopped="Stopped; the label stays as it was.")
IDLE = "Words, places, sizes and fonts are searched for the smallest paper label that makes the target the answer."


def verdict(attack: FoundAttack) -> str:
    """Say what was found, in Markdown."""
    cover, target = f"{100 * attack.comparison.cover:.1f} % of the image", literal(attack.target)
    if attack.success:
        return (
            f"“{literal(attack.label.text)}” makes **{target}** the answer with {cover}: the smallest found in "
            f"{attack.calls} tries. The smallest there is needs at most that."
        )
    return f"None of {attack.calls} labels made {target} the answer; the nearest miss covers {cover}."


def build(engine: Engine, form: gr.State, image: gr.Image, *, fills: list[Any]) -> None:
    """Lay out the search; `fills` are word, place, font and labels, which take what was found."""
    with gr.Tab("Find the smallest attack", elem_id="typographic-find", render_children=True):
        with gr.Row():
            target = gr.Textbox(
                "pizza", label="Target", info="The answer that the attack aims at.", elem_id="typographic-target"
            )
            calls = gr.Slider(64, 512, 192, step=64, label="Model calls", info="More find smaller labels.")
            seed = gr.Number(0, label="Seed", precision=0, info="The same seed finds the same label.", min_width=80)
        with gr.Row():
            go = gr.Button("Find", variant="primary", elem_id="typographic-find-go")
            stop = gr.Button("Stop", variant="stop")
        status = gr.Markdown(IDLE, elem_classes=["live", "notes"], elem_id="typographic-find-status")

    def steps(session: Any, form: WrittenForm, path: str, plan: AttackPlan) -> Iterator[tuple[Any, ...]]:
        for row in throttle(
            find_attack(session, canvas(Path(path)), plan), passes=lambda one: not isinstance(one, Progress)
        ):
            if isinstance(row, FoundAttack):
                label = row.label
                yield verdict(row), label.text, places([label]), label.font, csv_row(plan.names)
            elif isinstance(row, Progress):
                yield row.line, *[gr.skip()] * 4

    @handler
    def run(
        written_form: WrittenForm | None, path: str | None, goal: str, budget: float, number: float, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        if not path or written_form is None:
            raise BadInput("Choose an image and labels first.")
        goal = " ".join((goal or "").split())
        written = [one.text for one in written_form.labels]
        names = check_labels(with_words([name for name in written_form.names if name not in written], [goal]), 2)
        goal = meant(goal, names)
        style = written_form.labels[0] if written_form.labels else Label("x")
        plan = AttackPlan(goal, names, calls=int(budget), seed=int(number or 0), style=style)

        def work(token: CancelToken) -> Iterator[tuple[Any, ...]]:
            with engine.session(owner(request), written_form.model, token=token, deadline=JOBS.seconds) as session:
                yield from steps(session, written_form, path, plan)

        yield from JOBS.run(owner(request), work, stopped=(JOBS.stopped, *[gr.skip()] * 4))

    event: dict[str, Any] = {
        "fn": run,
        "inputs": [form, image, target, calls, seed],
        "outputs": [status, *fills],
        "api_visibility": "private",
        "show_progress": "hidden",
        **LONG,
    }
    wire(JOBS, go, stop, status=status, event=event)
