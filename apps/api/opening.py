"""Endpoints of the view that opens units: find, page, contributions, without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from apps.api.asking import Ask, Image, Labels, Model, Steps, new_place
from workbench.errors import BadInput
from workbench.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Generator

    from workbench.engine import Session
    from workbench.neurons.atlas import Atlas

Layer = Annotated[str, "a layer of the image tower, or last"]


def _atlas(session: Session, layer: str) -> Generator[Progress, None, Atlas]:
    """Yield progress while a layer is surveyed for the first time; return its atlas."""
    from workbench.neurons.atlas import Atlas
    from workbench.neurons.atlas_building import find_or_build

    steps: Iterator[Any] = find_or_build(session, layer)
    for step in steps:
        if isinstance(step, Progress):
            yield step
        elif isinstance(step, Atlas):
            atlas = step
    return atlas


def find_neurons(
    ask: Ask,
    concept: Annotated[str, "a word such as dog, or letters and stars such as *k: units that read words like that"],
    layer: Layer = "last",
    model: Model = "",
) -> Annotated[Steps, "units, the strongest first: unit, score, direction, selectivity by form"]:
    """Find the units that respond to a concept, in photos, drawings and written words."""
    from workbench.neurons.finding import find_readers, find_units
    from workbench.neurons.vocabulary import embed_words

    word = concept.strip()
    if not word:
        raise BadInput("Type a concept, for example: dog.")
    with ask.session(model, "neurons") as session:
        atlas = yield from _atlas(session, layer)
        matches = (
            find_readers(atlas, word)
            if "*" in word
            else find_units(atlas, word, embed_words(session, [word])[0].numpy())
        )
    yield {"units": list(map(asdict, matches))}


def neuron(
    ask: Ask,
    layer: Layer = "last",
    unit: Annotated[int, "a channel, or a position along the width of tokens, from 0"] = 0,
    answer: Annotated[str, "of the gallery “used most for”; empty for the first name"] = "",
    model: Model = "",
) -> Annotated[Steps, "title, names with score and what a shuffled unit gets, spelling; page and vector: files"]:
    """Say what one unit responds to, with evidence, and write its page."""
    from workbench.results.units import NamedUnit, name_unit

    if unit < 0:
        raise BadInput(f"Units are numbered from 0; got {unit}.")
    with ask.session(model, "neurons") as session:
        for step in name_unit(session, layer, unit, answer=answer.strip().lower()):
            if isinstance(step, NamedUnit):
                stem = new_place("unit") / f"unit-{unit}"
                files = {key: step.save(stem.with_suffix(end)) for key, end in (("page", ".html"), ("vector", ".json"))}
                yield {**step.to_dict(), **files}
            else:
                yield step


def contributions(
    ask: Ask,
    image: Image,
    label_a: Annotated[str, "the first answer"],
    label_b: Annotated[str, "the second answer"],
    layer: Layer = "last",
    model: Model = "",
) -> Annotated[dict[str, Any], "difference of the two cosines, speakers: what each unit adds; others, constant, error"]:
    """Split the difference between two answers into what each unit adds; exact in the last layer."""
    from apps.neurons.answers import explain

    with ask.session(model, "neurons") as session:
        return asdict(explain(session, image, (label_a, label_b), layer=layer))


def without(
    ask: Ask,
    units: Annotated[list[int], "of the last layer"],
    labels: Labels,
    image: Image = "",
    kind: Annotated[Literal["off", "clamp", "add"], "what is done to them: off, clamp (to the value) or add"] = "off",
    value: Annotated[float, "in the units' own scale; not used by off"] = 0.0,
    model: Model = "",
) -> Annotated[Steps, "before and after: share named right, turned; answers: label, before, after for the image"]:
    """Switch units off, and see how answers change on the built-in images and on one of yours."""
    from apps.neurons.switches import own_rows
    from workbench.labels import check_labels
    from workbench.neurons.switching import UnitChange, parse_units, switch
    from workbench.neurons.vocabulary import embed_words

    names = check_labels(labels, 2)
    with ask.session(model, "neurons") as session:
        atlas = yield from _atlas(session, "last")
        layer = atlas.survey.layer
        change = UnitChange(parse_units(" ".join(map(str, units)), atlas.units, layer), kind, value)
        rows = embed_words(session, names).numpy()
        result = switch(atlas, change, names, rows=rows)
        both = own_rows(session, image, change, layer=layer, texts=rows) if image else None
    shares = {name: vars(getattr(result, name)) for name in ("before", "after", "turned")}
    table = zip(names, *both.tolist(), strict=True) if both is not None else ()
    yield {**shares, "answers": [{"label": name, "before": a, "after": b} for name, a, b in table]}
