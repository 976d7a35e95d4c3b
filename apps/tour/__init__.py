"""The tour: eight steps with a guess each, answered by the model in the views themselves; kept in the browser.

`?tour=1` opens it, for a class. What was guessed lies in a text box that the browser keeps; see `shared/visit.js`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from apps.shared.events import ASKS_MODEL, LIGHT, QUIET, handler, owner
from apps.shared.jobs import Jobs
from apps.tour.steps import STEPS, Outcome, Step
from workbench.results import html

if TYPE_CHECKING:
    from workbench.engine import Engine

JOBS = Jobs("answer")
TAKE, AGAIN = "Take the tour", "Go on with the tour"
OFFER = ("**New to CLIP?**", "Eight guesses, five minutes: what it sees, how it is fooled, where it fails.")
SIDE = 200  # pixels, of an image that was made


@dataclass(frozen=True)
class Course:
    """How far a visitor is: plain data, kept in the browser as JSON."""

    at: int = 0  # 0..8; 8: the end
    guesses: dict[str, int] = field(default_factory=dict)  # step -> choice
    right: dict[str, int] = field(default_factory=dict)  # step -> the choice that the model's answer was

    @classmethod
    def read(cls, text: str | None) -> Course:
        """Read what a browser kept; what is none of it begins anew."""
        try:
            kept = json.loads(text or "{}")
            keys = {step.key: len(step.choices) for step in STEPS}
            known = [
                {key: int(kept[part][key]) for key in keys if 0 <= int(kept[part].get(key, -1)) < keys[key]}
                for part in ("guesses", "right")
            ]
            return cls(min(max(0, int(kept["at"])), len(STEPS)), *known)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def write(self) -> str:
        """Return it as JSON."""
        return json.dumps({"at": self.at, "guesses": self.guesses, "right": self.right})


def summary(course: Course) -> str:
    """Say at the end what the guesses got right, in Markdown."""
    done = [step for step in STEPS if step.key in course.guesses and step.key in course.right]
    right = sum(course.guesses[step.key] == course.right[step.key] for step in done)
    rows = [
        f"- {step.title}: you guessed “{step.choices[course.guesses[step.key]]}”; "
        + (
            "right."
            if course.guesses[step.key] == course.right[step.key]
            else f"it was “{step.choices[course.right[step.key]]}”."
        )
        for step in done
    ]
    return f"**{right} of your {len(done)} guesses were right.**\n\n" + "\n".join(rows)


def answered(step: Step, guess: int, outcome: Outcome) -> str:
    """Return the answer of a step as HTML: whether the guess was right, what happened, and what to take away."""
    verdict = "Right." if guess == outcome.right else "No."
    made = html.image(outcome.image, "what was made", side=SIDE) if outcome.image is not None else ""  # type: ignore[arg-type]
    typed = escape(json.dumps(dict(step.typed)), quote=True)
    opens = f'<span id="tour-open" data-view="{step.view}" data-press="{step.press}" data-typed="{typed}"></span>'
    lesson = f"<p>{escape(step.lesson)} Below, the view shows it.</p>"
    return f"<p><b>{verdict}</b> {escape(outcome.text)}</p>{made}{lesson}{opens}"


def build(engine: Engine, model: gr.Dropdown, address: gr.Textbox) -> None:
    """Lay out the panel above the views, and the button that opens it; `model` and `address` are the page's."""
    with gr.Row(elem_id="tour-offer"):
        for part in OFFER:
            gr.Markdown(part)
        take = gr.Button(TAKE, size="sm", min_width=120, elem_id="tour-take")
    kept = gr.Textbox(label="The tour so far", elem_id="tour-kept", elem_classes="bridge")
    with gr.Column(visible=False, elem_id="tour") as panel:
        text = gr.Markdown(elem_id="tour-text", elem_classes="live")
        guess = gr.Radio([], label="Your guess", elem_id="tour-guess")
        answer = gr.Markdown(elem_id="tour-answer", elem_classes="live", sanitize_html=False)
        with gr.Row():
            back = gr.Button("Back", size="sm", min_width=80, elem_id="tour-back")
            ahead = gr.Button("Next", variant="primary", size="sm", min_width=80, elem_id="tour-next")
            leave = gr.Button("Leave", size="sm", min_width=80, elem_id="tour-leave")
    outputs = [kept, panel, take, text, guess, answer, back, ahead]

    def screen(course: Course) -> tuple[Any, ...]:
        shown = (course.write(), gr.update(visible=True), gr.update(visible=False))
        if course.at == len(STEPS):
            none = gr.update(visible=False)
            return (*shown, summary(course), none, "", gr.update(visible=True), none)
        step = STEPS[course.at]
        guessed = step.key in course.right
        lines = f"**{course.at + 1} of {len(STEPS)}: {step.title}**\n\n{step.text}\n\n**{step.question}**"
        value = step.choices[course.guesses[step.key]] if guessed else None
        choices = gr.update(choices=list(step.choices), value=value, interactive=not guessed, visible=True)
        before = f"It was: {escape(step.choices[course.right[step.key]])}." if guessed else ""
        last = "See what you got right" if course.at == len(STEPS) - 1 else "Next"
        return (*shown, lines, choices, before, gr.update(visible=course.at > 0), gr.update(value=last, visible=True))

    def move(by: int) -> Any:
        def moved(text: str) -> tuple[Any, ...]:
            course = Course.read(text)
            return screen(replace(course, at=min(max(0, course.at + by), len(STEPS))))

        return moved

    @handler
    def guessed(choice: str, text: str, key: str, request: gr.Request) -> tuple[Any, ...]:
        course = Course.read(text)
        step = STEPS[min(course.at, len(STEPS) - 1)]
        if choice not in step.choices or step.key in course.right:
            return (gr.skip(),) * 3
        with engine.session(owner(request), key, deadline=JOBS.seconds) as session:
            outcome = step.outcome(session, engine, owner(request))
        at = step.choices.index(choice)
        course = replace(
            course, guesses={**course.guesses, step.key: at}, right={**course.right, step.key: outcome.right}
        )
        return course.write(), gr.update(interactive=False), answered(step, at, outcome)

    def left(text: str) -> tuple[Any, ...]:
        return gr.update(visible=False), gr.update(value=AGAIN if Course.read(text).guesses else TAKE, visible=True)

    def linked(text: str, request: gr.Request) -> tuple[Any, ...]:
        return screen(Course.read(text)) if "tour" in request.query_params else (gr.skip(),) * len(outputs)

    take.click(move(0), kept, outputs, **LIGHT)
    ahead.click(move(1), kept, outputs, **LIGHT)
    back.click(move(-1), kept, outputs, **LIGHT)
    leave.click(left, kept, [panel, take], **LIGHT)
    kept.change(lambda text: gr.update(value=AGAIN if Course.read(text).guesses else TAKE), kept, take, **LIGHT)
    guess.input(guessed, [guess, kept, model], [kept, guess, answer], **QUIET | {"show_progress": "full"}, **ASKS_MODEL)
    address.change(linked, kept, outputs, **LIGHT)
