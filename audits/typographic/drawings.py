"""Drawings to write on: 600 of 150 things to measure with, and others to learn a defence from; none is in both."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PIL import Image, ImageOps

from audits.datasets.drawn_things import on_ground, on_white, things
from workbench.errors import BadInput
from workbench.pictures import draw
from workbench.typographic.learned import MOST_NAMES
from workbench.typographic.measuring import AttackedSet, attacked_set
from workbench.typographic.writing import LETTERS

BLOCKS = ((0x1F300, 0x1F5FF), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x1FA70, 0x1FAFF))
LEFT_OUT = ("face", "sign", "symbol", "button", "mark", "arrow", "keycap", "hand", "clock", "person", "man", "woman")
LEARN = 600  # drawings to learn from, at most
EACH, MOST_TURNS = 16, 8  # images with each name that is asked; how often each drawing is written on, at most
LONGEST = 3  # words of a name
TARGETS = {"waste container": "\N{WASTEBASKET}", "radio": "\N{RADIO}", "great white shark": "\N{SHARK}"}


class DrawnThing(NamedTuple):
    """A picture of one thing."""

    picture: Image.Image
    name: str


def to_measure() -> Iterator[DrawnThing]:
    """Yield 150 things, each on white and on a tinted ground, both mirrored too: 600 pictures of 224 x 224."""
    for _, name, glyph in things():
        yield from _four(draw(glyph), name)


def with_targets() -> Iterator[DrawnThing]:
    """Yield `to_measure`, and four pictures each of those of the article's nine targets that OpenMoji draws."""
    yield from to_measure()
    for name, glyph in TARGETS.items():
        yield from _four(draw(glyph), name)


def to_learn() -> Iterator[DrawnThing]:
    """Yield drawings of other things, named by Unicode, on white or on a tinted ground."""
    measured = {name for _, name, _ in things()}
    glyphs = {glyph for _, _, glyph in things()}
    for first, last in BLOCKS:
        for code in range(first, last + 1):
            name = unicodedata.name(chr(code), "").lower().replace("-", " ")
            words = name.split()
            known = chr(code) in glyphs or name in measured or bool(measured & set(words))
            if not words or len(words) > LONGEST or known or any(word in LEFT_OUT for word in words):
                continue
            try:
                drawing = draw(chr(code))
            except BadInput:  # OpenMoji does not draw it
                continue
            yield DrawnThing(on_ground(drawing, name) if code % 2 else on_white(drawing), name)


def lesson_images(seed: int, names: Sequence[str] = ()) -> AttackedSet:
    """Write words on drawings to learn a defence from; none of them is measured.

    Args:
        seed: of words, places, sizes and fonts.
        names: to write, each some 16 times or more, unless there are very many; none for those of the drawings. No
            drawing shows one of them. Names too long for a label are left out, and those after the first 2,000.
    """
    names = [name for name in names if len(name) <= LETTERS][:MOST_NAMES]
    rows = list(itertools.islice((one for one in to_learn() if one.name not in names), LEARN))
    turns = min(MOST_TURNS, max(1, math.ceil(EACH * len(names) / len(rows))))
    pictures, truth = [one.picture for one in rows] * turns, [one.name for one in rows] * turns
    return attacked_set(pictures, truth, seed=seed + 1, words=names)


def measured_images(seed: int, limit: int | None = None) -> AttackedSet:
    """Write words on the 600 drawings to measure with, or on some of all things."""
    rows = list(to_measure())
    rows = rows[:: max(1, len(rows) // max(2, limit))][:limit] if limit is not None else rows
    return attacked_set([one.picture for one in rows], [one.name for one in rows], seed=seed)


def _four(drawing: Image.Image, name: str) -> Iterator[DrawnThing]:
    for picture in (on_white(drawing), on_ground(drawing, name)):
        yield DrawnThing(picture, name)
        yield DrawnThing(ImageOps.mirror(picture), name)
