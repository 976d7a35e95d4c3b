"""Household vessels in three dimensions: a trash can, a mug, a bucket and the like, lit, before a wall and on a floor.

A class has one photo of full size. A vessel is told from another by its section, taper, handle and what is in it, and
these can be drawn in any number.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Points = NDArray[np.floating[Any]]
Range = tuple[float, float]

AROUND, UP = 48, 12  # faces of a side
FINE = 2  # pictures are drawn at so many times their size
PALE, LIVELY, CLAY = ((225, 250), 12), ((20, 240), 90), ((120, 190), 40)  # brightness, and how far channels differ
WALL = 0.06  # thickness of a side, in radii of the mouth
BROWN = (110, 60, 30)  # coffee and soil


@dataclass(frozen=True)
class Vessel:
    """What all vessels of a class have in common; lengths are in radii of the mouth.

    Attributes:
        label: the ImageNet class, 0..999.
        tall: height.
        foot: radius of the bottom.
        belly: what is added to the radius half-way up.
        square: part of them with rounded corners instead of a round section.
        handle: `ear` at its side, `bail` over its mouth, or none.
        inside: `paper`, `drink`, `soil`, `shut` or none.
        times: how often it is drawn, against the others.
    """

    label: int
    tall: Range
    foot: Range
    belly: Range = (0.0, 0.0)
    square: float = 0.0
    handle: str = ""
    inside: str = ""
    times: int = 1


VESSELS = (
    Vessel(412, (1.7, 3.2), (0.65, 0.95), square=0.5, inside="paper", times=4),  # trash can
    Vessel(504, (1.7, 2.4), (0.8, 1.0), (-0.05, 0.1), handle="ear", inside="drink", times=3),  # coffee mug
    Vessel(463, (1.5, 2.1), (0.65, 0.8), handle="bail", times=2),  # bucket
    Vessel(738, (1.3, 2.0), (0.5, 0.75), square=0.1, inside="soil"),  # flower pot
    Vessel(883, (3.0, 5.5), (0.6, 1.0), (0.3, 1.0)),  # vase
    Vessel(659, (0.6, 0.95), (0.3, 0.55), (0.1, 0.2)),  # mixing bowl
    Vessel(619, (1.0, 1.8), (1.3, 2.2), inside="shut"),  # lampshade
)
CLASSES = tuple(vessel.label for vessel in VESSELS)


def chosen(rng: random.Random) -> Vessel:
    """Any vessel, some more often than others."""
    return rng.choices(VESSELS, [vessel.times for vessel in VESSELS])[0]


def drawn(vessel: Vessel, side: int, rng: random.Random) -> Image.Image:
    """One vessel seen from the side or from above, (side, side) RGBA, all of it in the picture."""
    tall, round_ = rng.uniform(*vessel.tall), rng.random() >= vessel.square
    corner, wide = (2.0, 1.0) if round_ else (rng.uniform(3.5, 8), rng.uniform(1.0, 1.7))
    paint = _paint(*(CLAY if vessel.inside == "soil" else PALE if rng.random() < 0.45 else LIVELY), rng)
    profile = _profile(vessel, tall, rng)
    faces: list[Points] = []
    colours: list[Points] = []

    def add(grid: Points, colour: Points, dark: float = 1.0) -> None:
        """(rows, columns, 3) points -> their quadrangles."""
        quads = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], 2).reshape(-1, 4, 3)
        faces.append(quads)
        colours.append(np.broadcast_to(colour * dark, (len(quads), 3)))

    section = _section(corner, wide)
    heights = np.repeat(profile[:, 1:, None], AROUND + 1, axis=1)
    outer = np.concatenate([section * profile[:, :1, None], heights], 2)
    add(outer, paint)
    if vessel.inside != "shut":
        inner = outer.copy()
        inner[..., :2] *= 1 - WALL
        for row in range(len(inner) - 1):  # the deeper, the darker
            add(inner[row : row + 2], paint, 0.45 + 0.5 * row / len(inner))
        add(np.stack([outer[-1], inner[-1]]), paint, 1.05)
        level = {"drink": 0.85, "soil": 0.9}.get(vessel.inside, 0.0)
        row = round(level * (len(inner) - 1))
        filling = paint * 0.5 if not level else np.array(BROWN) * rng.uniform(0.4, 1.2)
        add(np.stack([inner[row], inner[row] * (0, 0, 1)]), filling)
    else:
        add(np.stack([outer[-1], outer[-1] * (0, 0, 1)]), paint)
    if vessel.handle == "ear":
        add(_tube(_ear(tall, rng), 0.1 * rng.uniform(0.8, 1.4)), paint)
    if vessel.handle == "bail":
        add(_tube(_bail(tall, rng), 0.035), np.array((150.0, 150, 150)))
    if vessel.inside == "paper" and rng.random() < 0.6:
        for _ in range(rng.randint(1, 6)):
            add(_crumple(tall, wide, rng), _paint((190, 250), 25, rng))
    return _seen(np.concatenate(faces), np.concatenate(colours), side, rng)


def placed(vessel: Image.Image, behind: Sequence[Image.Image], rng: random.Random) -> Image.Image:
    """A vessel on a floor before a wall.

    Args:
        vessel: as `drawn` gives it.
        behind: two square photos, of which wall and floor are parts; all have the vessel's size.
        rng: decides all else.
    """
    side = vessel.width
    picture, floor = (one.convert("RGB").filter(ImageFilter.GaussianBlur(rng.uniform(0, 4))) for one in behind)
    edge = rng.randint(side * 4 // 10, side)
    picture.paste(floor.crop((0, 0, side, side - edge)), (0, edge))
    scale = rng.uniform(0.5, 1.0)
    small = vessel.resize((round(side * scale),) * 2, Image.Resampling.BICUBIC)
    left, top = rng.randint(0, side - small.width), rng.randint((side - small.height) // 2, side - small.height)
    shadow = small.getchannel("A").filter(ImageFilter.GaussianBlur(side / 40)).point(lambda one: round(one * 0.6))
    picture.paste((20, 18, 16), (left + rng.randint(-side // 16, side // 16), top + side // 40), shadow)
    picture.paste(small, (left, top), small)
    return picture


def _paint(bright: tuple[int, int], apart: int, rng: random.Random) -> Points:
    middle = rng.randint(*bright)
    return np.clip([middle + rng.uniform(-apart, apart) for _ in "rgb"], 8, 252)


def _profile(vessel: Vessel, tall: float, rng: random.Random) -> Points:
    """(rows, 2) radius and height from the bottom up, a lip at the mouth."""
    t = np.linspace(0, 1, UP)
    foot, belly = rng.uniform(*vessel.foot), rng.uniform(*vessel.belly)
    radius = foot + (1 - foot) * t + belly * np.sin(math.pi * t ** rng.uniform(0.6, 1.1))
    rows = np.stack([radius, t * tall], 1)
    lip = rng.choice((0.0, rng.uniform(0.03, 0.15)))
    edge = rng.uniform(0.03, 0.14) * tall
    if not lip:
        return rows
    return np.concatenate([rows[:-1], [[1, tall - edge], [1 + lip, tall - edge], [1 + lip, tall]]])


def _section(corner: float, wide: float) -> Points:
    """(1, columns, 2) a super-ellipse of radius 1."""
    turn = np.linspace(0, 2 * math.pi, AROUND + 1)
    cos, sin = np.cos(turn), np.sin(turn)
    ring = np.stack([wide * np.sign(cos) * abs(cos) ** (2 / corner), np.sign(sin) * abs(sin) ** (2 / corner)], 1)
    return ring[None]


def _tube(path: Points, thick: float) -> Points:
    """(n, 3) a line -> (n, 9, 3) a tube around it."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    aside = np.cross(along, (0.0, 1.0, 0.01))
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    other = np.cross(along, aside)
    turn = np.linspace(0, 2 * math.pi, 9)[None, :, None]
    tube: Points = path[:, None] + thick * (aside[:, None] * np.cos(turn) + other[:, None] * np.sin(turn))
    return tube


