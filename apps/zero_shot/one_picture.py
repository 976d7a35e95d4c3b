"""One picture, any labels: probabilities, raw cosines, and ways to look closer.

Knows how the view is laid out and wired; what is asked and answered stands in `question`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from apps import limits
from apps._figures import bars
from apps._handler import MODEL_LIMIT, MODEL_QUEUE, handler, owner
from apps._model_menu import model_menu
from apps._widgets import labels_box, literal, picture_box, table, template_choice
from apps.zero_shot import examples, reproduce, templates, where
from apps.zero_shot.question import SHOWN, Answer, Asked, answer, numbers, read_setup
from workbench.engine import Engine

API_NAME = "zero_shot"
HEADERS = ["label", "probability", "cosine", "logit"]
IDLE = "Drop a picture, type labels, press “Name it”; or take one of the examples."
NO_ANSWER = "No answer this time; the message says why."
FIRST_LABELS = "cat, dog, coffee cup, rocket, bicycle"


def figure(found: Answer) -> Any:
    """Draw the likeliest labels as bars."""
    top = found.ranked[:SHOWN]
    return bars([label for label, _, _ in top], {"probability": [p for _, p, _ in top]}, axis="probability", top=1.0)


def shown(found: Answer) -> tuple[Any, ...]:
    """Return what the answer's widgets take: verdict, chart, table, notes, provenance."""
    remarks = "\n".join(f"- {literal(note)}" for note in found.notes)
    return (
        found.verdict(),
        figure(found),
        found.rows(),
        gr.update(value=remarks, visible=bool(remarks)),
        found.provenance,
    )


def build(engine: Engine) -> None:
    """Lay out the view."""

    @handler
    def name_it(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        words = [typed[widget] for widget in (labels, choice, own)]
        setup = read_setup(*words, none_of_these=typed[none_of_these], model=typed[model])
        setup = replace(setup, picture=typed[sample])
        with engine.session(owner(request), setup.model, deadline=limits.current().job_seconds) as session:
            found = answer(session, typed[picture], setup, place=" on ".join(numbers(engine)))
        return (*shown(found), Asked(setup, str(typed[picture]), tuple(label for label, _, _ in found.ranked)))

    asked = gr.State(None)
    sample = gr.State("")
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            picture = picture_box("Picture", elem_id="one-picture")
            shelf = examples.shelf()
            labels = labels_box(FIRST_LABELS, elem_id="one-labels")
            go = gr.Button("Name it", variant="primary", elem_id="one-go")
        with gr.Column(elem_classes="answer"):
            verdict = gr.Markdown(IDLE, elem_classes=["verdict", "live"])
            chart = gr.Plot(label="Probability of each label", elem_id="one-chart")
            rows = table(HEADERS, "All labels", elem_id="one-table")
            remarks = gr.Markdown(visible=False, elem_classes=["notes", "live"])
            provenance = gr.Markdown(elem_classes="provenance", elem_id="one-provenance")
        with gr.Column(elem_classes="more"):
            choice, own = template_choice()
            none_of_these = gr.Checkbox(label="Add “none of these”", info="An unspecific background competes as well.")
            model = model_menu(engine)
    settings = [labels, choice, own, none_of_these, model]
    inputs: Any = {picture, sample, *settings}
    outputs = [verdict, chart, rows, remarks, provenance, asked]
    wire: dict[str, Any] = {
        "concurrency_id": MODEL_QUEUE,
        "concurrency_limit": MODEL_LIMIT,
        "show_progress_on": [verdict],
    }
    # an older answer is none to this question
    nothing: tuple[Any, ...] = (NO_ANSWER, None, [], gr.update(visible=False), "", None)
    hidden: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    go.click(name_it, inputs, outputs, api_name=API_NAME, **wire).failure(lambda: nothing, None, outputs, **hidden)
    with gr.Accordion("Where it looked", open=True):
        where.build(engine, asked)
    with gr.Accordion("Template by template", open=False):
        templates.build(engine, asked)
    with gr.Accordion("Reproduce", open=False):
        reproduce.build(engine, asked, [picture, sample, *settings])
    picture.input(lambda: "", None, sample, queue=False, api_visibility="private")
    for button, example in shelf:
        button.click(examples.taker(example), None, [picture, labels, sample], api_visibility="private").success(
            name_it, inputs, outputs, api_visibility="private", **wire
        )
