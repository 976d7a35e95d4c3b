"""Which units made this answer? For one image and two labels: what each unit adds for A and against it, as a sum.

The sum is exact in the last layer; in layers below it is integrated, and its error is shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from apps.neurons.opened import JOBS
from apps.shared.charts import bars
from apps.shared.events import ASKS_MODEL, QUIET, handler, owner
from apps.shared.examples import EXAMPLES, example_file
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.widgets import COLLAPSED, image_box, table
from workbench.engine import Session
from workbench.engine.tasks import CONDUCTANCE, DECOMPOSE
from workbench.errors import BadInput
from workbench.labels import parse_labels
from workbench.neurons.atlas import find_atlas
from workbench.neurons.conductance import ConductanceRequest
from workbench.neurons.finding import Speakers, speakers
from workbench.neurons.layers import is_last, layer_name
from workbench.neurons.naming import name_units
from workbench.neurons.vocabulary import embed_words
from workbench.taught.likeness import unlike_note

HEADERS = ["unit", "responds to", "adds to A − B", "to A", "to B"]
NOTE = (
    "Of the layer chosen above. In the last layer the sum is exact; below, it is integrated from a blurred copy of the "
    "image (conductance), and the sum's error says how well."
)
ANSWERS = "answers"  # the tab
OTHER_LABELS = ("cat", "dog", "car", "tree", "house", "person", "food", "word", "bird", "boat")


def explain(session: Session, path: str | None, labels: tuple[str, str], *, layer: str = "last") -> Speakers:
    """Split the difference of two cosines into what units of a layer add.

    Raises:
        BadInput: no image, or not two different labels.
        UnknownName, Unsupported: the tower has no such layer, or none at all.
    """
    import numpy as np

    first, second = (label.strip() for label in labels)
    if not path:
        raise BadInput("Choose an image first.")
    if not first or not second or first == second:
        raise BadInput(f"Type two different labels; got {first!r} and {second!r}.")
    pixels = session.prepare(Path(path)).numpy()
    rows = embed_words(session, [first, second]).numpy()
    common = embed_words(session, [first, second, *OTHER_LABELS]).numpy().mean(axis=0)
    texts, name = np.vstack([rows, common]), layer_name(session.anatomy, layer)
    if is_last(session.anatomy, name):
        (parts,) = session.stream(DECOMPOSE, (pixels[None], texts))
    else:
        *_, parts = session.stream(CONDUCTANCE, ConductanceRequest(pixels, texts, name))
    return speakers(parts)


def summary(split: Speakers, labels: tuple[str, str], *, exact: bool = True) -> str:
    """Return the sum in words."""
    first, second = (literal(label) for label in labels)
    named = sum(one.adds for one in split.speakers)
    rest = "biases" if exact else "a blurred copy of the image, from which it is faded in"
    return (
        f"Cosine with “{first}” minus cosine with “{second}”: **{split.difference:+.4f}** = {named:+.4f} (the units "
        f"below) {split.others:+.4f} (all others) {split.constant:+.4f} ({rest}). The sum differs from the model's own "
        f"cosines by {split.error:.0e}. All labels share {split.common:+.4f}, left out of “to A” and “to B”."
    )


def names_of(session: Session, units: list[int]) -> dict[int, str]:
    """Return first names that are above chance, where the atlas is at hand."""
    atlas = find_atlas(session, "last")
    if atlas is None:
        return {}
    named = name_units(atlas.evidence, units, directions=atlas.directions, count=1)
    return {unit: names[0].title for unit, names in zip(units, named, strict=True) if names[0].above_chance}


def build(page: Page, layer: gr.Dropdown, tabs: gr.Tabs) -> None:
    """Lay out the section; `layer`: the view's choice; `tabs`: those that hold it."""
    section = gr.Tab("Which units made this answer?", id=ANSWERS, elem_id="neurons-answers", render_children=True)
    with section, gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            image = image_box("Image", height=220, elem_id="neurons-image")
            first = gr.Textbox("cat", label="Answer A", elem_id="neurons-a")
            second = gr.Textbox("dog", label="Answer B")
            go = gr.Button("Show the units", elem_id="neurons-explain")
            gr.Markdown(NOTE, elem_classes="notes")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("neurons-answers")
            text = gr.Markdown(elem_classes="live", elem_id="neurons-sum")
            chart = gr.Plot(label="What each unit adds to A − B", visible=COLLAPSED, elem_id="neurons-bars")
            page.exchange.offer("neurons", image, first, second, now=("typographic", "attribution", "search"))
            rows = table(HEADERS, "Units", visible=COLLAPSED, elem_id="neurons-speakers")

    @handler
    def run(path: str | None, a: str, b: str, name: str, key: str, request: gr.Request) -> tuple[Any, Any, Any]:
        labels = (a or "", b or "")
        with page.engine.session(owner(request), key, deadline=JOBS.seconds) as session:
            split = explain(session, path, labels, layer=name or "last")
            exact = is_last(session.anatomy, layer_name(session.anatomy, name or "last"))
            units = exact and split.speakers[0].name.startswith("unit") if split.speakers else False
            names = names_of(session, [one.unit for one in split.speakers]) if units else {}
            unlike = unlike_note(session, Path(path or ""))
        listed = [
            [one.name, names.get(one.unit, ""), f"{one.adds:+.4f}", f"{one.to_a:+.4f}", f"{one.to_b:+.4f}"]
            for one in split.speakers
        ]
        titles = [f"{one.name} {names.get(one.unit, '')}".strip() for one in split.speakers]
        figure = bars(titles, {"adds to A − B": [one.adds for one in split.speakers]}, axis="difference of cosines")
        return (
            f"{summary(split, labels, exact=exact)} {literal(unlike)}",
            gr.update(value=figure, visible=True),
            gr.update(value=listed, visible=True),
        )

    event = {
        "fn": run, "inputs": [image, first, second, layer, page.model], "outputs": [text, chart, rows],
        **QUIET, **ASKS_MODEL,
    }  # fmt: skip
    go.click(**event)
    page.exchange.accept(
        "neurons", [image, first, second], _received, after=event, opens={tabs: gr.update(selected=ANSWERS)}
    )
    example = EXAMPLES[0]
    form = {image: lambda: example_file(example.key), first: first.value, second: second.value}
    with section:
        page.first.show("neurons-answers", event, form, mark=mark)


def _received(path: str | None, labels: str, *present: Any) -> list[Any]:
    """Take the first two labels as the answers to compare; one alone is compared with what stands there."""
    names = [*parse_labels(labels), *map(str, present[1:])] if labels.strip() else []
    return [path or gr.skip(), *(list(dict.fromkeys(names)) + [gr.skip()] * 2)[:2]]
