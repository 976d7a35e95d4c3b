"""What a visitor wrote on an image, as plain settings, and the presets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.errors import BadInput
from workbench.labels import parse_labels, with_words
from workbench.typographic.lettering import Label
from workbench.typographic.writing import checked

MOST = 6  # labels on one image
PLACE = ("x", "y", "size", "angle")  # of a label: what the hand changes


@dataclass(frozen=True)
class WrittenForm:
    """The settings of one picture with words on it."""

    labels: tuple[Label, ...]
    names: tuple[str, ...]  # what the model chooses from
    picture: str = ""  # key of a shipped picture; empty for an upload, whose name stays out
    model: str = "pocket"


@dataclass(frozen=True)
class Preset:
    """A picture, a word on it, and names to choose from."""

    key: str
    title: str
    picture: str  # a name in `typographic.examples.EXAMPLES`
    word: str
    names: str
    label: Label = field(default_factory=lambda: Label("x"))


PRESETS = (
    Preset(
        "ipod", "Apple “iPod”", "drawn-apple", "iPod", "apple, banana, iPod, library, pizza, toaster",
        Label("x", size=0.18, y=0.5, font="handwriting"),
    ),
    Preset("pizza", "Dog “pizza”", "drawn-poodle", "pizza", "dog, pizza, horse, pig, coffee cup, camel"),
    Preset(
        "poodle", "Poodle “$$$”", "drawn-poodle", "$$$ $$$", "poodle, dog, piggy bank, cat, money, sheep",
        Label("x", size=0.2, y=0.5),
    ),
    Preset(
        "stroop", "Stroop card", "card", "blue", "red, blue, green, yellow, black, white",
        Label("x", size=0.26, y=0.5, ink="#dc1414", paper=""),
    ),
)  # fmt: skip


def read_labels(words: Sequence[str], places: str, style: Label) -> tuple[Label, ...]:
    """Return the labels of words in a visitor's style, each in its place.

    Args:
        words: what is written; empty ones are left out.
        places: JSON, one object a word with x, y, size and angle; untrusted.
        style: fonts and colours of all.

    Raises:
        BadInput: too many labels, or something that cannot be written.
    """
    words = [word for word in words if word and word.strip()]
    if len(words) > MOST:
        raise BadInput(f"At most {MOST} labels on one image; got {len(words)}.")
    where = _places(places)
    labels = []
    for at, word in enumerate(words):
        own: dict[str, Any] = where[at] if at < len(where) else {"y": 0.16 * at or 0.78}
        there: dict[str, Any] = {name: own.get(name, getattr(style, name)) for name in PLACE}
        labels.append(checked(replace(style, text=word, **there)))
    return tuple(labels)


def _places(text: str) -> list[dict[str, float]]:
    try:
        rows = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [
        {name: float(row[name]) for name in PLACE if isinstance(row.get(name), int | float)}
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ][:MOST]


def places(labels: Sequence[Label]) -> str:
    """Return where labels stand, as the browser keeps it."""
    rows = [{name: round(getattr(label, name), 4) for name in PLACE} for label in labels]
    return json.dumps(rows)


def names_with_words(names: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return the labels to choose from, the written words among them: what cannot be answered cannot win.

    Raises:
        BadInput: no label.
    """
    return with_words(parse_labels(names or ""), [" ".join(word.split()) for word in words if word and word.strip()])
