"""Filled shapes and tinted drawings, in shades of the eleven named colours."""

from __future__ import annotations

import colorsys
import math
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from workbench.training.pocket.backgrounds import Colour

HUES = {  # hue in degrees, saturation and value in parts of one: from, to
    "red": ((-8, 8), (0.8, 1), (0.65, 1)),
    "orange": ((22, 36), (0.85, 1), (0.9, 1)),
    "yellow": ((50, 60), (0.75, 1), (0.9, 1)),
    "green": ((95, 150), (0.6, 1), (0.4, 0.9)),
    "blue": ((205, 240), (0.7, 1), (0.5, 1)),
    "purple": ((268, 290), (0.55, 1), (0.4, 0.8)),
    "pink": ((318, 345), (0.25, 0.6), (0.95, 1)),
    "brown": ((18, 32), (0.6, 0.9), (0.3, 0.55)),
    "black": ((0, 360), (0, 0.2), (0, 0.1)),
    "white": ((0, 360), (0, 0.03), (0.95, 1)),
    "grey": ((0, 360), (0, 0.04), (0.4, 0.65)),
}
_CORNERS = {"triangle": 3, "diamond": 4, "pentagon": 5, "hexagon": 6}


def paint(name: str, rng: random.Random) -> Colour:
    """One of the many colours that carry a name."""
    hue, saturation, value = (rng.uniform(*ends) for ends in HUES[name])
    red, green, blue = colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def shape(name: str, fill: Colour, side: int) -> Image.Image:
    """A filled shape with transparency around it, (side, side)."""
    big = 2 * side
    picture = Image.new("RGBA", (big, big), (0, 0, 0, 0))
    pen, low, high = ImageDraw.Draw(picture), 0.06 * big, 0.94 * big
    if name == "circle":
        pen.ellipse((low, low, high, high), fill=fill)
    elif name == "oval":
        pen.ellipse((low, 0.25 * big, high, 0.75 * big), fill=fill)
    elif name == "ring":
        pen.ellipse((low, low, high, high), outline=fill, width=round(0.16 * big))
    elif name == "square":
        pen.rectangle((low, low, high, high), fill=fill)
    elif name == "rectangle":
        pen.rectangle((low, 0.25 * big, high, 0.75 * big), fill=fill)
    elif name == "cross":
        pen.rectangle((low, 0.36 * big, high, 0.64 * big), fill=fill)
        pen.rectangle((0.36 * big, low, 0.64 * big, high), fill=fill)
    else:
        pen.polygon([(big / 2 + 0.47 * big * x, big / 2 + 0.47 * big * y) for x, y in _outline(name)], fill=fill)
    return picture.resize((side, side), Image.Resampling.BOX)


def _outline(name: str) -> list[tuple[float, float]]:
    if name == "heart":
        turns = [2 * math.pi * k / 60 for k in range(60)]
        wave = [13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t) for t in turns]
        return [(16 * math.sin(t) ** 3 / 17, -y / 17) for t, y in zip(turns, wave, strict=True)]
    corners = 10 if name == "star" else _CORNERS[name]
    radii = [0.42 if name == "star" and k % 2 else 1.0 for k in range(corners)]
    turns = [2 * math.pi * k / corners - math.pi / 2 for k in range(corners)]
    return [(r * math.cos(t), r * math.sin(t)) for r, t in zip(radii, turns, strict=True)]


def tinted(sprite: NDArray[np.uint8], fill: Colour) -> Image.Image:
    """A drawn thing in the shades of one colour."""
    light = sprite[..., :3].astype(float) @ (0.3, 0.59, 0.11) / 255
    seen = sprite[..., 3] > 0
    light = light - (light[seen].mean() if seen.any() else 0) + 0.85
    shaded = np.clip(light[..., None] * np.array(fill), 0, 255)
    return Image.fromarray(np.dstack([shaded, sprite[..., 3]]).astype(np.uint8))
