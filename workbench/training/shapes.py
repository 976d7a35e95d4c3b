"""Rendered shapes, each with its sentence: a world small enough that a CLIP learns it while a class looks on.

Every drawing is one shape in one colour, small or large, somewhere on a pale ground, a little turned. Some pairs of
shape and colour are held out: never drawn for training, although each shape and each colour is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

SHAPES = ("circle", "square", "triangle", "star", "cross", "heart")
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 39, 40),
    "orange": (255, 140, 0),
    "yellow": (236, 206, 20),
    "green": (34, 139, 60),
    "blue": (31, 90, 200),
    "purple": (130, 60, 180),
    "brown": (120, 72, 40),
    "black": (20, 20, 20),
}
SIZES = {"small": 0.22, "large": 0.38}  # of the picture's side, from the middle to the rim
SIDE = 32  # pixels
_FINE = 4  # drawn this many times larger, then shrunk, so that edges are soft


@dataclass(frozen=True)
class Drawing:
    """One drawing: what it shows, and the seed of where and how."""

    shape: str
    colour: str
    size: str
    seed: int

    @property
    def caption(self) -> str:
        """The sentence that belongs to it."""
        return f"a {self.size} {self.colour} {self.shape}"

    def render(self, side: int = SIDE) -> Image.Image:
        """Draw it; RGB, side x side pixels. The same drawing always gives the same pixels."""
        rng = np.random.default_rng([self.seed, SHAPES.index(self.shape), list(COLOURS).index(self.colour)])
        ground = tuple(int(value) for value in rng.integers(215, 256, 3))
        radius = SIZES[self.size] * rng.uniform(0.9, 1.1)
        x, y = rng.uniform(radius, 1 - radius, 2)
        ink = tuple(int(np.clip(value + rng.integers(-18, 19), 0, 255)) for value in COLOURS[self.colour])
        big = side * _FINE
        points = outline(self.shape, turned=float(rng.uniform(-0.25, 0.25)))
        picture = Image.new("RGB", (big, big), ground)
        ImageDraw.Draw(picture).polygon([((x + radius * u) * big, (y + radius * v) * big) for u, v in points], fill=ink)
        return picture.resize((side, side), Image.Resampling.BOX)


def held_out(shape: str, colour: str) -> bool:
    """Say whether a pair of shape and colour is kept from training: 8 of 48, each colour once, each shape at least."""
    return (list(COLOURS).index(colour) - SHAPES.index(shape)) % len(SHAPES) == 0


def draw(n: int, *, seed: int, unseen: bool = False) -> list[Drawing]:
    """Draw n at random, all of pairs that training may see, or all of those that it may not.

    Args:
        n: how many.
        seed: the same gives the same drawings; those for training and for testing differ in any case.
        unseen: take the held-out pairs of shape and colour instead.
    """
    rng = np.random.default_rng([seed, int(unseen)])
    pairs = [(shape, colour) for shape in SHAPES for colour in COLOURS if held_out(shape, colour) == unseen]
    chosen, sizes = rng.integers(0, len(pairs), n), rng.integers(0, len(SIZES), n)
    return [
        Drawing(pairs[pair][0], pairs[pair][1], list(SIZES)[size], int(own))
        for pair, size, own in zip(chosen, sizes, rng.integers(0, 2**31, n), strict=True)
    ]


def question(drawings: Sequence[Drawing]) -> tuple[list[list[str]], list[int]]:
    """Return, for each pair of shape and colour, its sentences (one a size), and which pair each drawing shows."""
    pairs = [(shape, colour) for shape in SHAPES for colour in COLOURS]
    sentences = [[Drawing(shape, colour, size, 0).caption for size in SIZES] for shape, colour in pairs]
    return sentences, [pairs.index((one.shape, one.colour)) for one in drawings]


def outline(shape: str, *, turned: float) -> list[tuple[float, float]]:
    """Corners of a shape within the unit circle, y downwards, turned by an angle in radians."""
    if shape == "circle":
        points = _ring(36, [1.0])
    elif shape == "square":
        points = _ring(4, [1.0], start=math.pi / 4)
    elif shape == "triangle":
        points = _ring(3, [1.0], start=-math.pi / 2)
    elif shape == "star":
        points = _ring(10, [1.0, 0.42], start=-math.pi / 2)
    elif shape == "cross":
        arm = 0.3
        quarter = [(arm, -1.0), (arm, -arm), (1.0, -arm), (1.0, arm), (arm, arm), (arm, 1.0)]
        points = [*quarter, *((-u, -v) for u, v in quarter)]
    else:
        points = [_heart(2 * math.pi * step / 36) for step in range(36)]
    cos, sin = math.cos(turned), math.sin(turned)
    return [(u * cos - v * sin, u * sin + v * cos) for u, v in points]


def _ring(corners: int, radii: list[float], start: float = 0.0) -> list[tuple[float, float]]:
    angles = [start + 2 * math.pi * number / corners for number in range(corners)]
    return [
        (radii[number % len(radii)] * math.cos(angle), radii[number % len(radii)] * math.sin(angle))
        for number, angle in enumerate(angles)
    ]


def _heart(t: float) -> tuple[float, float]:
    wide = 16 * math.sin(t) ** 3
    high = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
    return wide / 17, -(high + 2.5) / 17
