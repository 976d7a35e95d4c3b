"""Drawn scenes of which everything is known: what they show, in which colour, where, how large and how many.

- in pairs (`builtin:drawn-scenes`): two captions with nearly the same words, and a scene for each
- with tags (`builtin:drawn-tags`): every two of eight things, so that each is there with any other and without it
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from audits.captions import with_article
from audits.datasets.dataset import About
from audits.datasets.drawn import Picture, glyphs
from audits.seeds import generator
from workbench.training.shapes import COLOURS, outline

SIDE = 224  # pixels
PAIRS, OF_RELATION = 24, 12  # of each kind; of each relation
INK = ("red", "green", "blue", "yellow", "purple")
SHAPES = ("circle", "square", "triangle", "star", "heart")
ANIMALS = glyphs("dog 🐕, cat 🐈, horse 🐎, pig 🐖, elephant 🐘, rabbit 🐇")  # all are drawn facing left
GLYPHS = ANIMALS | glyphs("apple 🍎, key 🔑, house 🏠, chair 🪑, car 🚗, guitar 🎸")
NUMBERS = ("one", "two", "three", "four")
RELATIONS = {  # phrase -> the one that says the opposite, where a third thing is not needed to draw it
    "to the left of": "to the right of",
    "above": "below",
    "on": "under",
    "in": "outside",
    "bigger than": "smaller than",
}
ABOUT = About(
    title="Drawn scenes in pairs",
    licence="shapes: none needed; drawings CC BY-SA 4.0",
    source="drawn shapes, and OpenMoji 17 (openmoji.org)",
    shows=(
        "Two shapes or drawings on white, with a caption, and with another caption that differs from it in one word, "
        "in the order of its words, or in one word too many. They show whether a model follows a sentence where "
        "everything else is equal. They do not show how it reads captions of photos. Scenes of one pair share a "
        "cluster."
    ),
)
TAGS = ("dog", "cat", "horse", "elephant", "apple", "house", "car", "guitar")
LAYOUTS = ((0.27, 0.5, 0.73, 0.5), (0.3, 0.25, 0.7, 0.75), (0.7, 0.3, 0.3, 0.7))  # centres of the two things
TAGGED = About(
    title="Drawn scenes with tags",
    licence=ABOUT.licence,
    source="OpenMoji 17 (openmoji.org)",
    shows=(
        "Two of eight drawn things on white, each two in three layouts, with their names as tags. They show what a "
        "model makes of “without” and “no” where it is known what is there and what is not. They do not show how it "
        "reads such words in captions of photos, which rarely say what is absent."
    ),
)


@dataclass(frozen=True)
class _Thing:
    """One shape or drawing: its words, and the centre and half-width in parts of the image's side."""

    name: str
    colour: str = ""  # of a shape; empty for a drawing
    x: float = 0.5
    y: float = 0.5
    size: float = 0.15

    @property
    def phrase(self) -> str:
        """The thing with its article."""
        return with_article(f"{self.colour} {self.name}".strip())

    def at(self, x: float, y: float, size: float) -> _Thing:
        """Return it elsewhere and in another size."""
        return _Thing(self.name, self.colour, x, y, size)


@dataclass(frozen=True)
class _Scene:
    """What is drawn, its caption and the hard negative."""

    things: tuple[_Thing, ...]
    caption: str
    negative: str


def pictures() -> Iterator[Picture]:
    """Yield the scenes, 224 x 224 pixels; the two of a pair have each other's caption as their negative."""
    for kind, relation, number in _plan():
        rng = generator(0, "scene", kind, relation, number)
        scenes = _scenes(kind, relation, rng)
        slug = "-".join(part for part in (kind, relation, f"{number:02d}") if part).replace(" ", "-")
        for side, scene in zip("ab", scenes, strict=False):
            facts = {"cluster": slug, "split": "test", "label": "", "kind": kind, "relation": relation}
            facts |= {"drawn": "shapes" if scene.things[0].colour else "drawings", "source": "drawn scenes"}
            facts |= {"pair": slug if len(scenes) == 2 else "", "caption": scene.caption, "negative": scene.negative}
            yield f"{slug}-{side}", _draw(_moved(scene.things, rng)), facts


