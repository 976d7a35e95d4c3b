"""Compare: two models on one picture, or one model on two pictures, with the same labels and the difference.

Knows the view; each side is asked as in “One picture”.
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
from apps.zero_shot.question import SHOWN, Answer, answer, numbers, percent, read_setup
from workbench.engine import Engine

MODELS, PICTURES = "Two models, one picture", "Two pictures, one model"
HEADERS = ["label", "probability A", "probability B", "B − A", "cosine A", "cosine B", "B − A (cosine)"]


def difference_rows(first: Answer, second: Answer) -> list[list[Any]]:
    """Table rows: one a label, both sides and how much B differs from A; the largest difference first."""
    other = {label: (chance, cosine) for label, chance, cosine in second.ranked}
    rows = []
    for label, chance, cosine in first.ranked:
        chance_b, cosine_b = other[label]
        gaps = (round(chance_b - chance, 5), round(cosine_b - cosine, 4))
        rows.append(
            [label, round(chance, 5), round(chance_b, 5), gaps[0], round(cosine, 4), round(cosine_b, 4), gaps[1]]
        )
    return sorted(rows, key=lambda row: -abs(row[3]))


def verdict(first: Answer, second: Answer) -> str:
    """One line of Markdown: what each side says."""
    (a, chance_a, _), (b, chance_b, _) = first.ranked[0], second.ranked[0]
    same = "Both say the same." if a == b else "They disagree."
    return f"A: **{literal(a)}**, {percent(chance_a)}. B: **{literal(b)}**, {percent(chance_b)}. {same}"


def figure(first: Answer, second: Answer) -> Any:
    """Draw both sides' probabilities as paired bars, in A's order."""
    names = [label for label, _, _ in first.ranked[:SHOWN]]
    other = {label: chance for label, chance, _ in second.ranked}
    series = {"A": [chance for _, chance, _ in first.ranked[:SHOWN]], "B": [other[name] for name in names]}
    return bars(names, series, axis="probability", top=1.0)


def build(engine: Engine) -> None:
    """Lay out the view."""
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            what = gr.Radio([MODELS, PICTURES], value=MODELS, label="Compare", info="What differs between A and B.")
            with gr.Row():
                picture_a = picture_box("Picture", height=240, elem_id="compare-a")
                picture_b = picture_box("Picture B", height=240, elem_id="compare-b")
                picture_b.visible = False
            labels = labels_box("cat, dog, coffee cup, rocket, bicycle", elem_id="compare-labels")
            model_a = model_menu(engine, label="Model A")
            model_b = model_menu(engine, label="Model B")
            go = gr.Button("Compare", variant="primary", elem_id="compare-go")
        with gr.Column(elem_classes="answer"):
            says = gr.Markdown("Give a picture and labels, then press “Compare”.", elem_classes=["verdict", "live"])
            chart = gr.Plot(label="Probability, A and B", elem_id="compare-chart")
            rows = table(HEADERS, "All labels, largest difference first", elem_id="compare-table")
            provenance = gr.Markdown(elem_classes="provenance")
        with gr.Column(elem_classes="more"):
            choice, own = template_choice()
            none_of_these = gr.Checkbox(label="Add “none of these”", info="An unspecific background competes as well.")

    @handler
    def compare(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        words = [typed[widget] for widget in (labels, choice, own)]
        first = read_setup(*words, none_of_these=typed[none_of_these], model=typed[model_a])
        two_models = typed[what] == MODELS
        second = replace(first, model=typed[model_b]) if two_models else first
        files = (typed[picture_a], typed[picture_a] if two_models else typed[picture_b])
        sides = []
        for setup, file in zip((first, second), files, strict=True):
            with engine.session(owner(request), setup.model, deadline=limits.current().job_seconds) as session:
                sides.append(answer(session, file, setup, place=" on ".join(numbers(engine))))
        said = f"A: {sides[0].provenance}\n\nB: {sides[1].provenance}"
        return verdict(*sides), figure(*sides), difference_rows(*sides), said

    what.change(
        lambda kind: (gr.update(visible=kind == PICTURES), gr.update(visible=kind == MODELS)),
        what,
        [picture_b, model_b],
        queue=False,
        api_visibility="private",
    )
    go.click(
        compare,
        {what, picture_a, picture_b, labels, choice, own, none_of_these, model_a, model_b},
        [says, chart, rows, provenance],
        api_name="compare",
        concurrency_id=MODEL_QUEUE,
        concurrency_limit=MODEL_LIMIT,
        show_progress_on=[says],
    )
