"""Backgrounds to draw on (one colour, a gradient, a blurred photo), and colours that contrast with them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import Image, ImageFilter

Colour = tuple[int, int, int]


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


def background(size: int, rng: random.Random, photos: Sequence[Image.Image]) -> Image.Image:
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
