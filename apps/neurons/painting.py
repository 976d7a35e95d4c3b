"""What would the unit respond to most? Feature visualisation: painted step by step, with a facet, from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.shared.events import LONG, QUIET, handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.percentages import percent
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.widgets import COLLAPSED, image_box, table
from workbench.generation.canvases.kinds import canvases_for_units
from workbench.generation.run import start_pixels
from workbench.images import safe_open
from workbench.neurons.unit_images import Visualisation, to_png, visualise
from workbench.neurons.visualisation import UnitImageSettings, side_by_side
from workbench.places import write_whole
from workbench.progress import Progress
from workbench.scheduler import CancelToken

JOBS = Jobs("neurons", stopped="Stopped; the last preview stays.")
FACETS = [("none", ""), ("photo", "photo"), ("drawing", "drawing"), ("written word", "word")]
HEADERS = ["image", "activation", "stronger than"]
NOTE = (
    "Painted from noise so that the unit responds; a painting shows what is enough for the unit, not what it is for. A "
    "facet is a linear probe on a lower layer that tells its images from others."
)


def status(made: Visualisation) -> str:
    """Say what was painted, from which seed, and how strong it is beside the corpus."""
    settings = made.images.settings
    best = max(made.activations)
    text = (
        f"**Unit {settings.unit} of {literal(settings.layer)}:** activation up to {best:.2f}; the strongest of "
        f"{made.beats[0].n} built-in images has {made.strongest:.2f}. Seed {settings.seed}, {settings.steps} steps in "
        f"{made.images.seconds:.0f} s{', kept from before' if made.kept else ''}."
    )
    if made.facet is not None:
        text += f" Facet {literal(made.facet.name)}: its probe is right on {made.facet.accuracy} of images held out."
    return text


def rows_of(made: Visualisation) -> list[list[str]]:
    """Return one row an image."""
    return [
        [str(number), f"{value:.2f}", f"{percent(share)} of {share.n} images"]
        for number, (value, share) in enumerate(zip(made.activations, made.beats, strict=True), start=1)
    ]


def alt_text(settings: UnitImageSettings, done: int) -> str:
    """Describe the picture."""
    return f"{settings.count} images painted for unit {settings.unit} of {settings.layer}, after {done} steps"


def build(page: Page, layer: gr.Dropdown, unit: gr.Number) -> None:
    """Lay out the section."""
    section = gr.Tab("What would it respond to most?", elem_id="neurons-paint", render_children=True)
    with section, gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            facet = gr.Radio(FACETS, value="", label="In the manner of", elem_id="neurons-facet")
            with gr.Row():
                go = gr.Button("Paint", variant="primary", elem_id="neurons-paint-go")
                stop = gr.Button("Stop", variant="stop", elem_id="neurons-paint-stop")
            canvas = gr.Radio(
                [(row.title, key) for key, row in canvases_for_units().items()], value="fourier", label="Canvas"
            )
            count = gr.Slider(1, 6, 3, step=1, label="Images", info="Each unlike the others.")
            steps = gr.Slider(8, 400, 64, step=8, label="Steps", elem_id="neurons-paint-steps")
            seed = gr.Number(0, precision=0, minimum=0, label="Random seed")
            start = image_box("Begin with an image (optional)", height=220)
        with gr.Column(elem_classes="answer"):
            text = gr.Markdown(NOTE, elem_classes=["live", "notes"], elem_id="neurons-paint-status")
            shown = gr.Image(
                label="Painted images", interactive=False, format="png", visible=COLLAPSED,
                buttons=["download", "fullscreen"], elem_id="neurons-painted",
            )  # fmt: skip
            png = gr.DownloadButton("PNG with all settings", size="sm", visible=False, elem_id="neurons-paint-png")
            rows = table(HEADERS, "Activations", visible=COLLAPSED, elem_id="neurons-paint-rows")

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        settings = UnitImageSettings(
            typed[layer] or "last", int(typed[unit] or 0), typed[canvas], int(typed[count]), int(typed[steps]),
            int(typed[seed] or 0),
        )  # fmt: skip
        visitor, path = owner(request), typed[start]
        pixels = start_pixels(safe_open(Path(path)), settings.side) if path else None

        def updates(token: CancelToken) -> Iterator[tuple[Any, ...]]:
            yield "Starting …", gr.skip(), gr.update(visible=False), gr.skip()
            with page.engine.session(visitor, typed[page.model], token=token, deadline=JOBS.seconds) as session:
                made = visualise(session, settings, facet=typed[facet] or "", start=pixels)
                for step in throttle(made, passes=lambda one: isinstance(one, Visualisation)):
                    yield screen(step, settings)

        yield from JOBS.run(visitor, updates, stopped=(JOBS.stopped, *(gr.skip(),) * 3))

    event: dict[str, Any] = {
        "fn": run, "inputs": {layer, unit, facet, canvas, count, steps, seed, start, page.model},
        "outputs": [text, shown, png, rows], **LONG, **QUIET,
    }  # fmt: skip
    wire(JOBS, go, stop, status=text, event=event)


def screen(step: Progress | Visualisation, settings: UnitImageSettings) -> tuple[Any, ...]:
    """Turn a step into updates of status, picture, download and table."""
    if isinstance(step, Progress):
        if step.preview is None:
            return f"Preparing: {step.line}.", gr.skip(), gr.skip(), gr.skip()
        line = f"{step.line}; activation {step.values['activation']:.2f}. Seed {settings.seed}."
        update = gr.update(value=step.preview, visible=True, alt_text=alt_text(settings, step.done))
        return line, update, gr.skip(), gr.skip()
    path = folder_beside_uploads("unit-") / f"unit-{settings.unit}-seed-{settings.seed}.png"
    write_whole(path, to_png(step))
    sheet = side_by_side(step.images.pixels)
    return (
        status(step),
        gr.update(value=sheet, visible=True, alt_text=alt_text(settings, len(step.images.curve))),
        gr.update(value=str(path), visible=True),
        gr.update(value=rows_of(step), visible=True),
    )
