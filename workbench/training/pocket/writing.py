"""Printed words on images: plain, outlined or on a label, in any of the fonts.

The random generator that is passed decides what is drawn.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from workbench.training.pocket.backgrounds import colour, contrast

SMALLEST, LARGEST = 10, 96  # pixels of type
WIDE = (0.35, 0.9)  # of the side of a photo that a printed word is on, unless a recipe says otherwise


@dataclass(frozen=True)
class Spot:
    """Where the middle of a letter lies: pixels of what it is drawn on, or, on a whole picture, parts of a side."""

    letter: str
    x: float
    y: float


@dataclass(frozen=True)
class Written:
    """A picture with writing on it, and where its letters lie."""

    picture: Image.Image
    spots: tuple[Spot, ...]


@functools.lru_cache(maxsize=4096)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def sprite(word: str, path: str, *, width: float, rng: random.Random, paper: float) -> Written:
    """A word as a picture with transparency, its letters' places in pixels.

    Args:
        word: as it is to be read; upper case and title case are drawn too.
        path: font file.
        width: pixels that it fills, about.
        rng: decides the rest.
        paper: how often it stands on a label of its own, 0..1.
    """
    chance = rng.random()
    text = word.upper() if chance < 0.25 else word.title() if chance < 0.5 else word
    wanted = 40 * width / max(_font(path, 40).getlength(text), 1)
    font = _font(path, int(max(SMALLEST, min(LARGEST, wanted))))
    left, top, right, bottom = font.getbbox(text)
    side, above = rng.randint(2, 10), rng.randint(2, 10)
    size = (max(1, int(right - left)) + 2 * side, max(1, int(bottom - top)) + 2 * above)
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    pen, ink = ImageDraw.Draw(picture), (0, 0, 0) if rng.random() < 0.4 else colour(rng)
    if rng.random() < paper:
        pen.rectangle((0, 0, *size), fill=(*contrast(ink, rng), 255))
        pen.text((side - left, above - top), text, font=font, fill=(*ink, 255))
    else:
        edge = (*contrast(ink, rng), 255)
        wide = rng.choice((1, 1, 2))
        pen.text((side - left, above - top), text, font=font, fill=(*ink, 255), stroke_width=wide, stroke_fill=edge)
    return Written(picture, tuple(_spots(text, font, x=side - left, y=above - top)))


def _spots(text: str, font: ImageFont.FreeTypeFont, *, x: float, y: float) -> Iterator[Spot]:
    """The middle of each letter of a text that is drawn from a point on."""
    _, top, _, bottom = font.getbbox(text)
    ends = [font.getlength(text[:place]) for place in range(len(text) + 1)]
    for place, letter in enumerate(text.lower()):
        yield Spot(letter, x + (ends[place] + ends[place + 1]) / 2, y + (top + bottom) / 2)


def plain(word: str, path: str, *, size: int, rng: random.Random) -> Written:
    """A word in one colour on an even ground that it can be read on, (size, size)."""
    ink = (0, 0, 0) if rng.random() < 0.35 else colour(rng)
    ground = Image.new("RGB", (size, size), contrast(ink, rng))
    chance = rng.random()
    text = word.upper() if chance < 0.25 else word.title() if chance < 0.5 else word
    wanted = 40 * rng.uniform(0.5, 0.97) * size / max(_font(path, 40).getlength(text), 1)
    font = _font(path, int(max(SMALLEST, min(LARGEST, wanted))))
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("RGBA", (max(1, int(right - left)) + 4, max(1, int(bottom - top)) + 4), (0, 0, 0, 0))
    ImageDraw.Draw(picture).text((2 - left, 2 - top), text, font=font, fill=(*ink, 255))
    written = Written(picture, tuple(_spots(text, font, x=2 - left, y=2 - top)))
    return labelled(ground, written, rng, tilt=6)


def labelled(ground: Image.Image, written: Written, rng: random.Random, *, tilt: float = 12) -> Written:
    """Put writing somewhere on a picture, a little turned; its letters' places in parts of that picture's sides."""
    turned, angle, corner = _pasted(ground, written.picture, rng, tilt=tilt)
    (wide, high), cos, sin = written.picture.size, math.cos(math.radians(angle)), math.sin(math.radians(angle))
    spots = []
    for spot in written.spots:
        right, down = spot.x - wide / 2, spot.y - high / 2
        x, y = turned[0] / 2 + cos * right + sin * down, turned[1] / 2 - sin * right + cos * down
        spots.append(Spot(spot.letter, (corner[0] + x) / ground.width, (corner[1] + y) / ground.height))
    return Written(ground, tuple(spots))


def pasted(ground: Image.Image, picture: Image.Image, rng: random.Random, *, tilt: float = 12) -> Image.Image:
    """Put a picture with transparency somewhere on another, a little turned, and return that other."""
    _pasted(ground, picture, rng, tilt=tilt)
    return ground


def _pasted(
    ground: Image.Image, picture: Image.Image, rng: random.Random, *, tilt: float
) -> tuple[tuple[int, int], float, tuple[int, int]]:
    """Paste it; returns the size of the turned picture, by how many degrees, and where its corner lies."""
    angle = 0.0
    if tilt and rng.random() < 0.7:
        angle = rng.uniform(-tilt, tilt)
        picture = picture.rotate(angle, expand=True, resample=Image.Resampling.BILINEAR)
    spare = [have - need for have, need in zip(ground.size, picture.size, strict=True)]
    left, top = (rng.randint(min(0, room), max(0, room)) if room >= 0 else room // 2 for room in spare)
    ground.paste(picture, (left, top), picture)
    return picture.size, angle, (left, top)
