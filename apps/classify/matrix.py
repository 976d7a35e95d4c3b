"""Several images against several texts, as in figure 1 of the CLIP paper."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from apps import limits
from apps.shared.charts import heat_map
from apps.shared.events import ASKS_MODEL, CHOICE, LIGHT, handler, owner
from apps.shared.examples import example_file
from apps.shared.jobs import Jobs
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.query import provenance
from apps.shared.widgets import COLLAPSED, table
from workbench.errors import BadInput
from workbench.labels import parse_labels
from workbench.pictures import CONTRASTIVE
from workbench.taught.likeness import together
from workbench.zeroshot import ContrastMatrix, contrast

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXT, IMAGE, COSINE = "Which text for this image", "Which image for this text", "Raw cosine"
IDLE = "Choose images and texts, or take the five animals."
JOBS = Jobs("answer")
BLANK = ", \t\n"  # what separates texts, and is none


def check_counts(images: Sequence[str], texts: Sequence[str], limit: int) -> None:
    """Refuse what the matrix cannot hold.

    Raises:
        BadInput: no image or text, or more than `limit` of either.
    """
    for what, given in (("images", images), ("texts", texts)):
        if not 1 <= len(given) <= limit:
            raise BadInput(f"This view takes 1 to {limit} {what}; got {len(given)}.")


def values(result: ContrastMatrix, direction: str) -> NDArray[Any]:
    """Return the matrix to show, (n, m): rows sum to 1 for `TEXT`, columns for `IMAGE`, cosines otherwise."""
    chosen = {TEXT: result.text_given_image, IMAGE: result.image_given_text}.get(direction, result.cosines)
    return np.asarray(chosen)


def matched(result: ContrastMatrix) -> tuple[int, int] | None:
    """Return how many pairs are first among the texts, and among the images; None for unequal counts."""
    cosines = np.asarray(result.cosines)
    if cosines.shape[0] != cosines.shape[1]:
        return None
    pairs = np.arange(len(cosines))
    return int((cosines.argmax(axis=1) == pairs).sum()), int((cosines.argmax(axis=0) == pairs).sum())


def verdict(result: ContrastMatrix) -> str:
    """Say how many matched pairs are first in each direction, or why there are none."""
    rows, columns = result.cosines.shape
    right, unlike = matched(result), literal(together(result.unlike))
    if right is None:
        return f"{rows} images and {columns} texts: unequal counts, so there are no pairs to match. {unlike}"
    return (
        f"For **{right[0]} of {rows}** images their own text comes first; "
        f"for **{right[1]} of {rows}** texts their own image does. {unlike}"
    )


def figure(result: ContrastMatrix, direction: str, *, names: Sequence[str], texts: Sequence[str]) -> Any:
    """Draw the matrix, with a frame around each matched pair where counts are equal."""
    title = "cosine" if direction == COSINE else "probability"
    drawn = heat_map(values(result, direction), names, texts, title=title)
    if len(names) == len(texts):
        for pair in range(len(names)):
            low, high = pair - 0.5, pair + 0.5
            line = {"color": "#d9822b", "width": 3}
            drawn.add_shape(type="rect", x0=low, x1=high, y0=low, y1=high, line=line)
    return drawn


def shown(compared: tuple[ContrastMatrix, list[str], list[str]] | None, direction: str) -> tuple[Any, Any]:
    """Return figure and table of the last answer in one direction; nothing before the first answer."""
    if compared is None:
        return gr.skip(), gr.skip()
    result, names, texts = compared
    matrix = values(result, direction)
    rows = [[name, *(round(float(value), 4) for value in line)] for name, line in zip(names, matrix, strict=True)]
    drawn = figure(result, direction, names=names, texts=texts)
    return gr.update(value=drawn, visible=True), gr.update(value=rows, headers=["image", *texts], visible=True)


def build(page: Page) -> None:
    """Lay out the view."""
    engine, limit = page.engine, limits.current().contrast
    kept, chosen = gr.State(None), gr.State(None)
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            gallery = gr.Gallery(
                label=f"Images, up to {limit}",
                type="filepath",
                format="png",
                columns=4,
                height=260,
                file_types=["image"],
                interactive=True,
                elem_id="matrix-images",
            )
            texts = gr.Textbox(
                label=f"Texts, up to {limit}",
                info="Separated by commas or one per line; the first belongs to the first image, and so on.",
                lines=3,
                elem_id="matrix-texts",
            )
            with gr.Row():
                go = gr.Button("Compare all", variant="primary", elem_id="matrix-go")
                animals = gr.Button("Five drawn animals", elem_id="matrix-preset")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("matrix")
            status = gr.Markdown(IDLE, elem_classes=["verdict", "live"], elem_id="matrix-verdict")
            choices = [TEXT, IMAGE, COSINE]
            direction = gr.Radio(
                choices, value=TEXT, label="Each cell shows", visible=COLLAPSED, elem_id="matrix-direction"
            )
            chart = gr.Plot(label="Images (rows) against texts (columns)", visible=COLLAPSED, elem_id="matrix-chart")
            page.exchange.offer("matrix", chosen, texts, now=("attribution", "compare", "neurons"))
            gr.Markdown("Sends the image selected in the gallery, or the first.", elem_classes="notes")
            rows = table(["image"], "The same as a table", visible=COLLAPSED, elem_id="matrix-table")
            whose = gr.Markdown(elem_classes="provenance")

    @handler
    def compare(given: list[Any] | None, typed: str, way: str, key: str, request: gr.Request) -> tuple[Any, ...]:
        began = time.perf_counter()
        files, words = _paths(given), list(parse_labels(typed)) if (typed or "").strip(BLANK) else []
        check_counts(files, words, limit)
        with engine.session(owner(request), key, deadline=JOBS.seconds) as session:
            result = contrast(session, [Path(file) for file in files], words)
            line = provenance(session, engine, time.perf_counter() - began)
            cut = "\n\n".join(literal(reading.note) for reading in session.read(words) if reading.note)
        now = (result, _names(files), words)
        return (verdict(result), gr.update(visible=True), *shown(now, way), f"{line}\n\n{cut}", now)

    event: dict[str, Any] = {
        "fn": compare,
        "inputs": [gallery, texts, direction, page.model],
        "outputs": [status, direction, chart, rows, whose, kept],
        "api_visibility": "private",
        "show_progress_on": [status],
        **ASKS_MODEL,
    }
    go.click(**event)
    animals.click(handler(_animals), None, [gallery, texts], api_visibility="private").success(**event)
    direction.change(shown, [kept, direction], [chart, rows], **LIGHT)
    gallery.select(_selected, gallery, chosen, **CHOICE)
    gallery.change(lambda given: next(iter(_paths(given)), None), gallery, chosen, **LIGHT)
    page.exchange.accept("matrix", [gallery, texts], _added, after=event)
    page.first.show("matrix", event, {gallery: lambda: _animals()[0], texts: _animals()[1]}, mark=mark)


def _animals() -> tuple[list[str], str]:
    return [example_file(key) for key, _ in CONTRASTIVE], ", ".join(text for _, text in CONTRASTIVE)


def _selected(given: list[Any] | None, event: gr.SelectData) -> str | None:
    path: str = _paths(given)[event.index]
    return path


def _added(image: str | None, labels: str, given: list[Any] | None, texts: str) -> list[Any]:
    """Add an image that was sent to those that are there; labels replace texts only where there are none."""
    files = _paths(given)
    more = [*files, image] if image and image not in files else files
    return [more or gr.skip(), labels if labels and not (texts or "").strip() else gr.skip()]


def _paths(given: list[Any] | None) -> list[str]:
    return [str(item[0] if isinstance(item, (list, tuple)) else item) for item in given or []]


def _names(files: Sequence[str]) -> list[str]:
    """Number the images as the gallery shows them: names may repeat, numbers do not."""
    return [f"{number}. {Path(file).stem}" for number, file in enumerate(files, start=1)]
