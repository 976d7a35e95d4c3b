"""Template by template: how much of an answer is the wording of the prompt.

Knows the view; the numbers come from `workbench.contributions`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from apps import limits
from apps._figures import heat_map
from apps._handler import MODEL_LIMIT, MODEL_QUEUE, handler, owner
from apps._widgets import table
from apps.zero_shot.question import Asked
from workbench.contributions import Contributions, contributions
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.images import safe_open
from workbench.labels import NONE_OF_THESE
from workbench.prompts import TEMPLATE_SETS, check_templates, template_set
from workbench.reproduce import OWN

IDLE = "Ask about a picture first; then see here what each template alone would answer."
COMPARED = 12  # labels in the heat map: the likeliest ones
AS_ASKED = "as asked"


def contribution_rows(found: Contributions, winner: str) -> list[list[Any]]:
    """Table rows, one a template: what it answers alone, and what it does to the ensemble's cosine of `winner`."""
    column = found.labels.index(winner)
    rows = []
    for row, template in enumerate(found.templates):
        best = int(found.probabilities[row].argmax())
        lift = float(found.together[column] - found.without[row, column])
        rows.append(
            [
                template,
                found.labels[best],
                round(float(found.probabilities[row, best]), 5),
                round(float(found.probabilities[row, column]), 5),
                round(float(found.cosines[row, column]), 4),
                "–" if lift != lift else f"{lift:+.4f}",  # NaN: there is no ensemble without it
            ]
        )
    return rows


def headers(winner: str) -> list[str]:
    """Return the table's headings for that label."""
    return [
        "template",
        "answers alone",
        "with probability",
        f"probability of “{winner}”",
        f"cosine of “{winner}”",
        "adds to the ensemble's cosine",
    ]


def heat_rows(found: Contributions) -> list[list[Any]]:
    """Return the heat map as a table: one row a label, one column a template."""
    return [
        [label, *(round(float(value), 4) for value in found.cosines[:, column])]
        for column, label in enumerate(found.labels)
    ]


def compared(asked: Asked, choice: str, own: str) -> tuple[str, ...]:
    """Return the templates to look at: those of the question, a named set, or a list typed here."""
    if choice == AS_ASKED:
        return asked.setup.prompts
    return check_templates(own.splitlines()) if choice == OWN else template_set(choice).templates


def build(engine: Engine, asked: gr.State) -> None:
    """Lay out the view; `asked` holds the last answered question of this visitor."""

    @handler
    def compare(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        question = typed[asked]
        if question is None:
            raise BadInput(IDLE)
        labels = [label for label in question.ranked if label != NONE_OF_THESE]
        used = compared(question, typed[choice], typed[own])
        with engine.session(owner(request), question.setup.model, deadline=limits.current().job_seconds) as session:
            found = contributions(session, safe_open(Path(question.picture)), labels, templates=used)
            few = contributions(session, safe_open(Path(question.picture)), labels[:COMPARED], templates=used)
        figure = heat_map(few.cosines.T.numpy(), few.labels, few.templates, title="cosine")
        return (
            gr.update(value=contribution_rows(found, labels[0]), headers=headers(labels[0])),
            figure,
            gr.update(value=heat_rows(few), headers=["label", *few.templates]),
        )

    choices = [("The ones the answer used", AS_ASKED), *((entry.title, entry.key) for entry in TEMPLATE_SETS)]
    with gr.Row():
        choice = gr.Dropdown(
            [*choices, ("My own list", OWN)],
            value="seven",
            label="Templates to compare",
            info="Each is asked alone; nothing in the answer above changes.",
        )
        own = gr.Textbox(label="My templates", info="One a line; {} stands for the label.", lines=2, visible=False)
        go = gr.Button("Compare the templates", variant="primary", elem_id="templates-go")
    choice.change(lambda key: gr.update(visible=key == OWN), choice, own, queue=False, api_visibility="private")
    rows = table(headers("the likeliest label"), "What each template says", elem_id="templates-table")
    chart = gr.Plot(label="Cosine of each label in each template", elem_id="templates-chart")
    with gr.Accordion("The heat map as a table", open=False):
        cells = table(["label"], "Cosines: one row a label, one column a template")
    go.click(
        compare,
        {asked, choice, own},
        [rows, chart, cells],
        api_visibility="private",
        concurrency_id=MODEL_QUEUE,
        concurrency_limit=MODEL_LIMIT,
        show_progress_on=[rows],
    )