def tagged() -> Iterator[Picture]:
    """Yield every two of `TAGS` in every layout, 224 x 224 pixels, with the column `tags` ("cat; dog")."""
    for (one, two), (number, places) in itertools.product(itertools.combinations(TAGS, 2), enumerate(LAYOUTS)):
        rng = generator(0, "tagged", one, two, number)
        names = (one, two) if rng.integers(2) else (two, one)
        things = [_Thing(name).at(x, y, 0.18) for name, x, y in zip(names, places[::2], places[1::2], strict=True)]
        facts = {"cluster": f"{one}-{two}", "split": "test", "label": "", "tags": f"{one}; {two}"}
        yield f"{one}-{two}-{number}", _draw(_moved(things, rng)), facts


def _plan() -> Iterator[tuple[str, str, int]]:
    kinds: tuple[str, ...] = ("replace object", "replace attribute", "swap attribute", "swap count", "swap role")
    kinds += ("add object", "add attribute", "scrambled order")
    yield from ((kind, "", number) for kind in kinds for number in range(PAIRS))
    yield from itertools.product(("replace relation", "swap relation"), RELATIONS, range(OF_RELATION))


def _scenes(kind: str, relation: str, rng: np.random.Generator) -> list[_Scene]:
    """Make the two scenes of a pair; one where the negative cannot be drawn or is true of both."""
    one, two, three = _things(rng, 3, shapes="attribute" in kind or relation == "in" or bool(rng.integers(2)))
    if relation:
        first = _related(relation, one, two)
        if kind == "swap relation":
            second = _related(relation, two, one)
            captions = (f"{one.phrase} {relation} {two.phrase}", f"{two.phrase} {relation} {one.phrase}")
        else:
            second = _apart(one, two) if relation == "in" else _related(relation, two, one)
            captions = (f"{one.phrase} {relation} {two.phrase}", f"{one.phrase} {RELATIONS[relation]} {two.phrase}")
    elif kind == "swap role":
        one, two = _animals(rng)
        first, second = _chase(one, two), _chase(two, one)
        captions = (f"{one.phrase} chases {two.phrase}", f"{two.phrase} chases {one.phrase}")
    elif kind == "swap count":
        few, many = sorted(int(value) for value in rng.permutation(len(NUMBERS))[:2])
        first, second = _rows(one, few, two, many), _rows(one, many, two, few)
        captions = (_count(one, few, two, many), _count(one, many, two, few))
    elif kind.startswith("add") or kind == "scrambled order":
        return [_single(kind, one, two, three, rng)]
    else:
        other, last = {
            "replace object": (_Thing(three.name, one.colour), two),
            "replace attribute": (_Thing(one.name, three.colour), two),
            "swap attribute": (_Thing(one.name, two.colour), _Thing(two.name, one.colour)),
        }[kind]
        first, second = _beside(one, two), _beside(other, last)
        captions = (f"{one.phrase} and {two.phrase}", f"{other.phrase} and {last.phrase}")
    return [_Scene(first, captions[0], captions[1]), _Scene(second, captions[1], captions[0])]


def _single(kind: str, one: _Thing, two: _Thing, three: _Thing, rng: np.random.Generator) -> _Scene:
    caption = f"{one.phrase} and {two.phrase}"
    if kind == "add object":
        return _Scene(_beside(one, two), caption, f"{one.phrase}, {two.phrase} and {three.phrase}")
    if kind == "add attribute":
        small = tuple(thing.at(thing.x, thing.y, 0.08) for thing in _beside(one, two))
        return _Scene(small, caption, f"{one.phrase.replace('a ', 'a large ', 1)} and {two.phrase}")
    words = caption.split()
    return _Scene(_beside(one, two), caption, _scrambled(words, rng))


def _scrambled(words: Sequence[str], rng: np.random.Generator) -> str:
    """Return the words in an order that no sentence has: an article stands last, and none first."""
    while True:
        mixed = [words[int(at)] for at in rng.permutation(len(words))]
        if mixed[-1] in ("a", "an") and mixed[0] not in ("a", "an"):
            return " ".join(mixed)