def _ear(tall: float, rng: random.Random) -> Points:
    turn = np.linspace(-math.pi / 2, math.pi / 2, 14)
    reach, high = rng.uniform(0.5, 0.8), rng.uniform(0.26, 0.38) * tall
    return np.stack([0.93 + reach * np.cos(turn), 0 * turn, 0.52 * tall + high * np.sin(turn)], 1)


def _bail(tall: float, rng: random.Random) -> Points:
    turn, lean = np.linspace(0, math.pi, 20), rng.choice((rng.uniform(1.2, 1.6), rng.uniform(0.0, 0.4)))
    high = rng.uniform(0.9, 1.1) * np.sin(turn)
    return np.stack([1.05 * np.cos(turn), -high * math.cos(lean), 0.95 * tall + high * math.sin(lean)], 1)


def _crumple(tall: float, wide: float, rng: random.Random) -> Points:
    """A ball of paper that looks out of the mouth, (5, 7, 3)."""
    middle = np.array([wide * rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6), tall + rng.uniform(-0.15, 0.15)])
    turn, lean = np.meshgrid(np.linspace(0, 2 * math.pi, 7), np.linspace(0.1, math.pi - 0.1, 5))
    ball = np.stack([np.sin(lean) * np.cos(turn), np.sin(lean) * np.sin(turn), np.cos(lean)], 2)
    size = np.array([[rng.uniform(0.12, 0.42) for _ in range(7)] for _ in range(5)])[..., None]
    size[:, -1] = size[:, 0]
    crumpled: Points = middle + ball * size
    return crumpled


def _seen(faces: Points, colours: Points, side: int, rng: random.Random) -> Image.Image:
    """Paint (n, 4, 3) faces from the farthest to the nearest."""
    yaw, pitch = rng.uniform(-1, 1) + rng.choice((0, math.pi)), rng.uniform(0.02, 0.65)
    turn = np.array([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]])
    points = faces @ (tilt @ turn).T  # x to the right, y away, z up
    normal = np.cross(points[:, 2] - points[:, 0], points[:, 3] - points[:, 1])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    normal *= -np.sign(normal[:, 1:2] + 1e-9)  # each is seen from its front
    light = np.array([rng.uniform(-1, 1), rng.uniform(-1, -0.2), rng.uniform(0.1, 1)])
    light /= np.linalg.norm(light)
    ambient = rng.uniform(0.35, 0.75)
    bright = ambient + (1.1 - ambient) * np.clip(normal @ light, 0, 1)
    shaded = np.clip(colours * bright[:, None], 0, 255).astype(int)
    away = rng.uniform(6, 20) + points[..., 1]
    flat = np.stack([points[..., 0] / away, -points[..., 2] / away], -1)
    low, high = flat.min((0, 1)), flat.max((0, 1))
    whole = side * FINE
    scale = 0.96 * whole / (high - low).max()
    flat = (flat - (low + high) / 2) * scale + whole / 2
    picture = Image.new("RGBA", (whole, whole))
    brush = ImageDraw.Draw(picture)
    for place in np.argsort(-points[..., 1].mean(1)):
        brush.polygon([tuple(corner) for corner in flat[place]], fill=(*map(int, shaded[place]), 255))
    return picture.resize((side, side), Image.Resampling.LANCZOS)
