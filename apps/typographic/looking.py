"""Where the model looks, clean and written on: one heat map each, for the answer that was given."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from apps.shared.events import ALWAYS_LAST, LONG, QUIET, owner
from apps.shared.markdown import literal
from apps.shared.widgets import COLLAPSED
from apps.typographic.form import WrittenForm
from apps.typographic.widgets import opened_picture
from workbench import attribution
from workbench.attribution import heatmap
from workbench.engine import Engine, Session
from workbench.errors import WorkbenchError
from workbench.languages import in_english
from workbench.typographic.comparing import WrittenAnswers, compare
from workbench.zeroshot import classifier

FAST = ("grad-cam", "attention-relevance")  # the quickest first; others only where none of these is served
OPACITY = 0.55
SECONDS = 60.0
LEGEND = heatmap.legend(signed=True)


def maps(session: Session, result: WrittenAnswers, form: WrittenForm) -> list[tuple[Image.Image, str]]:
    """Return two maps over what the model saw, and for each the label that it explains.

    Raises:
        Unsupported: the model serves no method.
    """
    reasons = attribution.availability(session)
    served = [key for key, reason in reasons.items() if not reason]
    method = next((key for key in FAST if key in served), served[0] if served else FAST[0])
    texts = classifier(session, in_english(form.names, session.spec), ("a photo of a {}.",)).numpy()
    signed, shown = next(one.signed for one in attribution.METHODS if one.key == method), []
    for row, picture in enumerate((result.clean, result.written)):
        pixels, label = session.prepare(picture).numpy(), result.top(row)
        target = form.names.index(label)
        request = attribution.Request(method=method, pixels=pixels, texts=texts, target=target, check=False)
        *_, explained = session.explain(request)
        assert isinstance(explained, attribution.Attribution)
        square = Image.fromarray(pixels.transpose(1, 2, 0))
        shown.append((attribution.overlay(square, explained.map, OPACITY, signed=signed), label))
    return shown


def build() -> dict[str, Any]:
    """Lay out the two maps and their switch."""
    on = gr.Checkbox(True, label="Show where it looks", info="For each answer.", elem_id="typographic-looks")
    with gr.Row():
        both = [
            gr.Image(
                label=title, interactive=False, height=220, format="png", visible=COLLAPSED, buttons=[], elem_id=name
            )
            for title, name in (("Clean", "typographic-look-clean"), ("Written on", "typographic-look-written"))
        ]
    note = gr.Markdown(elem_classes="notes")
    return {"on": on, "maps": both, "note": note}


def wire(engine: Engine, widgets: dict[str, Any], form: gr.State, *, image: gr.Image) -> None:
    """Draw the maps after each answer; the newest request wins."""

    def follow(form: WrittenForm | None, path: str | None, on: bool, request: gr.Request) -> tuple[Any, ...]:
        nothing = gr.update(visible=COLLAPSED)
        if not (on and form and path):
            return nothing, nothing, ""
        try:
            with engine.session(owner(request), form.model, deadline=SECONDS) as session:
                result = compare(session, opened_picture(path), form.labels, names=form.names)
                both = maps(session, result, form)
        except WorkbenchError as error:
            return nothing, nothing, literal(str(error))
        titles = ("Clean", "Written on")
        return (
            *(
                gr.update(value=picture, visible=True, label=f"{title}: {label}", alt_text=f"Heat map for “{label}”")
                for title, (picture, label) in zip(titles, both, strict=True)
            ),
            LEGEND,
        )

    outputs = [*widgets["maps"], widgets["note"]]
    shows = [form.change, widgets["on"].input]
    gr.on(shows, follow, [form, image, widgets["on"]], outputs, **ALWAYS_LAST, **QUIET, **LONG)
