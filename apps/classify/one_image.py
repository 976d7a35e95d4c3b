"""One image, any labels: probabilities and raw cosines, at once and again while labels are edited."""

from __future__ import annotations

from dataclasses import replace
from filecmp import cmp
from typing import Any

import gradio as gr

from apps.classify import reproduce, templates
from apps.classify.answer import SHOWN, Answer, Query, answer
from apps.shared.answer_table import answer_table
from apps.shared.events import ASIDE, ASKS_MODEL, handler, owner
from apps.shared.examples import EXAMPLES, example_buttons, example_file, on_example
from apps.shared.jobs import Jobs
from apps.shared.markdown import NO_ANSWER, literal
from apps.shared.page import Page, put
from apps.shared.query import read_setup
from apps.shared.widgets import COLLAPSED, image_box, labels_box, none_of_these_box, table, template_choice
from workbench.errors import WorkbenchError
from workbench.pictures import sample_path

HEADERS = ["label", "probability", "cosine", "logit"]
IDLE = "Drop an image or take an example. The answer appears here, and again while you edit the labels."
JOBS = Jobs("answer")


def shown(result: Answer) -> tuple[Any, ...]:
    """Return what the answer's widgets take: verdict, chart, table, notes, provenance."""
    remarks = "\n".join(f"- {literal(note)}" for note in result.notes)
    likeliest = [(result.marked(label), chance, cosine) for label, chance, cosine in result.ranked[:SHOWN]]
    return (
        result.verdict(),
        gr.update(value=answer_table(likeliest), visible=True),
        gr.update(value=result.rows(), visible=True),
        gr.update(value=remarks, visible=bool(remarks)),
        result.provenance,
    )


def nothing(text: str) -> tuple[Any, ...]:
    """Return the same without an answer: an older one does not belong to this query."""
    empty = (gr.update(value=None, visible=COLLAPSED), gr.update(value=[], visible=COLLAPSED), gr.update(visible=False))
    return (text, *empty, "", None)


def shipped_key(image: str | None, key: str) -> str:
    """Return the key of a shipped image where the file is its small copy, else ""."""
    return key if image and key and cmp(image, example_file(key), shallow=False) else ""


def build(page: Page) -> None:
    """Lay out the view."""
    engine, model = page.engine, page.model

    def ask(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        words = [typed[widget] for widget in (labels, choice, own)]
        setup = read_setup(*words, none_of_these=typed[none_of_these], model=typed[model])
        setup = replace(setup, picture=shipped_key(typed[image], typed[sample]))
        with engine.session(owner(request), setup.model, deadline=JOBS.seconds) as session:
            picture = str(sample_path(setup.picture)) if setup.picture else typed[image]
            result = answer(session, picture, setup, engine=engine)
        return (*shown(result), Query(setup, str(picture), tuple(label for label, _, _ in result.ranked)))

    def follow(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        """Answer again after an edit; what cannot be answered yet is said in the result's place."""
        if not typed[image]:
            return nothing(IDLE)
        try:
            return ask(typed, request)
        except WorkbenchError as error:
            return nothing(literal(str(error)))

    query, sample = gr.State(None), gr.State("")
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            image = image_box("Image", elem_id="classify-image")
            buttons = example_buttons()
            labels = labels_box(elem_id="classify-labels")
            go = gr.Button("Classify", variant="primary", elem_id="classify-go")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("classify")
            verdict = gr.Markdown(IDLE, elem_classes=["verdict", "live"], elem_id="classify-verdict")
            chart = gr.Markdown(sanitize_html=False, visible=COLLAPSED, elem_id="classify-chart")
            page.exchange.offer("classify", image, labels, now=("typographic", "attribution", "neurons"))
            rows = table(HEADERS, "All labels", visible=COLLAPSED, elem_id="classify-table")
            remarks = gr.Markdown(visible=False, elem_classes=["notes", "live"])
            provenance = gr.Markdown(elem_classes="provenance", elem_id="classify-provenance")
        with gr.Column(elem_classes="more"):
            choice, own = template_choice()
            none_of_these = none_of_these_box()
    with gr.Accordion("Template by template", open=False):
        templates.build(engine, query)
    settings = [labels, choice, own, none_of_these, model]
    with gr.Accordion("Reproduce", open=False):
        reproduce.build(page, query, [image, sample, *settings])

    inputs: Any = {image, sample, *settings}
    outputs = [verdict, chart, rows, remarks, provenance, query]
    event: dict[str, Any] = {"inputs": inputs, "outputs": outputs, "api_visibility": "private", **ASKS_MODEL}
    go.click(handler(ask), **event, show_progress_on=[verdict]).failure(
        lambda: nothing(NO_ANSWER), None, outputs, **ASIDE
    )
    # a new image, an example, what another view sent, and every edit are all changes
    watched: list[Any] = [image, *settings]
    changes = [widget.change for widget in watched]
    gr.on(changes, follow, **event, show_progress="hidden")
    on_example(buttons, [image, labels, sample])
    page.exchange.accept("classify", [image, labels], put)
    first = EXAMPLES[0]
    page.first.fill({image: lambda: example_file(first.key), labels: first.labels, sample: first.key}, mark=mark)
