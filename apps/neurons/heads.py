"""What is an attention head about? For ViTs: the texts that span what each head of a block adds, and its images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from apps.shared.events import CHOICE, LONG, QUIET, handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import in_markdown
from apps.shared.page import Page
from apps.shared.widgets import COLLAPSED, table
from workbench.errors import BadInput
from workbench.neurons.atlas_building import word_table
from workbench.neurons.corpus import built_in
from workbench.neurons.head_survey import HeadSurvey, head_survey
from workbench.neurons.page import images_html
from workbench.neurons.text_span import HeadSpan, text_span
from workbench.neurons.unit import GalleryImage
from workbench.progress import Progress
from workbench.scheduler import CancelToken

JOBS = Jobs("neurons", stopped="Stopped; nothing was described.")
HEADERS = ["head", "spread", "first texts", "explained", "by chance"]
TEXT_HEADERS = ["text", "explained", "by chance"]
FIRST = 3  # texts of a head in the table of all heads
GALLERIES = 2
NOTE = (
    "For ViTs that end in a class token, such as OpenAI's; a convolutional tower has no attention heads. Texts are "
    "chosen one after the other: the next one is that along which the head's outputs still vary most. Explained: share "
    "of the outputs' variance along the texts so far; by chance: the same for shuffled texts. Click a head to see its "
    "texts and images."
)


def head_rows(spans: list[HeadSpan]) -> list[list[str]]:
    """Return one row a head."""
    return [
        [
            str(one.head),
            f"{one.spread:.4f}",
            ", ".join(text.text for text in one.texts[:FIRST]) or "–",
            f"{100 * one.texts[FIRST - 1].explained:.0f} %" if len(one.texts) >= FIRST else "–",
            f"{100 * one.texts[FIRST - 1].by_chance:.0f} %" if len(one.texts) >= FIRST else "–",
        ]
        for one in spans
    ]


def text_rows(one: HeadSpan) -> list[list[str]]:
    """Return one row a text."""
    return [[text.text, f"{100 * text.explained:.1f} %", f"{100 * text.by_chance:.1f} %"] for text in one.texts]


def galleries(one: HeadSpan, seen: HeadSurvey) -> str:
    """Show the images that the head moves most towards its first texts."""
    from markupsafe import escape

    parts = []
    for text in one.texts[:GALLERIES]:
        shown = [GalleryImage(seen.items[place], 0.0) for place in text.strongest]
        images = images_html(shown, notes=[""] * len(shown))
        parts.append(f"<h4>Moved most towards “{escape(text.text)}”</h4>{images}")
    return in_markdown("".join(parts))


def build(page: Page) -> None:
    """Lay out the section."""
    known = gr.State(None)  # HeadSurvey, spans
    with gr.Tab("What is an attention head about?", elem_id="neurons-heads", render_children=True):
        with gr.Row():
            block = gr.Number(-1, precision=0, minimum=-1, label="Block", info="From 0; -1 is the last.")
            go = gr.Button("Describe its heads", elem_id="neurons-heads-go")
            stop = gr.Button("Stop", variant="stop")
        status = gr.Markdown(elem_classes=["live", "notes"], elem_id="neurons-heads-status")
        gr.Markdown(NOTE, elem_classes="notes")
        rows = table(HEADERS, "Heads", visible=COLLAPSED, elem_id="neurons-heads-table")
        texts = table(TEXT_HEADERS, "Texts", visible=COLLAPSED)
        shown = gr.Markdown("", elem_id="neurons-heads-images")

    @handler
    def run(number: float | None, key: str, request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)

        def work(token: CancelToken) -> Iterator[dict[Any, Any]]:
            with page.engine.session(visitor, key, token=token, deadline=JOBS.seconds) as session:
                steps = head_survey(session, built_in(), -1 if number is None else int(number))
                for step in throttle(steps, passes=lambda one: not isinstance(one, Progress)):
                    if isinstance(step, Progress):
                        yield {status: f"Looking at the built-in images: {step.line}"}
                    else:
                        seen = step
                words = word_table(session)
            count = seen.outputs.shape[1]
            spans = [text_span(seen.outputs[:, at], words, block=seen.block, head=at) for at in range(count)]
            yield {
                status: f"**Block {seen.block}**: {count} heads on {len(seen.items)} images.",
                rows: gr.update(value=head_rows(spans), visible=True),
                known: (seen, spans),
            }

        yield from JOBS.run(visitor, work, stopped={status: JOBS.stopped})

    @handler
    def choose(both: tuple[HeadSurvey, list[HeadSpan]] | None, event: gr.SelectData) -> tuple[Any, str]:
        if both is None:
            raise BadInput("Press “Describe its heads” first.")
        seen, spans = both
        one = spans[int(event.row_value[0])]
        label = f"Texts of block {one.block}, head {one.head}"
        return gr.update(value=text_rows(one), label=label, visible=True), galleries(one, seen)

    event = {"fn": run, "inputs": [block, page.model], "outputs": [status, rows, known], **QUIET, **LONG}
    wire(JOBS, go, stop, status=status, event=event)
    rows.select(choose, known, [texts, shown], **CHOICE)
