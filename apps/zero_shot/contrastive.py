"""The contrastive view: several pictures against several texts, as in figure 1 of the CLIP paper.

Knows the view; the similarities come from `workbench.zeroshot.contrast`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from apps import limits
from apps._figures import heat_map
from apps._handler import LIGHT, MODEL_LIMIT, MODEL_QUEUE, handler, owner
from apps._model_menu import model_menu
from apps._widgets import literal, table
from apps.zero_shot.question import numbers, provenance
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.labels import parse_labels
from workbench.pictures import CONTRASTIVE, sample_path
from workbench.zeroshot import Contrast, contrast

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXT, PICTURE, COSINE = "Which text for this picture", "Which picture for this text", "Raw cosine"
_IDLE = "Choose pictures and texts, or take the five animals."


def check_pair(pictures: Sequence[str], texts: Sequence[str], limit: int) -> None:
    """Refuse what the matrix cannot hold.

    Raises:
        BadInput: no picture or text, or more than `limit` of either.
    """
    for what, given in (("pictures", pictures), ("texts", texts)):
        if not 1 <= len(given) <= limit:
            raise BadInput(f"This view takes 1 to {limit} {what}; got {len(given)}.")


def values(found: Contrast, direction: str) -> NDArray[Any]:
    """Return the matrix to show, (n, m): rows sum to 1 for `TEXT`, columns for `PICTURE`, cosines otherwise."""
    chosen = {TEXT: found.text_given_image, PICTURE: found.image_given_text}.get(direction, found.cosines)
    return np.asarray(chosen)


def matched(found: Contrast) -> tuple[int, int] | None:
    """Return how many pairs are first among the texts, and among the pictures; None for unequal counts."""
    cosines = np.asarray(found.cosines)
    if cosines.shape[0] != cosines.shape[1]:
        return None
    pairs = np.arange(len(cosines))
    return int((cosines.argmax(axis=1) == pairs).sum()), int((cosines.argmax(axis=0) == pairs).sum())


def verdict(found: Contrast) -> str:
    """Say how many matched pairs are first in each direction, or why there are none."""
    rows, columns = found.cosines.shape
    right = matched(found)
    if right is None:
        return f"{rows} pictures and {columns} texts: unequal counts, so nothing is matched with anything."
    return (
        f"For **{right[0]} of {rows}** pictures their own text comes first; "
        f"for **{right[1]} of {rows}** texts their own picture does."
    )


def figure(found: Contrast, direction: str, *, names: Sequence[str], texts: Sequence[str]) -> Any:
    """Draw the matrix, with a frame around each matched pair where counts are equal."""
    title = "cosine" if direction == COSINE else "probability"
    drawn = heat_map(values(found, direction), names, texts, title=title)
    if len(names) == len(texts):
        for pair in range(len(names)):
            low, high = pair - 0.5, pair + 0.5
            line = {"color": "#d9822b", "width": 3}
            drawn.add_shape(type="rect", x0=low, x1=high, y0=low, y1=high, line=line)
    return drawn


def shown(kept: tuple[Contrast, list[str], list[str]] | None, direction: str) -> tuple[Any, Any]:
    """Return figure and table of the last answer in one direction; nothing before the first answer."""
    if kept is None:
        return None, gr.update(value=[])
    found, names, texts = kept
    matrix = values(found, direction)
    rows = [[name, *(round(float(value), 4) for value in line)] for name, line in zip(names, matrix, strict=True)]
    return figure(found, direction, names=names, texts=texts), gr.update(value=rows, headers=["picture", *texts])


def build(engine: Engine) -> None:
    """Lay out the view."""
    limit = limits.current().contrast
    kept = gr.State(None)
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            gallery = gr.Gallery(
                label=f"Pictures, up to {limit}",
                type="filepath",
                format="png",
                columns=4,
                height=260,
                file_types=["image"],
                interactive=True,
                elem_id="contrast-pictures",
            )
            texts = gr.Textbox(
                label=f"Texts, up to {limit}",
                info="Separated by commas, or one a line; the first belongs to the first picture, and so on.",
                lines=3,
                elem_id="contrast-texts",
            )
            with gr.Row():
                go = gr.Button("Compare all", variant="primary", elem_id="contrast-go")
                animals = gr.Button("Five drawn animals", elem_id="contrast-preset")
        with gr.Column(elem_classes="answer"):
            says = gr.Markdown(_IDLE, elem_classes=["verdict", "live"])
            choices = [TEXT, PICTURE, COSINE]
            direction = gr.Radio(choices, value=TEXT, label="Each cell shows", elem_id="contrast-direction")
            chart = gr.Plot(label="Pictures (rows) against texts (columns)", elem_id="contrast-chart")
            rows = table(["picture"], "The same as a table", elem_id="contrast-table")
            whose = gr.Markdown(elem_classes="provenance")
        with gr.Column(elem_classes="more"):
            model = model_menu(engine)

    @handler
    def compare(given: list[Any] | None, typed: str, way: str, key: str, request: gr.Request) -> tuple[Any, ...]:
        began = time.perf_counter()
        files = [str(item[0] if isinstance(item, (list, tuple)) else item) for item in given or []]
        words = list(parse_labels(typed or ""))
        check_pair(files, words, limit)
        with engine.session(owner(request), key, deadline=limits.current().job_seconds) as session:
            found = contrast(session, [Path(file) for file in files], words)
            said = provenance(session, " on ".join(numbers(engine)), time.perf_counter() - began)
            cut = "\n\n".join(literal(reading.note) for reading in session.read(words) if reading.note)
        now = (found, _picture_names(files), words)
        return (verdict(found), *shown(now, way), f"{said}\n\n{cut}", now)

    @handler
    def take() -> tuple[list[str], str]:
        return [str(sample_path(key)) for key, _ in CONTRASTIVE], ", ".join(text for _, text in CONTRASTIVE)

    wire: dict[str, Any] = {"concurrency_id": MODEL_QUEUE, "concurrency_limit": MODEL_LIMIT, "show_progress_on": [says]}
    inputs, outputs = [gallery, texts, direction, model], [says, chart, rows, whose, kept]
    go.click(compare, inputs, outputs, api_name="contrast", **wire)
    animals.click(take, None, [gallery, texts], api_visibility="private").success(
        compare, inputs, outputs, api_visibility="private", **wire
    )
    direction.change(shown, [kept, direction], [chart, rows], api_visibility="private", **LIGHT)


def _picture_names(files: Sequence[str]) -> list[str]:
    """Number the pictures as the gallery shows them: names may repeat, numbers do not."""
    return [f"{number}. {Path(file).stem}" for number, file in enumerate(files, start=1)]
