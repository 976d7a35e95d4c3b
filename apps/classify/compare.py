"""Compare: two models on one image, or one model on two images, with the same labels and the difference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from apps.classify.answer import SHOWN, Answer, answer
from apps.shared.charts import bars
from apps.shared.events import ASIDE, ASKS_MODEL, handler, owner
from apps.shared.examples import COMPARED, example_buttons, example_file, on_example
from apps.shared.jobs import Jobs
from apps.shared.markdown import NO_ANSWER, literal
from apps.shared.model_menu import choices
from apps.shared.page import Page
from apps.shared.query import percent, read_setup
from apps.shared.widgets import COLLAPSED, image_box, labels_box, none_of_these_box, table, template_choice
from workbench.checkpoints.shipped import POCKET, POCKET_LITE2
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.reproduce import Setup

MODELS, IMAGES = "Two models, one image", "Two images, one model"
HEADERS = ["label", "probability A", "probability B", "B − A", "cosine A", "cosine B", "B − A (cosine)"]
IDLE = "Take an example, or choose an image and labels and press “Compare”."
JOBS = Jobs("answer")


def difference_rows(first: Answer, second: Answer) -> list[list[Any]]:
    """Table rows, one per label: both sides and how much B differs from A; the largest difference first."""
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
    """One line of Markdown: the likeliest label of each side."""
    (a, chance_a, _), (b, chance_b, _) = first.ranked[0], second.ranked[0]
    same = "Both agree." if a == b else "They disagree."
    notes = "".join(f"\n\n- {literal(note)}" for note in dict.fromkeys((*first.notes, *second.notes)))
    a, b = literal(first.marked(a)), literal(second.marked(b))
    return f"A: **{a}**, {percent(chance_a)}. B: **{b}**, {percent(chance_b)}. {same}{notes}"


def figure(first: Answer, second: Answer) -> Any:
    """Draw both sides' probabilities as paired bars, in A's order."""
    names = [label for label, _, _ in first.ranked[:SHOWN]]
    other = {label: chance for label, chance, _ in second.ranked}
    series = {"A": [chance for _, chance, _ in first.ranked[:SHOWN]], "B": [other[name] for name in names]}
    return bars(names, series, axis="probability", top=1.0)


def _sides(engine: Engine, setups: tuple[Setup, Setup], images: tuple[Any, Any], *, visitor: str) -> list[Answer]:
    sides = []
    for setup, image in zip(setups, images, strict=True):
        with engine.session(visitor, setup.model, deadline=JOBS.seconds) as session:
            sides.append(answer(session, image, setup, engine=engine))
    return sides


def _other(key: str) -> str:
    """The shipped model that this one is not, to compare it with."""
    return POCKET.key if key == POCKET_LITE2.key else POCKET_LITE2.key


def build(page: Page) -> None:
    """Lay out the view."""
    engine, model_a = page.engine, page.model
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            what = gr.Radio([MODELS, IMAGES], value=MODELS, label="Compare", info="What differs between A and B.")
            with gr.Row():
                image_a = image_box("Image", height=240, elem_id="compare-a")
                image_b = image_box("Image B", height=240, elem_id="compare-b")
                image_b.visible = False
            buttons = example_buttons(COMPARED, "compare-example")
            labels = labels_box(elem_id="compare-labels")
            model_b = gr.Dropdown(
                choices(), value=_other(engine.default), label="Model B", info="Model A is the page's model.",
                elem_id="compare-model-b",
            )  # fmt: skip
            go = gr.Button("Compare", variant="primary", elem_id="compare-go")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("compare")
            status = gr.Markdown(IDLE, elem_classes=["verdict", "live"], elem_id="compare-verdict")
            chart = gr.Plot(label="Probability, A and B", visible=COLLAPSED, elem_id="compare-chart")
            page.exchange.offer("compare", image_a, labels, now=("attribution", "typographic", "neurons"))
            rows = table(HEADERS, "All labels, largest difference first", visible=COLLAPSED, elem_id="compare-table")
            provenance = gr.Markdown(elem_classes="provenance")
        with gr.Column(elem_classes="more"):
            choice, own = template_choice()
            none_of_these = none_of_these_box()

    @handler
    def compare(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        words = [typed[widget] for widget in (labels, choice, own)]
        first = read_setup(*words, none_of_these=typed[none_of_these], model=typed[model_a])
        two_models = typed[what] == MODELS
        second = replace(first, model=typed[model_b]) if two_models else first
        images = (typed[image_a], typed[image_a] if two_models else typed[image_b])
        if images[0] and not images[1]:
            raise BadInput("Choose image B, too: drop a file, or send one here from another view.")
        sides = _sides(engine, (first, second), images, visitor=owner(request))
        return (
            verdict(*sides),
            gr.update(value=figure(*sides), visible=True),
            gr.update(value=difference_rows(*sides), visible=True),
            f"A: {sides[0].provenance}\n\nB: {sides[1].provenance}",
        )

    what.change(
        lambda kind: (gr.update(visible=kind == IMAGES), gr.update(visible=kind == MODELS)),
        what,
        [image_b, model_b],
        **ASIDE,
    )
    answered = [status, chart, rows, provenance]
    asking: dict[str, Any] = {
        "inputs": {what, image_a, image_b, labels, choice, own, none_of_these, model_a, model_b},
        "outputs": answered,
        "api_visibility": "private",
        "show_progress_on": [status],
        **ASKS_MODEL,
    }
    go.click(compare, **asking).failure(_nothing, None, answered, **ASIDE)
    filled = on_example(buttons, [image_a, labels, what], MODELS)
    filled.then(compare, **asking).failure(_nothing, None, answered, **ASIDE)
    page.exchange.accept("compare", [image_a, labels, image_b, what], _place, after={"fn": compare, **asking})
    form = {image_a: lambda: example_file(COMPARED[2].key), labels: COMPARED[2].labels}
    page.first.show("compare", {"fn": compare, **asking}, form, mark=mark)


def _nothing() -> tuple[Any, ...]:
    """Take an older answer away: it does not belong to this query."""
    return (NO_ANSWER, gr.update(value=None, visible=COLLAPSED), gr.update(value=[], visible=COLLAPSED), "")


def _place(image: str | None, labels: str, *present: Any) -> list[Any]:
    """Put an image that was sent into the first free box; a second one makes it a comparison of two images."""
    first, _, second, kind = present
    beside = bool(image and first and not second and image != first)
    return [
        image if image and not beside else gr.skip(),
        labels or gr.skip(),
        image if beside else gr.skip(),
        IMAGES if beside else kind,
    ]
