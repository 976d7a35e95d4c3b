"""Where it looked: which part of the picture spoke for a label, as colour over the picture and as a table of shares.

Knows the view; the methods stand in `workbench.attribution`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from apps import limits
from apps._handler import LIGHT, LONG, handler, owner
from apps._run_and_stop import Runs, wire
from apps._widgets import literal, table
from apps.zero_shot.question import Asked
from workbench import attribution
from workbench.attribution import heatmap
from workbench.engine import Engine, Session
from workbench.errors import BadInput
from workbench.images import safe_open
from workbench.labels import NONE_OF_THESE
from workbench.scheduler import CancelToken
from workbench.zeroshot import classifier

METHODS = {method.key: method for method in attribution.METHODS}
IDLE = "Ask about a picture first; then choose a label and a method here."


@dataclass(frozen=True)
class Seen:
    """A finished map, small enough to be kept for a visitor."""

    square: np.ndarray  # (s, s, 3) uint8, what the model saw
    map: np.ndarray  # (s, s) float32, positive speaks for the label
    label: str
    method: str  # key


def look(session: Session, asked: Asked, *, label: str, method: str) -> Iterator[Any]:
    """Yield progress after each step on the device, and a `attribution.Attribution` at the end.

    Raises:
        BadInput: a label that was not asked.
        Unsupported: a method that this model cannot serve.
    """
    labels = asked.setup.labels
    if label not in labels:
        raise BadInput(f"Choose one of the labels that were asked: {', '.join(labels[:8])}; got {label!r}.")
    pixels = session.prepare(safe_open(Path(asked.picture)))  # (3, s, s) uint8
    request = attribution.Request(
        method=method,
        pixels=pixels.numpy(),
        texts=classifier(session, labels, asked.setup.prompts).numpy(),
        target=labels.index(label),
    )
    yield Seen(pixels.numpy().transpose(1, 2, 0), np.zeros(pixels.shape[1:], np.float32), label, method)
    yield from session.explain(request)


def shares(values: np.ndarray) -> list[list[str]]:
    """Say in nine fields how much of what spoke for the label lies where; rows of text for a table."""
    return [
        [name, *(f"{share:.0%}" if share == share else "–" for share in row)]  # NaN: nothing spoke for the label
        for name, row in zip(heatmap.ROWS, heatmap.ninths(values), strict=True)
    ]


def summary(seen: Seen, found: attribution.Attribution) -> str:
    """Return the lines under the map: label, method, colours, where, the check on the sum, cautions."""
    method = METHODS[seen.method]
    lines = [
        f"**{literal(seen.label)}** by {method.title}, {found.seconds:.1f} s. {heatmap.legend(signed=method.signed)}",
        literal(heatmap.summary(seen.map)),
    ]
    if found.delta is not None:
        share = "" if found.relative_delta is None else f", {found.relative_delta:.1%} of what was gained"
        lines.append(f"Convergence delta {found.delta:+.4f}{share}; 0 is exact.")
    return "\n\n".join([*lines, literal(found.note)] if found.note else lines)


def _served(reasons: dict[str, str]) -> tuple[list[tuple[str, str]], str]:
    """Split the methods into choices, and Markdown that names the others with the reason why not."""
    choices = [(METHODS[key].title, key) for key, reason in reasons.items() if not reason]
    missing = [f"- {literal(METHODS[key].title)}: {literal(reason)}" for key, reason in reasons.items() if reason]
    return choices, "\n".join(["Not for this model:", *missing]) if missing else ""


def blend(seen: Seen | None, opacity: float) -> Image.Image | None:
    """Lay the map over the picture; no model is asked."""
    if seen is None:
        return None
    return attribution.overlay(Image.fromarray(seen.square), seen.map, opacity, signed=METHODS[seen.method].signed)


def _ready(engine: Engine, question: Asked | None, visitor: str) -> tuple[Any, ...]:
    """Return what the widgets show after a new answer: labels, methods, reasons, button, words, and no old map."""
    if question is None:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip(), IDLE, None, None, None
    with engine.session(visitor, question.setup.model) as session:
        choices, missing = _served(attribution.availability(session))
    labels = [label for label in question.ranked if label != NONE_OF_THESE]
    return (
        gr.update(choices=labels, value=labels[0], interactive=True),
        gr.update(choices=choices, value=choices[0][1] if choices else None, interactive=True),
        gr.update(value=missing, visible=bool(missing)),
        gr.update(interactive=bool(choices)),
        "Choose a label and a method, then press “Show where”.",
        None,
        None,
        None,
    )


def _screens(steps: Iterator[Any], opacity: float) -> Iterator[tuple[Any, ...]]:
    """Turn the steps of `look` into what the widgets show: words, picture, shares, and the map to keep."""
    seen = next(steps)
    for step in steps:
        if isinstance(step, attribution.Attribution):
            seen = replace(seen, map=step.map)
            alt = f"Heat map for “{seen.label}” over the picture. {heatmap.summary(step.map)}"
            picture = gr.update(value=blend(seen, opacity), alt_text=alt)
            yield summary(seen, step), picture, shares(step.map), seen
        else:
            yield (
                f"{METHODS[seen.method].title}: {step.done} of {step.total} {step.unit}",
                gr.skip(),
                gr.skip(),
                gr.skip(),
            )


def build(engine: Engine, asked: gr.State) -> None:
    """Lay out the view; `asked` holds the last answered question of this visitor."""
    runs = Runs("Stopped. Nothing is computed any more.")

    @handler
    def prepare(question: Asked | None, request: gr.Request) -> tuple[Any, ...]:
        return _ready(engine, question, owner(request))

    @handler
    def show(typed: dict[Any, Any], request: gr.Request) -> Iterator[Any]:
        if typed[asked] is None:
            raise BadInput(IDLE)
        visitor, seconds = owner(request), limits.current().job_seconds

        def maps(token: CancelToken) -> Iterator[Any]:
            with engine.session(visitor, typed[asked].setup.model, token=token, deadline=seconds) as session:
                steps = look(session, typed[asked], label=typed[label], method=typed[method])
                yield from _screens(steps, typed[opacity])

        yield from runs.newest(visitor, maps, stopped=(runs.stopped, gr.skip(), gr.skip(), gr.skip()))

    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            label = gr.Dropdown([], label="Label", info="Which answer to explain.", interactive=True)
            method = gr.Radio([], label="Method", info="How the map is computed.", interactive=True)
            missing = gr.Markdown(visible=False, elem_classes="notes")
            with gr.Row():
                go = gr.Button("Show where", variant="primary", interactive=False, elem_id="where-go")
                stop = gr.Button("Stop", variant="stop", elem_id="where-stop")
            opacity = gr.Slider(0, 1, 0.55, step=0.05, label="Opacity", info="0 shows the picture, 1 the map alone.")
        with gr.Column(scale=6, min_width=300):
            status = gr.Markdown(IDLE, elem_classes=["live", "notes"], elem_id="where-status")
            picture = gr.Image(
                label="Where it looked", interactive=False, height=340, format="png", elem_id="where-map"
            )
            rows = table(
                ["part", *heatmap.COLUMNS], "Share of the evidence in each ninth of the picture", elem_id="where-shares"
            )
    seen = gr.State(None)
    asked.change(
        prepare,
        asked,
        [label, method, missing, go, status, picture, rows, seen],
        show_progress="hidden",
        api_visibility="private",
    )
    event: dict[str, Any] = {
        "fn": show,
        "inputs": {asked, label, method, opacity},
        "outputs": [status, picture, rows, seen],
        "api_visibility": "private",
        "show_progress": "hidden",
        **LONG,
    }
    wire(runs, go, stop, says=status, event=event)
    opacity.change(
        blend,
        [seen, opacity],
        picture,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
        **LIGHT,
    )
