"""Endpoints of “Write on it”: a word on an image, the smallest attack, transfer, defences."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict
from typing_extensions import TypedDict

from apps.api.asking import Ask, Image, Labels, Model, Models, Seed, Steps, allowed, new_place
from workbench.progress import Progress

Word = Annotated[str, "what is written on the image"]


class Style(TypedDict, total=False):
    """How a word is written; see `results.word_attack.AttackSettings`."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    x: float
    y: float
    size: float
    font: str
    ink: str
    paper: str
    form: Literal["paper", "sticker"]
    outline: str
    angle: float
    tilt: float
    opacity: float


How = Annotated[
    Style,
    "x, y, size: shares of the centre square; font: printed, serif, typewriter, handwriting; ink, paper, outline: "
    "colours; form: paper or sticker; angle, tilt, opacity",
]


def attack(
    ask: Ask,
    image: Image,
    labels: Labels,
    word: Word,
    style: How = {},  # noqa: B006
    model: Model = "",
) -> Annotated[Steps, "before, answer, probability, success, cover (share of the image), image: the image as a file"]:
    """Write a word on an image, and say what changes."""
    yield from _attacked(ask, image, model, {"labels": labels, "word": word, "find": None, "settings": style})


def find_attack(
    ask: Ask,
    image: Image,
    labels: Labels,
    target: Annotated[str, "the label that the model is to give"],
    words: Annotated[list[str], "words that may be written; none: those that a search tries"] = [],  # noqa: B006
    calls: Annotated[int, "how often the model is asked, 64 to 512"] = 192,
    seed: Seed = 0,
    style: How = {},  # noqa: B006
    model: Model = "",
) -> Annotated[
    Steps, "word, label: how it is written, cover, success, answer, tries, bound; image: the image as a file"
]:
    """Find the smallest label that makes a model answer a chosen name; to understand and to defend."""
    from workbench.errors import BadInput

    if not 64 <= calls <= 512:
        raise BadInput(f"A search asks the model 64 to 512 times; got {calls}.")
    settings = {**style, "calls": calls, "seed": seed, **({"words": words} if words else {})}
    yield from _attacked(ask, image, model, {"labels": labels, "word": None, "find": target, "settings": settings})


def _attacked(ask: Ask, image: str, model: str, request: dict[str, Any]) -> Steps:
    from workbench.results.word_attack import WordAttack, attack_request
    from workbench.results.word_attack import attack as steps
    from workbench.typographic.comparing import canvas

    checked = attack_request(request.pop("labels"), **request)
    with ask.session(model, "typographic") as session:
        for step in steps(session, canvas(Path(image)), checked):
            if isinstance(step, WordAttack):
                yield {**step.to_dict(), "image": step.save(new_place("attack") / "attacked.png")}
            else:
                yield step


def transfer(
    ask: Ask,
    image: Image,
    labels: Labels,
    word: Word,
    style: How = {},  # noqa: B006
    models: Models = [],  # noqa: B006
) -> Annotated[Steps, "models: model, before, answer, probability, target (its probability), success"]:
    """Ask several models about the same words on the same image; without `models`, all that are on the server."""
    from workbench.loading.listing import edits_here, models_here
    from workbench.results.word_attack import attack_request
    from workbench.typographic.comparing import canvas
    from workbench.typographic.transfer import transferred

    request = attack_request(labels, word=word, find=None, settings=cast("Any", style))
    keys, rows = [ask.model(key) for key in models] or [*models_here(), *edits_here()], list[dict[str, Any]]()
    opened = canvas(Path(image))
    for key in keys:
        yield Progress(len(rows), len(keys), "models")
        with ask.session(key, "typographic") as session:
            answer = transferred(session, opened, [request.label], names=request.names, target=request.target)
            rows.append(vars(answer))
    yield {"models": rows}


def defend(
    ask: Ask,
    method: Annotated[str, "paint-over, prompts, prefix, projection, units or heads"],
    images: Annotated[int, "to measure on, 60 to 600"] = 150,
    folder: Annotated[str, "measure on class folders of the server, or photos with labels.csv; none: drawings"] = "",
    seed: Seed = 0,
    model: Model = "",
) -> Annotated[
    Steps, "model: key of the defended model; before, after, back, clean_change with intervals, milliseconds"
]:
    """Defend a model against words on images, and measure what that gives back and costs."""
    from apps.shell.defend import images_to_measure, plain
    from audits.typographic.drawings import lesson_images
    from workbench.errors import BadInput
    from workbench.typographic.making import made
    from workbench.typographic.measuring import Outcomes, defence_row, outcome_steps

    if not 60 <= images <= 600:
        raise BadInput(f"Defences are measured on 60 to 600 images; got {images}.")
    place = allowed(folder) if folder else None
    with ask.session(model, "typographic") as session:
        base = session.spec.key
        measured = images_to_measure(place, images, seed)
        lesson = functools.partial(lesson_images, seed)
        for step in made(session, method, lesson, seed=seed, names=measured.names):
            if isinstance(step, Progress):
                yield step
            else:
                defended = str(step)
    results: list[Outcomes] = []
    for key in (base, defended):
        with ask.session(key, "typographic") as session:
            for outcome in outcome_steps(session, measured):
                if isinstance(outcome, Progress):
                    yield outcome
                else:
                    results.append(outcome)
    before, after = results
    row = plain(before, defence_row(before, after, measured.truth))
    yield {"model": defended, "base": base, "method": method, **row}
