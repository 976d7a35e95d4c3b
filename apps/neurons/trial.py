"""Try your own image or sentence on the unit that is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from apps.neurons.opened import JOBS
from apps.shared.events import ASKS_MODEL, QUIET, handler, owner
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.widgets import COLLAPSED, image_box
from workbench.engine import Session
from workbench.engine.tasks import LAYER, UNIT_MAPS
from workbench.errors import BadInput
from workbench.neurons.atlas import find_atlas
from workbench.neurons.layers import check_unit, is_last, layer_name
from workbench.neurons.page import overlaid


def try_image(session: Session, path: str, layer: str, *, unit: int) -> tuple[str, Any]:
    """Return the unit's activation on an image in words, and where it is active."""
    name = layer_name(session.anatomy, layer)
    pixels = session.prepare(Path(path)).numpy()[None]
    (rows,) = session.stream(LAYER, (pixels, name))
    check_unit(unit, rows.pooled.shape[1], name)
    value = float(rows.pooled[0, unit])
    atlas = find_atlas(session, name)
    text = f"On this image unit {unit} of {literal(name)} has the activation **{value:.3f}**"
    if atlas is not None:
        below = int((atlas.survey.of(unit) < value).sum())
        text += f", more than on {below} of the {len(atlas.survey.items)} built-in images"
    (maps,) = session.stream(UNIT_MAPS, (pixels, name, unit))
    return text + ".", overlaid(Image.fromarray(pixels[0].transpose(1, 2, 0)), maps[0])


def try_sentence(session: Session, sentence: str, layer: str, *, unit: int) -> str:
    """Return how the unit moves the cosine with a sentence, in words."""
    name = layer_name(session.anatomy, layer)
    if not is_last(session.anatomy, name):
        return f"What unit {unit} of {literal(name)} does to a sentence depends on the image; choose the last layer."
    assert session.anatomy.head is not None
    directions = session.anatomy.head.directions
    check_unit(unit, directions.shape[1], name)
    direction = directions[:, unit].detach().float().cpu().numpy()
    atlas = find_atlas(session, name)
    change = float(session.embed_texts([sentence])[0].numpy() @ direction)
    text = f"One more unit of activation moves “{literal(sentence)}” by **{change:+.3f}** before scaling"
    if atlas is not None:
        below = float(np.mean(atlas.lexicon.rows @ direction < change))
        text += f", more than {100 * below:.0f} % of {len(atlas.lexicon.words)} words"
    return text + "."


def build(page: Page, layer: gr.Dropdown, unit: gr.Number) -> None:
    """Lay out the boxes."""
    with gr.Accordion("Try your own image or sentence on this unit", open=False, elem_id="neurons-trial"):
        image = image_box("Your image", height=200, elem_id="neurons-own")
        sentence = gr.Textbox("", label="Your sentence", placeholder="a photo of a dog", elem_id="neurons-sentence")
        go = gr.Button("Try")
        text = gr.Markdown(elem_classes="live")
        where = gr.Image(
            label="Where the unit is active", interactive=False, format="png", visible=COLLAPSED,
            buttons=["fullscreen"], alt_text="Your image, bright where the unit is active",
        )  # fmt: skip

    @handler
    def run(path: str | None, words: str, name: str, number: float, key: str, request: gr.Request) -> tuple[Any, Any]:
        if not path and not (words and words.strip()):
            raise BadInput("Choose an image or type a sentence first.")
        lines, drawn = [], None
        with page.engine.session(owner(request), key, deadline=JOBS.seconds) as session:
            if path:
                line, drawn = try_image(session, path, name or "last", unit=int(number))
                lines.append(line)
            if words and words.strip():
                lines.append(try_sentence(session, words.strip(), name or "last", unit=int(number)))
        return "\n\n".join(lines), gr.update(value=drawn, visible=True if drawn is not None else COLLAPSED)

    gr.on(
        [go.click, sentence.submit, image.upload], run, [image, sentence, layer, unit, page.model], [text, where],
        **QUIET, **ASKS_MODEL,
    )  # fmt: skip
