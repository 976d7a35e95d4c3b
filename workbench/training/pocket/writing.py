"""Words written on pictures: plain, outlined, on a paper label, in any of the fonts.

Knows no names and no model; what is drawn is decided by the generator it is given.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int]
SMALLEST, LARGEST = 10, 96  # pixels of type


@functools.lru_cache(maxsize=4096)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def colour(rng: random.Random) -> Colour:
    """Any colour."""
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def contrast(ink: Colour, rng: random.Random) -> Colour:
    """A ground on which an ink can be read; white or black half of the time."""
    dark = _light(ink) < 128
    if rng.random() < 0.5:
        return (255, 255, 255) if dark else (0, 0, 0)
    low, high = (170, 256) if dark else (0, 80)
    if 90 < _light(ink) < 165:
        low, high = (235, 256) if dark else (0, 25)
    return rng.randrange(low, high), rng.randrange(low, high), rng.randrange(low, high)


def _light(ink: Colour) -> float:
    return 0.3 * ink[0] + 0.59 * ink[1] + 0.11 * ink[2]


def sprite(word: str, path: str, *, width: float, rng: random.Random, paper: float) -> Image.Image:
    """A word as a picture with transparency.

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
    return picture


def plain(word: str, path: str, *, size: int, rng: random.Random) -> Image.Image:
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
    return pasted(ground, picture, rng, tilt=6)


def pasted(ground: Image.Image, picture: Image.Image, rng: random.Random, *, tilt: float = 12) -> Image.Image:
    """Put a picture with transparency somewhere on another, a little turned, and return that other."""
    if tilt and rng.random() < 0.7:
        picture = picture.rotate(rng.uniform(-tilt, tilt), expand=True, resample=Image.Resampling.BILINEAR)
    spare = [have - need for have, need in zip(ground.size, picture.size, strict=True)]
    place = tuple(rng.randint(min(0, room), max(0, room)) if room >= 0 else room // 2 for room in spare)
    ground.paste(picture, (place[0], place[1]), picture)
    return ground


def ground(size: int, rng: random.Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Something to draw on: white, one colour, a ramp between two, or a blurred photo."""
    chance = rng.random()
    if chance < 0.25:
        return Image.new("RGB", (size, size), (255, 255, 255))
    if chance < 0.5:
        return Image.new("RGB", (size, size), colour(rng))
    if chance < 0.65:
        pair = Image.new("RGB", (2, 2))
        for place in ((0, 0), (0, 1), (1, 0), (1, 1)):
            pair.putpixel(place, colour(rng))
        return pair.resize((size, size), Image.Resampling.BILINEAR)
    photo = rng.choice(photos).resize((48, 48), Image.Resampling.BILINEAR)
    return photo.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3))).resize((size, size), Image.Resampling.BILINEAR)
