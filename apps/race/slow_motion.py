"""One batch in slow motion: the towers, then five matrices; each frame with a sentence and its numbers as a table."""

from __future__ import annotations

import math
from typing import Any

import gradio as gr

from apps.race.figures import frame_values, slow_motion_figure
from apps.race.towers import VECTOR_HEADERS, towers_markdown, vector_rows
from apps.shared.events import LIGHT, handler, owner
from apps.shared.page import Page
from apps.shared.widgets import COLLAPSED, table
from workbench.training.race.results import SlowMotion

SECONDS = 60.0  # deadline
FRAME_HEADERS = ["image", "caption", "value"]
LEAD = (
    "Six drawings and their captions in one training step. First the two towers, then one matrix a frame: images in "
    "rows, captions in columns."
)
FRAMES = (
    "**1 of 6: the towers.** Each drawing goes through the image tower, each caption through the text tower. Both come "
    "out as unit vectors of 64 numbers, so that they can be compared.",
    "**2 of 6: cosines.** Each cell is the cosine of an image's vector and a caption's: the sum of the products of "
    "their numbers. The diagonal holds the true pairs.",
    "**3 of 6: softmax over captions.** For each image (row) the cosines, times {scale:.1f}, become probabilities: "
    "which caption is mine?",
    "**4 of 6: softmax over images.** For each caption (column) the same: which image is mine? The loss is the mean of "
    "both cross-entropies: {loss:.2f}. Guessing costs {blind:.2f}.",
    "**5 of 6: the gradient's pull.** Softmax minus truth. Negative cells are pulled together, positive cells pushed "
    "apart; the most confident mistakes are pushed hardest.",
    "**6 of 6: after the step.** The cosines after one step of the optimizer. The loss is now {after:.2f}.",
)


def build(page: Page) -> None:
    """Lay out one batch in slow motion; the slider steps with the arrow keys."""
    with gr.Accordion("One batch in slow motion", open=False, elem_id="race-slow"):
        gr.Markdown(LEAD)
        with gr.Row():
            trained = gr.Radio(
                [("at the start", 0), ("after 60 steps", 60), ("after 200 steps", 200)], value=0, label="Model"
            )
            show = gr.Button("Show", elem_id="race-slow-go")
        frame = gr.Slider(1, len(FRAMES), 1, step=1, label="Frame", info="Arrow keys step.", elem_id="race-frame")
        text = gr.Markdown(elem_classes="live", elem_id="race-frame-text")
        towers = gr.Markdown(visible=COLLAPSED, elem_id="race-towers")
        picture = gr.Plot(label="The batch", visible=COLLAPSED, elem_id="race-frame-chart")
        numbers = table(FRAME_HEADERS, "The same numbers", elem_id="race-frame-table", visible=COLLAPSED)
    step = gr.State(None)

    @handler
    def compute(steps: int, request: gr.Request) -> SlowMotion:
        from workbench.training.race.slow_motion import slow_motion

        work = page.engine.stream(lambda: iter([slow_motion(steps=steps)]), owner=owner(request), deadline=SECONDS)
        return next(iter(work))

    def draw(number: int, motion: SlowMotion | None) -> tuple[Any, ...]:
        return frame_updates(int(number), motion) if motion else (gr.skip(),) * len(shown)

    shown = [text, towers, picture, numbers]
    computed: dict[str, Any] = {"concurrency_id": "learn", "concurrency_limit": 4, "api_visibility": "private"}
    show.click(compute, trained, step, **computed).then(draw, [frame, step], shown, **LIGHT)
    frame.change(draw, [frame, step], shown, **LIGHT)


def frame_updates(frame: int, motion: SlowMotion) -> tuple[Any, ...]:
    """Return what a frame shows: its sentence, the towers or a matrix, and the table of numbers."""
    first = frame == 1
    return (
        frame_text(frame, motion),
        gr.update(value=towers_markdown(motion), visible=True) if first else gr.update(visible=COLLAPSED),
        gr.update(visible=COLLAPSED) if first else gr.update(value=slow_motion_figure(frame, motion), visible=True),
        gr.update(
            value=vector_rows(motion) if first else frame_rows(frame, motion),
            headers=VECTOR_HEADERS if first else FRAME_HEADERS,
            visible=True,
        ),
    )


def frame_text(frame: int, motion: SlowMotion) -> str:
    """Return the sentence of a frame, which also describes its chart to those who do not see it."""
    return FRAMES[frame - 1].format(
        scale=motion.scale, loss=motion.loss, blind=math.log(len(motion.texts)), after=motion.loss_after
    )


def frame_rows(frame: int, motion: SlowMotion) -> list[list[str]]:
    """Return the matrix of a frame, 2..6, as rows: image, caption, value; true pairs are marked."""
    values, _ = frame_values(frame, motion)
    return [
        [image, f"{text} (its own)" if i == j else text, f"{values[i, j]:.3f}"]
        for i, image in enumerate(motion.texts)
        for j, text in enumerate(motion.texts)
    ]
