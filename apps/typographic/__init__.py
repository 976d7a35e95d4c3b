"""Write on it: a word on an image, the answers before and after, the smallest attack, and defences to apply."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

import gradio as gr

from apps.shared.events import ASIDE, ASKS_MODEL, QUIET, handler, owner
from apps.shared.jobs import Jobs
from apps.shared.markdown import literal
from apps.shared.page import Page, put
from apps.shared.query import provenance
from apps.shared.widgets import labels_box
from apps.typographic import attacking, defending, looking, mapping, published, reproducing, transferring
from apps.typographic.form import PRESETS, Preset, WrittenForm, names_with_words, places, read_labels
from apps.typographic.shown import answer_card, stage_payload, summary
from apps.typographic.widgets import Look, look_of_labels, opened_picture, picture_box, picture_file, shipped_key
from workbench.errors import WorkbenchError
from workbench.typographic.comparing import compare
from workbench.typographic.lettering import Label
from workbench.typographic.writing import corners

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.typographic.comparing import WrittenAnswers

JOBS = Jobs("answer")
LEAD = (
    "Write a word on an image and watch the answer change. It is here to understand such attacks and to defend against "
    "them; what one image shows is no rate: the audit `typographic/overlay` measures that."
)
IDLE = "Choose an image, or take a preset."
STAGE = (
    '<div class="stage" tabindex="0" role="group" aria-label="The image with its words. Arrow keys move the chosen '
    'word, plus and minus resize it, brackets turn it, Page Down chooses the next."></div>'
)
HELP = "Drag a word; the blue knob resizes it, the orange one turns it. Keys: arrows, + and −, [ and ], Page Down."


def answer(session: Session, image: str, form: WrittenForm) -> WrittenAnswers:
    """Ask about the image, clean and written on."""
    return compare(session, opened_picture(image), form.labels, names=form.names)


def shown(result: WrittenAnswers, form: WrittenForm, line: str) -> tuple[Any, ...]:
    """Return what the widgets of the answer take."""
    boxes = [corners(result.clean.size, label) for label in form.labels]
    words = [label.text for label in form.labels]
    return (
        stage_payload(result, boxes, form.labels),
        summary(result, words),
        answer_card(result, 0, "Clean"),
        answer_card(result, 1, "Written on"),
        line,
        form,
    )


def taken(preset: Preset) -> tuple[Any, ...]:
    """Return what a preset fills in: image, key, word, further words, names, places, and the look."""
    return (str(picture_file(preset.picture)), *_settings(preset))


def _settings(preset: Preset) -> tuple[Any, ...]:
    label = preset.label
    look = [label.font, label.ink, bool(label.paper), label.paper or "#ffffff", label.form]
    rest = [bool(label.outline), label.outline or "#ffffff", label.tilt, label.opacity]
    return (
        preset.picture,
        preset.word,
        "",
        preset.names,
        places([label]),
        *look,
        *rest,
    )


def build(page: Page) -> None:
    """Lay out the view."""
    engine, model = page.engine, page.model
    gr.Markdown(LEAD, elem_classes="notes")
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            with gr.Row(elem_classes="examples-row"):
                presets = [(gr.Button(one.title, size="sm", elem_id=f"written-{one.key}"), one) for one in PRESETS]
            word = gr.Textbox(
                "iPod", label="Word", info="Written on the image as you type.", elem_id="typographic-word"
            )
            gr.Markdown(STAGE, sanitize_html=False, elem_id="typographic-stage")
            gr.Markdown(HELP, elem_classes="notes")
            image = picture_box("typographic-image")
            names = labels_box(PRESETS[0].names, elem_id="typographic-labels")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("typographic")
            verdict = gr.Markdown(
                IDLE, elem_classes=["verdict", "live"], elem_id="typographic-verdict", sanitize_html=False
            )
            with gr.Row(elem_classes="two"):
                clean = gr.Markdown(elem_id="typographic-clean", sanitize_html=False, min_height=60)
                written = gr.Markdown(elem_id="typographic-written", sanitize_html=False, min_height=60)
            look_before = looking.build()
            provenance_line = gr.Markdown(elem_classes="provenance", elem_id="typographic-provenance")
            page.exchange.offer("typographic", image, names, now=("neurons", "compare", "search"))
        with gr.Column(elem_classes="more"):
            look: Look = look_of_labels()
    place = gr.Textbox(
        places([Label("x")]), label="Places of the words", elem_id="typographic-place", elem_classes="bridge"
    )
    payload = gr.Markdown(elem_id="typographic-payload", elem_classes="bridge", sanitize_html=False)
    key, form = gr.State(""), gr.State(None)

    def read(typed: dict[Any, Any]) -> WrittenForm:
        words = [typed[word], *str(typed[look.further] or "").splitlines()]
        labels = read_labels(words, typed[place], look.style(typed))
        known = shipped_key(typed[image], typed[key])
        return WrittenForm(labels, names_with_words(typed[names], [one.text for one in labels]), known, typed[model])

    def follow(typed: dict[Any, Any], request: gr.Request) -> tuple[Any, ...]:
        """Answer after every edit; what cannot be answered yet is said in the result's place."""
        if not typed[image]:
            return gr.skip(), IDLE, "", "", "", None
        try:
            began, written_form = time.perf_counter(), read(typed)
            with engine.session(owner(request), written_form.model, deadline=JOBS.seconds) as session:
                result = answer(session, typed[image], written_form)
                line = provenance(session, engine, time.perf_counter() - began, texts=written_form.names)
            return shown(result, written_form, line)
        except WorkbenchError as error:
            return gr.skip(), literal(str(error)), "", "", "", None

    inputs: Any = {image, word, names, place, key, model, *look.widgets}
    outputs = [payload, verdict, clean, written, provenance_line, form]
    watched = [one.change for one in (image, model, word, names, place, *look.widgets)]
    gr.on(watched, follow, inputs, outputs, **QUIET, **ASKS_MODEL)
    filled = [image, key, word, look.further, names, place, *look.widgets[1:]]
    first = {
        image: lambda: str(picture_file(PRESETS[0].picture)),
        **dict(zip(filled[1:], _settings(PRESETS[0]), strict=True)),
    }
    page.first.fill(first, mark=mark)
    for button, preset in presets:
        button.click(handler(functools.partial(taken, preset)), None, filled, **ASIDE)
    looking.wire(engine, look_before, form, image=image)
    with gr.Tabs():
        attacking.build(engine, form, image, fills=[word, place, look.font, names])
        defending.build(engine, model, names)
        transferring.build(engine, form, image)
        mapping.build(engine, form, image)
        published.build(engine, model)
        reproducing.build(page, form, image, filled=filled)
    page.exchange.accept("typographic", [image, names], put)