def _things(rng: np.random.Generator, n: int, *, shapes: bool) -> list[_Thing]:
    """Draw n things of different names, and of different colours where they are shapes."""
    names = SHAPES if shapes else tuple(GLYPHS)
    chosen = [names[int(at)] for at in rng.permutation(len(names))[:n]]
    colours = [INK[int(at)] for at in rng.permutation(len(INK))[:n]] if shapes else [""] * n
    return [_Thing(name, colour) for name, colour in zip(chosen, colours, strict=True)]


def _animals(rng: np.random.Generator) -> list[_Thing]:
    return [_Thing(tuple(ANIMALS)[int(at)]) for at in rng.permutation(len(ANIMALS))[:2]]


def _beside(one: _Thing, two: _Thing) -> tuple[_Thing, ...]:
    return one.at(0.27, 0.5, 0.17), two.at(0.73, 0.5, 0.17)


def _apart(one: _Thing, two: _Thing) -> tuple[_Thing, ...]:
    """The first thing outside the second, in the sizes of one inside the other."""
    return one.at(0.12, 0.5, 0.1), two.at(0.62, 0.5, 0.34)


def _chase(chaser: _Thing, chased: _Thing) -> tuple[_Thing, ...]:
    """Both face left, so the one on the right runs after the other."""
    return chased.at(0.25, 0.5, 0.2), chaser.at(0.75, 0.5, 0.2)


def _related(relation: str, one: _Thing, two: _Thing) -> tuple[_Thing, ...]:
    if relation == "to the left of":
        return one.at(0.25, 0.5, 0.17), two.at(0.75, 0.5, 0.17)
    if relation == "above":
        return one.at(0.5, 0.2, 0.15), two.at(0.5, 0.8, 0.15)
    if relation == "on":
        return one.at(0.5, 0.32, 0.16), two.at(0.5, 0.64, 0.16)
    if relation == "in":
        return two.at(0.5, 0.5, 0.42), one.at(0.5, 0.54, 0.12)
    return one.at(0.34, 0.5, 0.28), two.at(0.82, 0.5, 0.1)


def _rows(one: _Thing, few: int, two: _Thing, many: int) -> tuple[_Thing, ...]:
    """Draw as many of each thing as `NUMBERS` says at these places, in two rows."""
    rows = ((one, few, 0.3), (two, many, 0.7))
    return tuple(thing.at((at + 0.5) / (n + 1), y, 0.1) for thing, n, y in rows for at in range(n + 1))


def _count(one: _Thing, few: int, two: _Thing, many: int) -> str:
    def named(thing: _Thing, number: int) -> str:
        return f"{NUMBERS[number]} {thing.phrase.split(' ', 1)[1]}{'s' if number else ''}"

    return f"{named(one, few)} and {named(two, many)}"


def _moved(things: Sequence[_Thing], rng: np.random.Generator) -> list[_Thing]:
    """Shrink and shift a whole scene a little, so that no two are the same."""
    scale, (right, down) = float(rng.uniform(0.88, 0.96)), rng.uniform(-0.02, 0.02, 2)
    return [
        thing.at(0.5 + scale * (thing.x - 0.5) + right, 0.5 + scale * (thing.y - 0.5) + down, scale * thing.size)
        for thing in things
    ]


def _draw(things: Sequence[_Thing]) -> Image.Image:
    """Draw things on white, the first at the back; shapes are drawn larger and reduced, for smooth edges."""
    from audits.datasets.drawn_things import trimmed
    from workbench.pictures import draw

    sheet = Image.new("RGB", (4 * SIDE, 4 * SIDE), "white")
    pen = ImageDraw.Draw(sheet)
    for thing in things:
        x, y, half = (4 * SIDE * value for value in (thing.x, thing.y, thing.size))
        if thing.colour:
            points = [(x + half * u, y + half * v) for u, v in outline(thing.name, turned=0.0)]
            pen.polygon(points, fill=COLOURS[thing.colour])
        else:
            side = round(2 * half)
            one = trimmed(draw(GLYPHS[thing.name])).resize((side, side), Image.Resampling.BICUBIC)
            sheet.paste(one, (round(x - half), round(y - half)))
    return sheet.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
