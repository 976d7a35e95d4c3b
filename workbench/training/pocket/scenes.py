"""Drawn scenes whose truth is known: coloured shapes, tinted things, one to five of a kind, two things together.

Each scene comes with captions that say what is so and others that say what is not.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from workbench.training.pocket.bank import COLOURS, COUNTS, SHAPES

_MANY = {"person": "people", "man": "men", "woman": "women", "child": "children", "mouse": "mice", "fish": "fish"}


@dataclass(frozen=True)
class Scene:
    """A picture, the names it shows with weights, a true caption with the names in it, and captions false of it."""

    picture: Image.Image
    weights: dict[str, float]
    caption: str
    claims: frozenset[str]
    false: tuple[str, ...]


def coloured(thing: tuple[str, Image.Image], name: str, *, on: Image.Image, rng: random.Random) -> Scene:
    """One thing of one colour.

    Args:
        thing: its name and picture with transparency, smaller than the ground.
        name: of the colour.
        on: the ground.
        rng: decides place and words.
    """
    kind, picture = thing
    on.paste(picture, tuple(rng.randint(0, on.width - picture.width) for _ in "xy"), picture)  # type: ignore[arg-type]
    word = "gray" if name == "grey" and rng.random() < 0.3 else name
    what = (
        rng.choice((kind, kind, kind, "object", "thing", "shape"))
        if kind in SHAPES
        else rng.choice((kind, kind, "object"))
    )
    form = rng.choice(("a {} {}", "a photo of a {} {}.", "{} {}", "a picture of a {} {}", "a drawing of a {} {}"))
    alone = rng.choice(("{}", "the colour {}", "something {}", "a {} thing", "the color {}"))
    single = rng.random() < 0.3
    say: Callable[[str], str] = (lambda c: alone.format(c)) if single else (lambda c: form.format(c, what))
    others = rng.sample([colour for colour in COLOURS if colour != name], 4)
    weights = {name: 1.0, **({f"{name} {kind}": 1.0, kind: 0.7} if kind in SHAPES else {kind: 0.7})}
    claims = {name} if single or what != kind else {name, kind}
    return Scene(on, weights, say(word), frozenset(claims), tuple(say(other) for other in others))


def counted(
    thing: tuple[str, Callable[[int], Image.Image]], number: int, *, on: Image.Image, rng: random.Random
) -> Scene:
    """One to five of a kind, apart from each other.

    Args:
        thing: its name, and what draws it at a given side.
        number: 1..5.
        on: the ground, square.
        rng: decides places and words.
    """
    kind, draw = thing
    cells = 2 if number <= 3 and rng.random() < 0.6 else 3
    cell = on.width / cells
    spots = rng.sample([(x, y) for x in range(cells) for y in range(cells)], number)
    for x, y in spots:
        side = int(cell * rng.uniform(0.6, 0.95))
        picture = draw(side)
        slack = int(cell) - side
        on.paste(picture, (int(x * cell) + rng.randint(0, slack), int(y * cell) + rng.randint(0, slack)), picture)
    form = rng.choice(("{} {}", "a photo of {} {}.", "{} {}", "a picture of {} {}", "there are {} {}"))
    what = rng.choice((kind, kind, "thing", "object", "shape" if kind in SHAPES else "thing"))

    def say(count: int) -> str:
        return form.format(COUNTS[count - 1], what if count == 1 else many(what))

    weights = {COUNTS[number - 1]: 1.0, kind: 0.5}
    claims = frozenset({COUNTS[number - 1], kind} if what == kind else {COUNTS[number - 1]})
    return Scene(on, weights, say(number), claims, tuple(say(count) for count in range(1, 6) if count != number))


def together(
    pair: tuple[str, str],
    parts: tuple[Image.Image, Image.Image],
    *,
    other: str,
    rng: random.Random,
    first: float = 0.5,
) -> Scene:
    """Two square pictures beside or above each other.

    Args:
        pair: what they show.
        parts: two pictures of one size; each is squeezed or cut to its share.
        other: what neither shows.
        rng: decides sides and words.
        first: the part of the whole that the left or upper one takes.
    """
    size = parts[0].width
    on, cut = Image.new("RGB", (size, size)), int(size * first)
    aside = rng.random() < 0.5
    for picture, start, wide in zip(rng.sample(parts, 2), (0, cut), (cut, size - cut), strict=True):
        if rng.random() < 0.5:  # a cut through the middle keeps its proportions
            off = (size - wide) // 2
            part = picture.crop((off, 0, off + wide, size) if aside else (0, off, size, off + wide))
        else:
            part = picture.resize((wide, size) if aside else (size, wide), Image.Resampling.BILINEAR)
        on.paste(part, (start, 0) if aside else (0, start))
    caption, false = _both(pair, other, rng)
    return Scene(on, dict.fromkeys(pair, 1.0), caption, frozenset(pair), false)


def _both(pair: tuple[str, str], other: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """A caption that names two things, and captions that name one of them alone or with something else."""
    first, second = rng.sample(pair, 2)
    form = rng.choice(("a photo of a {} and a {}.", "a {} and a {}", "a picture of a {} and a {}"))
    single = form.replace(" and a {}", "")
    false = (single.format(first), single.format(second), form.format(first, other), form.format(other, second))
    return form.format(first, second), false


def many(name: str) -> str:
    """The plural of an English noun, by rule; `two buses`, `five cherries`."""
    head, _, last = name.rpartition(" ")
    if last in _MANY:
        plural = _MANY[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        plural = last + "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        plural = last[:-1] + "ies"
    else:
        plural = last + "s"
    return f"{head} {plural}".strip()
