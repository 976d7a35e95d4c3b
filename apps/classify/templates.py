"""Template by template: how much of an answer depends on the wording of the prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from apps.classify.answer import Query
from apps.shared.charts import heat_map
from apps.shared.events import ASIDE, ASKS_MODEL, handler, owner
from apps.shared.jobs import Jobs
from apps.shared.widgets import COLLAPSED, table
from workbench.contributions import Contributions, contributions
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.labels import NONE_OF_THESE
from workbench.prompts import TEMPLATE_SETS, check_templates, template_set
from workbench.reproduce import OWN

IDLE = "Classify an image first; then see here what each template alone would answer."
COMPARED = 12  # labels in the heat map: the likeliest ones
AS_ASKED = "as asked"
JOBS = Jobs("answer")


def contribution_rows(result: Contributions, winner: str) -> list[list[Any]]:
    """Table rows, one per template: its answer alone, and its effect on the ensemble's cosine of `winner`."""
    column = result.labels.index(winner)
    rows = []
    for row, template in enumerate(result.templates):
        best = int(result.probabilities[row].argmax())
        lift = float(result.together[column] - result.without[row, column])
        rows.append(
            [
                template,
                result.labels[best],
                round(float(result.probabilities[row, best]), 5),
                round(float(result.probabilities[row, column]), 5),
                round(float(result.cosines[row, column]), 4),
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


def heat_rows(result: Contributions) -> list[list[Any]]:
    """Return the heat map as a table: one row per label, one column per template."""
    return [
        [label, *(round(float(value), 4) for value in result.cosines[:, column])]
        for column, label in enumerate(result.labels)
    ]


def compared(query: Query, choice: str, own: str) -> tuple[str, ...]:
    """Return the templates to look at: those of the query, a named set, or a list typed here."""
    if choice == AS_ASKED:
        return query.setup.prompts
    return check_templates(own.splitlines()) if choice == OWN else template_set(choice).templates


def build(engine: Engine, query: gr.State) -> None:
    """Lay out the view; `query` holds the last answered query of this visitor."""

    @handler
    def compare(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        last = typed[query]
        if last is None:
            raise BadInput(IDLE)
        labels = [label for label in last.ranked if label != NONE_OF_THESE]
        used = compared(last, typed[choice], typed[own])
        with engine.session(owner(request), last.setup.model, deadline=JOBS.seconds) as session:
            result = contributions(session, Path(last.image), labels, templates=used)
            few = contributions(session, Path(last.image), labels[:COMPARED], templates=used)
        figure = heat_map(few.cosines.T.numpy(), few.labels, few.templates, title="cosine")
        return (
            gr.update(value=contribution_rows(result, labels[0]), headers=headers(labels[0]), visible=True),
            gr.update(value=figure, visible=True),
            gr.update(value=heat_rows(few), headers=["label", *few.templates], visible=True),
        )

    choices = [("The ones the answer used", AS_ASKED), *((entry.title, entry.key) for entry in TEMPLATE_SETS)]
    with gr.Row():
        choice = gr.Dropdown(
            [*choices, ("My own list", OWN)],
            value="seven",
            label="Templates to compare",
            info="Each is used alone; the answer above does not change.",
        )
        own = gr.Textbox(label="My templates", info="One per line; {} stands for the label.", lines=2, visible=False)
        go = gr.Button("Compare the templates", variant="primary", elem_id="templates-go")
    choice.change(lambda key: gr.update(visible=key == OWN), choice, own, **ASIDE)
    rows = table(
        headers("the likeliest label"), "Answer of each template", visible=COLLAPSED, elem_id="templates-table"
    )
    chart = gr.Plot(label="Cosine of each label in each template", visible=COLLAPSED, elem_id="templates-chart")
    cells = table(["label"], "The heat map as a table: one row per label, one column per template", visible=COLLAPSED)
    go.click(
        compare,
        {query, choice, own},
        [rows, chart, cells],
        api_visibility="private",
        show_progress_on=[go],
        **ASKS_MODEL,
    )
