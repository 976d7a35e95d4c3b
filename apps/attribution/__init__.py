"""Where it looks: which part of an image supports a label, as colour over the image and as a table of shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from apps.attribution.words import checked
from apps.shared.events import ALWAYS_LAST, ASIDE, ASKS_MODEL, LIGHT, LONG, handler, owner
from apps.shared.examples import LOOKED_AT, example_buttons, example_file, on_example
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import NO_ANSWER, literal
from apps.shared.page import Page, put
from apps.shared.query import read_setup
from apps.shared.widgets import COLLAPSED, image_box, labels_box, table, template_choice
from workbench import attribution
from workbench.attribution import heatmap
from workbench.engine import Engine, Session
from workbench.errors import BadInput, Unsupported, WorkbenchError
from workbench.labels import parse_labels
from workbench.reproduce import Setup
from workbench.results import explanation
from workbench.scheduler import CancelToken

METHODS = {method.key: method for method in attribution.METHODS}
LIKELIEST = "the likeliest label"
IDLE = (
    "Take an example, or choose an image and labels and press “Show where”. "
    "The likeliest label is explained, or one you choose."
)
JOBS = Jobs("attribution", stopped="Stopped; nothing is being computed.")


@dataclass(frozen=True)
class HeatMap:
    """A finished map, small enough to be kept for a visitor."""

    square: np.ndarray  # (s, s, 3) uint8, what the model saw
    map: np.ndarray  # (s, s) float32, positive supports the label
    label: str
    method: str  # key


def served(session: Session, method: str) -> str:
    """Return the method, or the first that this model serves where it does not serve that one.

    Raises:
        Unsupported: the model serves none.
    """
    reasons = attribution.availability(session)
    usable = [key for key, reason in reasons.items() if not reason]
    if not usable:
        raise Unsupported("This model serves no method: " + "; ".join(reasons.values()))
    return method if method in usable else usable[0]


def explain(session: Session, image: str | None, setup: Setup, *, label: str, method: str) -> Iterator[Any]:
    """Yield progress after each step on the device, and an `Explanation` at the end.

    Raises:
        BadInput: no image, or a label that is none of the labels.
        Unsupported: a method that this model cannot serve.
    """
    if not image:
        raise BadInput("Choose an image first: drop a file, or send one here from another view.")
    chosen = None if label in ("", LIKELIEST) else label
    return explanation.explain(session, Path(image), setup.labels, label=chosen, method=method, templates=setup.prompts)


def shares(values: np.ndarray) -> list[list[str]]:
    """Return, for nine fields, how much of the support for the label lies where; rows of text for a table."""
    return [
        [name, *(f"{100 * share:.0f} %" if share == share else "–" for share in row)]  # NaN: nothing supports the label
        for name, row in zip(heatmap.ROWS, heatmap.ninths(values), strict=True)
    ]


def summary(why: explanation.Explanation) -> str:
    """Return the lines under the map: label, method, colours, where, the check on the sum, cautions."""
    method, result = METHODS[why.attribution.method], why.attribution
    legend = heatmap.legend(signed=method.signed)
    lines = [
        f"**{literal(why.label)}** by {method.title}, {result.seconds:.1f} s. {legend}",
        literal(why.summary),
    ]
    if result.delta is not None:
        share = "" if result.relative_delta is None else f", {100 * result.relative_delta:.1f} % of the gain"
        lines.append(f"Convergence delta {result.delta:+.4f}{share}; 0 is exact.")
    lines += checked(result)
    return "\n\n".join([*lines, *(literal(note) for note in (result.note, why.unlike, why.read_as) if note)])


def blend(heat_map: HeatMap | None, opacity: float) -> Image.Image | None:
    """Lay the map over the image; no model is asked."""
    if heat_map is None:
        return None
    signed = METHODS[heat_map.method].signed
    return attribution.overlay(Image.fromarray(heat_map.square), heat_map.map, opacity, signed=signed)


def _methods(engine: Engine, key: str, visitor: str) -> tuple[Any, Any]:
    """Return the methods that the model serves, as choices, and Markdown with a reason for each of the others."""
    with engine.session(visitor, key, deadline=JOBS.seconds) as session:
        reasons = attribution.availability(session)
    choices = [(METHODS[key].title, key) for key, reason in reasons.items() if not reason]
    missing = [f"- {literal(METHODS[key].title)}: {literal(reason)}" for key, reason in reasons.items() if reason]
    text = "\n".join(["Not for this model:", *missing]) if missing else ""
    radio = gr.update(choices=choices, value=choices[0][1] if choices else None)
    return radio, gr.update(value=text, visible=bool(missing))


def _updates(steps: Iterator[Any], method: str, opacity: float) -> Iterator[tuple[Any, ...]]:
    """Turn the steps of `explain` into what the widgets show: status, image, shares, and the map to keep."""
    for step in throttle(steps, passes=lambda step: isinstance(step, explanation.Explanation)):
        if not isinstance(step, explanation.Explanation):
            yield f"{METHODS[method].title}: {step.line}", gr.skip(), gr.skip(), gr.skip()
            continue
        heat_map = HeatMap(np.asarray(step.square), step.map, step.label, method)
        alt = f"Heat map for “{step.label}” over the image. {step.summary}"
        image = gr.update(value=blend(heat_map, opacity), alt_text=alt, visible=True)
        yield summary(step), image, gr.update(value=shares(step.map), visible=True), heat_map


def build(page: Page) -> None:
    """Lay out the view."""
    engine, model = page.engine, page.model
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            image = image_box("Image", elem_id="attribution-image")
            buttons = example_buttons(LOOKED_AT, "attribution-example")
            labels = labels_box(elem_id="attribution-labels")
            label = gr.Dropdown(
                [LIKELIEST], value=LIKELIEST, label="Label to explain", allow_custom_value=True,
                elem_id="attribution-label",
            )  # fmt: skip
            method = gr.Radio(
                [(one.title, one.key) for one in METHODS.values()], value=next(iter(METHODS)), label="Method",
                info="How the map is computed.", elem_id="attribution-method",
            )  # fmt: skip
            missing = gr.Markdown(visible=False, elem_classes="notes")
            with gr.Row():
                go = gr.Button("Show where", variant="primary", elem_id="attribution-go")
                stop = gr.Button("Stop", variant="stop", elem_id="attribution-stop")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("attribution")
            drawn = gr.Image(
                label="Where it looks", interactive=False, height=400, format="png", visible=COLLAPSED,
                elem_id="attribution-map",
            )  # fmt: skip
            status = gr.Markdown(IDLE, elem_classes=["live", "notes"], elem_id="attribution-status")
            page.exchange.offer("attribution", image, labels, now=("neurons", "typographic", "search"))
            rows = table(
                ["part", *heatmap.COLUMNS], "Share of the support in each ninth of the image", visible=COLLAPSED,
                elem_id="attribution-shares",
            )  # fmt: skip
            opacity = gr.Slider(0, 1, 0.55, step=0.05, label="Opacity", info="0 shows the image, 1 the map alone.")
        with gr.Column(elem_classes="more"):
            choice, own = template_choice()
    kept = gr.State(None)

    @handler
    def show(typed: dict[Any, Any], request: gr.Request) -> Iterator[Any]:
        words = [typed[widget] for widget in (labels, choice, own)]
        visitor = owner(request)

        def maps(token: CancelToken) -> Iterator[Any]:
            setup = read_setup(*words, none_of_these=False, model=typed[model])
            with engine.session(visitor, setup.model, token=token, deadline=JOBS.seconds) as session:
                chosen = served(session, typed[method])
                steps = explain(session, typed[image], setup, label=typed[label] or "", method=chosen)
                yield from _updates(steps, chosen, typed[opacity])

        stopped = (JOBS.stopped, gr.skip(), gr.skip(), gr.skip())
        yield from JOBS.run(visitor, maps, stopped=stopped, failed=_nothing(NO_ANSWER))

    def offered(key: str, request: gr.Request) -> tuple[Any, Any]:
        try:
            return _methods(engine, key, owner(request))
        except WorkbenchError as error:
            return gr.update(choices=[], value=None), gr.update(value=literal(str(error)), visible=True)

    event: dict[str, Any] = {
        "fn": show,
        "inputs": {image, labels, label, method, opacity, choice, own, model},
        "outputs": [status, drawn, rows, kept],
        "api_visibility": "private",
        "show_progress": "hidden",
        **LONG,
    }
    wire(JOBS, go, stop, status=status, event=event)
    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    gr.on([image.change, model.input], offered, model, [method, missing], **hidden, **ASKS_MODEL)
    labels.change(_choices, labels, label, **ALWAYS_LAST, **LIGHT)
    image.input(lambda: _nothing(IDLE), None, [status, drawn, rows, kept], **ASIDE)
    opacity.change(blend, [kept, opacity], drawn, **ALWAYS_LAST, **LIGHT)
    on_example(buttons, [image, labels, label], LIKELIEST).then(**event, trigger_mode="multiple")
    page.exchange.accept("attribution", [image, labels], put, after=event)
    form = {image: lambda: example_file(LOOKED_AT[0].key), labels: LOOKED_AT[0].labels}
    page.first.show("attribution", event, form, mark=mark)


def _nothing(text: str) -> tuple[Any, ...]:
    """Take an older map away: it does not belong to this question."""
    return text, *(gr.update(visible=COLLAPSED),) * 2, None


def _choices(labels: str) -> Any:
    try:
        return gr.update(choices=[LIKELIEST, *parse_labels(labels or "")], value=LIKELIEST)
    except BadInput:
        return gr.update(choices=[LIKELIEST], value=LIKELIEST)
