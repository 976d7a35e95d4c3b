"""Paper labels on photos, blank or written on: stuck flat, wrapped round, folded, in the photo's light.

Each pixel of the photo is mapped back to the flat label, through the camera's perspective and the curve of the paper;
the position of each letter is mapped the other way.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch.nn import functional

from workbench.training.pocket.handwriting import Penned, Plane, smooth
from workbench.training.pocket.writing import Spot, Written

SHARES = (0.015, 0.30)  # of the picture that a label takes
PAPERS = (
    *((252, 252, 250),) * 9,
    *((244, 239, 224), (235, 235, 238), (252, 240, 140), (250, 200, 205), (205, 225, 245), (205, 180, 140)),
)
INKS = (*((20, 20, 22),) * 6, (30, 40, 120), (25, 60, 160), (150, 25, 30), (20, 90, 50), (70, 70, 75))
WRAPPED = 0.5  # of the labels go round something
SHADOW = 12  # pixels around a label that its shadow may fall on
RULED = 0.12  # of the papers have lines

Pixels = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Bend:
    """How a label lies in a picture.

    Attributes:
        plane: (3, 3) from the label's plane, where it spans 0..1 both ways, to pixels.
        angle: half of the angle that it goes round, radians; 0 is flat.
        sag: how much lower its middle lies than its ends, in parts of its height.
    """

    plane: NDArray[np.float64]
    angle: float
    sag: float

    def forward(self, u: float, v: float) -> tuple[float, float]:
        """A point of the label, 0..1 both ways -> pixels."""
        turn = (2 * u - 1) * self.angle
        s = u if self.angle == 0 else (math.sin(turn) / math.sin(self.angle) + 1) / 2
        t = v + self.sag * self._depth(turn)
        x, y, z = self.plane @ (s, t, 1)
        return x / z, y / z

    def back(self, x: Pixels, y: Pixels) -> tuple[Pixels, Pixels]:
        """Pixels -> points of the label; far outside of 0..1 where they are beside it."""
        inverse = np.linalg.inv(self.plane)
        s, t, z = (row[0] * x + row[1] * y + row[2] for row in inverse)
        s, t = s / z, t / z
        if self.angle == 0:
            return s.astype(np.float32), t.astype(np.float32)
        turn = np.arcsin(np.clip((2 * s - 1) * math.sin(self.angle), -1, 1))
        u = np.where((s < 0) | (s > 1), -9, (turn / self.angle + 1) / 2)
        depth = (np.cos(turn) - math.cos(self.angle)) / (1 - math.cos(self.angle))
        return u.astype(np.float32), (t - self.sag * depth).astype(np.float32)

    def _depth(self, turn: float) -> float:
        return (math.cos(turn) - math.cos(self.angle)) / (1 - math.cos(self.angle)) if self.angle else 0.0


def labelled(
    photo: Image.Image, text: Penned | None, rng: random.Random, *, shares: tuple[float, float] = SHARES
) -> tuple[Written, float]:
    """A photo with a paper label on it.

    Args:
        photo: square; left as it is.
        text: what is written on it; None leaves it blank.
        rng: decides all else.
        shares: between which parts of the picture the label takes, before what is bent away.

    Returns:
        The picture with its letters' places in parts of its sides, and the part of it that the label takes.
    """
    side = photo.width
    sheet, spots = _sheet(text, rng)
    ratio = sheet.shape[1] / sheet.shape[0]
    share = math.exp(rng.uniform(*map(math.log, shares)))
    wide = min(0.96, math.sqrt(share * ratio)) * side
    high = min(0.8 * side, wide / ratio)
    bend = _bend(side, wide, high, rng)
    base = np.array(photo, np.float32)
    rows, columns = _around(bend, side)
    part = base[rows, columns]
    x, y = np.meshgrid(np.arange(side, dtype=np.float32)[columns] + 0.5, np.arange(side, dtype=np.float32)[rows] + 0.5)
    u, v = bend.back(x, y)
    cover, colour = _seen(_fitting(sheet, wide), u, v)
    light = _light(base, part[cover > 0.5], rng) * _relief(bend, u, v, rng)[..., None]
    shaded = part * (1 - _shadow(cover, high, rng))[..., None]
    base[rows, columns] = shaded * (1 - cover[..., None]) + colour * light * cover[..., None]
    placed = tuple(Spot(one.letter, px / side, py / side) for one in spots for px, py in (bend.forward(one.x, one.y),))
    return Written(taken(base, rng), placed), float(cover.sum()) / side**2


def _sheet(text: Penned | None, rng: random.Random) -> tuple[Pixels, tuple[Spot, ...]]:
    """The paper as it lies flat, (height, width, 4) of 0..255, and its letters' places in parts of its sides."""
    if text is None:
        high, wide = 80, round(80 * math.exp(rng.uniform(-0.1, 1.2)))
        ink, spots = np.zeros((high, wide), np.float32), tuple[Spot, ...]()
    else:
        stretch = rng.uniform(0.75, 1.25)
        inner = np.asarray(
            Image.fromarray(text.ink).resize((max(8, round(text.ink.shape[1] * stretch)), text.ink.shape[0]))
        )
        tall = inner.shape[0]
        above, below = (round(tall * rng.uniform(0.12, 0.6)) for _ in "ab")
        left, right = (round(tall * rng.uniform(0.05, 0.6)) for _ in "ab")
        ink = np.pad(inner, ((above, below), (left, right)))
        high, wide = ink.shape
        spots = tuple(Spot(one.letter, (left + one.x * stretch) / wide, (above + one.y) / high) for one in text.spots)
    paper = np.array(rng.choice(PAPERS), np.float32) - rng.uniform(0, 12)
    colour = np.broadcast_to(paper, (high, wide, 3)).copy()
    if rng.random() < RULED:
        gap, line = rng.randint(high // 6 + 2, high // 3 + 2), rng.uniform(0.8, 0.93)
        colour[rng.randrange(gap) :: gap] *= line
        if rng.random() < 0.4:
            colour[:, rng.randrange(gap) :: gap] *= line
    colour += (np.array(rng.choice(INKS), np.float32) - colour) * ink[..., None]
    return np.dstack([colour, 255 * _cut(high, wide, rng)]), spots


def _cut(high: int, wide: int, rng: random.Random) -> Plane:
    """Where the paper is: its edges are cut or torn, none of them straight."""
    rough = high * rng.choice((0.01, 0.03, 0.05))
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    edges = [rough * (1 + smooth((length, 2), high * rng.uniform(0.2, 1), rng)[0]) for length in (wide, wide)]
    edges += [rough * (1 + smooth((length, 2), high * rng.uniform(0.2, 1), rng)[0]) for length in (high, high)]
    slants = [rng.uniform(0, 0.08) * high for _ in range(4)]
    along = np.linspace(0, 1, wide, dtype=np.float32)[None], np.linspace(0, 1, high, dtype=np.float32)[:, None]
    inside = np.minimum(y - edges[0] - slants[0] * along[0], high - 1 - y - edges[1] - slants[1] * along[0])
    inside = np.minimum(inside, x - edges[2][:, None] - slants[2] * along[1])
    inside = np.minimum(inside, wide - 1 - x - edges[3][:, None] - slants[3] * along[1])
    kept: Plane = np.clip(inside + 0.5, 0, 1)
    return kept


def _bend(side: int, wide: float, high: float, rng: random.Random) -> Bend:
    """Where it lies, turned, seen from one side, wrapped round something or flat."""
    turn = math.radians(rng.gauss(0, 6))
    extents = [abs(math.cos(turn)) * a / 2 + abs(math.sin(turn)) * b / 2 for a, b in ((wide, high), (high, wide))]
    x, y = (rng.triangular(min(r, side / 2), max(side - r, side / 2)) for r in extents)
    corners = []
    for u, v in ((0, 0), (1, 0), (1, 1), (0, 1)):
        right, down = (u - 0.5) * wide, (v - 0.5) * high
        right += rng.uniform(-0.1, 0.1) * high
        down += rng.uniform(-0.1, 0.1) * high
        px = x + math.cos(turn) * right - math.sin(turn) * down
        py = y + math.sin(turn) * right + math.cos(turn) * down
        corners.append((u, v, px, py))
    wrapped = rng.random() < WRAPPED
    angle = rng.uniform(0.4, 1.25) if wrapped else 0.0
    sag = rng.uniform(-0.15, 0.35) * min(2.0, wide / high / 2) if wrapped else 0.0
    return Bend(_plane(corners), angle, sag)


def _plane(corners: Sequence[tuple[float, float, float, float]]) -> NDArray[np.float64]:
    """The perspective that brings four points (u, v) to (x, y)."""
    rows, right = [], []
    for u, v, x, y in corners:
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        right += [x, y]
    return np.append(np.linalg.solve(np.array(rows), np.array(right)), 1.0).reshape(3, 3)


def _fitting(sheet: Pixels, wide: float) -> Pixels:
    """The paper at about the pixels that it is to have, so that thin strokes are averaged and not skipped."""
    size = max(4, round(1.15 * wide)), max(4, round(1.15 * wide * sheet.shape[0] / sheet.shape[1]))
    whole = Image.fromarray(sheet.clip(0, 255).astype(np.uint8), "RGBA").resize(size, Image.Resampling.BOX)
    return np.asarray(whole, np.float32)


def _seen(sheet: Pixels, u: Pixels, v: Pixels) -> tuple[Plane, Pixels]:
    """Look a sheet up at points of 0..1: (how much of it is there, 0..1; its colour, 0..255)."""
    pixels = sheet.copy()
    pixels[..., :3] *= pixels[..., 3:] / 255
    points = torch.from_numpy(np.stack([2 * u - 1, 2 * v - 1], axis=-1))[None]
    sampled = functional.grid_sample(torch.from_numpy(pixels).permute(2, 0, 1)[None], points, align_corners=False)
    colour, cover = sampled[0, :3].permute(1, 2, 0).numpy(), sampled[0, 3].numpy() / 255
    return cover, colour / np.maximum(cover, 1e-4)[..., None]


def _around(bend: Bend, side: int) -> tuple[slice, slice]:
    """The rows and columns of a picture that a label and its shadow lie in."""
    ends = [bend.forward(u / 8, v) for u in range(9) for v in (0.0, 1.0)]
    slices = []
    for values in zip(*ends, strict=True):
        low, high = max(0, int(min(values)) - SHADOW), min(side, int(max(values)) + SHADOW)
        slices.append(slice(min(low, side - 2), max(high, low + 2)))
    columns, rows = slices
    return rows, columns


def _light(photo: Pixels, behind: Pixels, rng: random.Random) -> Pixels:
    """How bright white paper is there, a factor for each colour: as the photo's brightest parts, tint and all."""
    bright = np.percentile(photo[::4, ::4].reshape(-1, 3), 93, axis=0)
    here = behind.mean(0) if len(behind) else bright
    mixed = 0.75 * bright + 0.25 * here
    amount = rng.uniform(0, 0.7)
    factor: Pixels = ((1 - amount) * 255 + amount * mixed).clip(120, 255) / 255
    return factor.astype(np.float32) * np.float32(rng.uniform(0.85, 1.05))


def _relief(bend: Bend, u: Pixels, v: Pixels, rng: random.Random) -> Plane:
    """Light and shade on the paper: round the bend, along folds, and where it is not quite even."""
    turn = (2 * u.clip(0, 1) - 1) * bend.angle
    shade = 1 - rng.uniform(0.2, 0.55) * (1 - np.cos(turn - rng.uniform(-0.5, 0.5))) if bend.angle else np.ones_like(u)
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        lean, at = rng.uniform(-1, 1), rng.uniform(0, 1)
        away = (u - at + lean * (v - 0.5) * 0.3) / rng.uniform(0.03, 0.15)
        shade = shade * (1 - rng.uniform(-0.08, 0.14) * np.exp(-away * away) - rng.uniform(0, 0.09) * (away > 0))
    high, wide = u.shape
    made: Plane = shade * (1 + rng.uniform(0, 0.06) * smooth((wide, high), wide * rng.uniform(0.1, 0.5), rng))
    ramp = 1 + rng.uniform(-0.15, 0.15) * (u.clip(0, 1) - 0.5) + rng.uniform(-0.15, 0.15) * (v.clip(0, 1) - 0.5)
    return (made * ramp).astype(np.float32)


def _shadow(cover: Plane, high: float, rng: random.Random) -> Plane:
    """What the paper keeps the light from, 0..1."""
    depth = rng.choice((0.0, rng.uniform(0.1, 0.55)))
    if not depth:
        return np.zeros_like(cover)
    soft = Image.fromarray((255 * cover).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(0.6, 5)))
    shift_limit = min(SHADOW // 2, max(2, round(0.15 * high)))
    shift = rng.randint(-shift_limit, shift_limit), rng.randint(0, shift_limit)
    return depth * np.roll(np.asarray(soft, np.float32) / 255, shift, (1, 0))


def taken(picture: Pixels | Image.Image, rng: random.Random) -> Image.Image:
    """As a camera takes it: white balance, exposure, noise, a little out of focus."""
    gain = np.array([rng.gauss(1, 0.05) for _ in "rgb"], np.float32) * np.float32(rng.gauss(1, 0.07))
    made = np.asarray(picture, np.float32) * gain
    if rng.random() < 0.6:
        noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(made.shape, np.float32)
        made = made + rng.uniform(0, 7) * noise
    whole = Image.fromarray(made.clip(0, 255).astype(np.uint8))
    return whole.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.8))) if rng.random() < 0.3 else whole
