"""Rendered backgrounds, and the position of a figure: seeded, and light enough that black outlines stay visible."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

SIDE = 224  # pixels of a finished image
_SMALLEST, _LARGEST = 0.85, 1.1  # size of a figure, as a share of the image's side
_SHIFT = 0.07  # of the side, at most, from the middle
_FINE = 2  # scenes are drawn this many times larger, for smooth edges

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Setting:
    """A scene, and the position of a figure in it."""

    scene: Image.Image  # RGB, `SIDE` pixels square
    side: int  # of the figure, in pixels
    corner: tuple[int, int]  # upper left of the figure, in pixels

    def with_figure(self, figure: Image.Image) -> Image.Image:
        """Return a copy of the scene with a figure (RGBA, square) in its position: RGB, `SIDE` pixels square."""
        picture = self.scene.copy()
        small = figure.resize((self.side, self.side), Image.Resampling.LANCZOS)
        picture.paste(small, self.corner, small)
        return picture


def setting(rng: Generator) -> Setting:
    """Draw a random scene and position; the same generator state gives the same result."""
    picture = scene(rng)
    side = round(SIDE * rng.uniform(_SMALLEST, _LARGEST))
    across, down = (round(SIDE * rng.uniform(-_SHIFT, _SHIFT)) for _ in "xy")
    corner = (SIDE - side) // 2
    return Setting(picture, side, (corner + across, corner + down))


def scene(rng: Generator) -> Image.Image:
    """Return an empty background, RGB, `SIDE` pixels square: one of seven kinds."""
    kind = _KINDS[int(rng.integers(len(_KINDS)))]
    large = kind(rng, SIDE * _FINE)
    return large.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _pale(rng: Generator) -> Colour:
    return _hsv(rng.uniform(), rng.uniform(0.05, 0.4), rng.uniform(0.75, 1.0))


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue


def _gradient(rng: Generator, side: int) -> Image.Image:
    first, second = (np.array(_pale(rng), float) for _ in "ab")
    angle = rng.uniform(0, 2 * np.pi)
    steps = np.linspace(-0.5, 0.5, side)
    along = np.cos(angle) * steps[None, :] + np.sin(angle) * steps[:, None]
    share = ((along - along.min()) / np.ptp(along))[..., None]
    return Image.fromarray(np.round(first * (1 - share) + second * share).astype(np.uint8))


def _meadow(rng: Generator, side: int) -> Image.Image:
    """Sky, sun and grass."""
    picture = Image.new("RGB", (side, side), _hsv(rng.uniform(0.52, 0.6), rng.uniform(0.2, 0.45), 1.0))
    pen = ImageDraw.Draw(picture)
    ground = side * rng.uniform(0.55, 0.75)
    middle, radius = side * rng.uniform(0.1, 0.9), side * rng.uniform(0.05, 0.1)
    height = side * rng.uniform(0.08, 0.25)
    pen.ellipse((middle - radius, height - radius, middle + radius, height + radius), fill=(255, 236, 150))
    pen.rectangle((0, ground, side, side), fill=_hsv(rng.uniform(0.22, 0.36), rng.uniform(0.3, 0.5), 0.85))
    return picture


def _room(rng: Generator, side: int) -> Image.Image:
    """Wall, floor and a window."""
    picture = Image.new("RGB", (side, side), _pale(rng))
    pen = ImageDraw.Draw(picture)
    floor = side * rng.uniform(0.7, 0.85)
    pen.rectangle((0, floor, side, side), fill=_hsv(rng.uniform(0.05, 0.12), rng.uniform(0.2, 0.4), 0.75))
    left, width = side * rng.uniform(0.05, 0.65), side * rng.uniform(0.2, 0.3)
    box = (left, side * 0.08, left + width, side * 0.08 + width * 1.2)
    pen.rectangle(box, fill=(205, 230, 250), outline=(250, 250, 250), width=side // 60)
    pen.line((left + width / 2, box[1], left + width / 2, box[3]), fill=(250, 250, 250), width=side // 80)
    return picture


def _street(rng: Generator, side: int) -> Image.Image:
    """Sky, a row of house fronts and a pavement."""
    picture = Image.new("RGB", (side, side), _hsv(rng.uniform(0.52, 0.62), rng.uniform(0.1, 0.3), 1.0))
    pen = ImageDraw.Draw(picture)
    at, foot = 0.0, side * 0.85
    while at < side:
        width = side * rng.uniform(0.15, 0.3)
        pen.rectangle((at, side * rng.uniform(0.2, 0.5), at + width, foot), fill=_pale(rng))
        at += width
    pen.rectangle((0, foot, side, side), fill=(200, 200, 205))
    return picture


def _discs(rng: Generator, side: int) -> Image.Image:
    """Soft discs of light, as lamps out of focus."""
    picture = Image.new("RGB", (side, side), _pale(rng))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(8, 18))):
        across, down = (side * rng.uniform() for _ in "xy")
        radius = side * rng.uniform(0.03, 0.12)
        pen.ellipse((across - radius, down - radius, across + radius, down + radius), fill=_pale(rng))
    return picture.filter(ImageFilter.GaussianBlur(side / 60))


_KINDS: tuple[Callable[[Generator, int], Image.Image], ...] = (
    lambda rng, side: Image.new("RGB", (side, side), _pale(rng)),
    lambda rng, side: Image.new("RGB", (side, side), "white"),
    _gradient,
    _meadow,
    _room,
    _street,
    _discs,
)
