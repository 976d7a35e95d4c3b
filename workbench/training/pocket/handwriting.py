"""Words as a pen writes them: letters of uneven size and slope, strokes of uneven width.

Draws masks of ink only; `labels` draws paper and photos.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from workbench.training.pocket.writing import Spot

EM = 56  # pixels of type that a word is drawn at
MARGIN = EM // 2  # pixels around it, for letters that swing out
UPPER, TITLE = 0.65, 0.8  # of the words are in capitals; up to here in title case, the rest as they are
FINE_PENS = 0.5  # of the words
FINE, BROAD = (0.65, 0.82), (0.35, 0.72)  # of its depth, where a stroke ends
FAINT = 60  # of 255, what counts as a stroke
SLOPE = 6.0  # degrees that a single letter leans at most

Plane = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Penned:
    """A word's ink, (height, width) of 0..1, and the middle of each letter in pixels of it."""

    ink: Plane
    spots: tuple[Spot, ...]


def penned(word: str, font: str, rng: random.Random) -> Penned:
    """Write a word.

    Args:
        word: as it is to be read; capitals and title case are written too.
        font: file of a font that looks like handwriting.
        rng: decides all else.
    """
    chance = rng.random()
    text = word.upper() if chance < UPPER else word.title() if chance < TITLE else word
    stroke = rng.choice((0, 0, 0, 0, 1))
    drawn, middles = _letters(text, font, rng, stroke) if text.isupper() else _joined(text, font, stroke)
    waves = smooth(drawn.size, EM * rng.uniform(0.7, 1.6), rng), smooth(drawn.size, EM * rng.uniform(0.7, 1.6), rng)
    sway = EM * rng.uniform(0, 0.05)
    ink = _pressed(_swayed(np.asarray(drawn, np.float32) / 255, waves, sway), rng)
    rows, columns = (np.flatnonzero((ink > 0.2).any(axis)) for axis in (1, 0))
    if not len(rows):  # a font without ink for it
        return Penned(ink, ())
    top, left = int(rows[0]), int(columns[0])
    ink = ink[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    spots = tuple(Spot(letter, x - left, y - top) for letter, (x, y) in zip(text.lower(), middles, strict=True))
    return Penned(ink, spots)


def smooth(size: tuple[int, int], wave: float, rng: random.Random) -> Plane:
    """Noise of -1..1 about that changes over `wave` pixels; `size` is (width, height)."""
    few = [max(2, round(side / wave) + 2) for side in size]
    grid = np.array([[rng.uniform(-1, 1) for _ in range(few[0])] for _ in range(few[1])], np.float32)
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC))


@functools.lru_cache(maxsize=512)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def _joined(text: str, font: str, stroke: int) -> tuple[Image.Image, list[tuple[float, float]]]:
    """A word in one go, since letters of a script hang together."""
    type_ = _font(font, EM)
    left, top, right, bottom = type_.getbbox(text)
    drawn = Image.new("L", (int(right - left) + 2 * MARGIN, int(bottom - top) + 2 * MARGIN))
    at = MARGIN - left, MARGIN - top
    ImageDraw.Draw(drawn).text(at, text, font=type_, fill=255, stroke_width=stroke)
    ends = [type_.getlength(text[:place]) for place in range(len(text) + 1)]
    middle = MARGIN + (bottom - top) / 2
    return drawn, [(at[0] + (ends[place] + ends[place + 1]) / 2, middle) for place in range(len(text))]


def _letters(text: str, font: str, rng: random.Random, stroke: int) -> tuple[Image.Image, list[tuple[float, float]]]:
    """Letter by letter, each of its own size, slope and height above the line."""
    space, rise = rng.uniform(-0.04, 0.16) * EM, rng.uniform(-0.04, 0.04)
    parts, x = [], float(MARGIN)
    for letter in text:
        type_ = _font(font, round(EM * rng.uniform(0.9, 1.1)))
        left, top, right, bottom = type_.getbbox(letter)
        wide, high = max(1, int(right - left)) + 8, max(1, int(bottom - top)) + 8
        one = Image.new("L", (wide, high))
        ImageDraw.Draw(one).text((4 - left, 4 - top), letter, font=type_, fill=255, stroke_width=stroke)
        one = one.rotate(rng.uniform(-SLOPE, SLOPE), expand=True, resample=Image.Resampling.BILINEAR)
        parts.append((one, x, top + rng.uniform(-0.05, 0.05) * EM - rise * x))
        x += right - left + max(2.0, space + rng.uniform(-0.04, 0.06) * EM)
    lowest, highest = max(y + one.height for one, _, y in parts), min(y for _, _, y in parts)
    drawn = Image.new("L", (int(x) + 2 * MARGIN, int(lowest - highest) + 2 * MARGIN))
    middles = []
    for one, left, y in parts:
        at = int(left), int(y - highest) + MARGIN
        drawn.paste(255, (*at, at[0] + one.width, at[1] + one.height), one)
        middles.append((at[0] + one.width / 2, at[1] + one.height / 2))
    return drawn, middles


def _swayed(ink: Plane, waves: tuple[Plane, Plane], sway: float) -> Plane:
    """Each point moved by up to `sway` pixels."""
    high, wide = ink.shape
    y, x = np.mgrid[:high, :wide]
    x = np.clip(np.rint(x + sway * waves[0]), 0, wide - 1).astype(np.intp)
    y = np.clip(np.rint(y + sway * waves[1]), 0, high - 1).astype(np.intp)
    moved: Plane = ink[y, x]
    return moved


def _pressed(ink: Plane, rng: random.Random) -> Plane:
    """Strokes wider where the pen is pressed, and paler in places; with a fine pen all of them are thin."""
    soft = Image.fromarray((255 * ink).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(1.0, 2.2)))
    size = soft.size
    ridge = np.asarray(soft.filter(ImageFilter.MaxFilter(7)), np.float32)  # how deep the nearest stroke is
    depth = np.asarray(soft, np.float32) / np.maximum(ridge, FAINT)
    widest, finest = FINE if rng.random() < FINE_PENS else BROAD
    least = rng.uniform(widest, finest) + rng.uniform(0, 0.14) * smooth(size, EM * rng.uniform(0.3, 1), rng)
    strokes = np.clip((depth - least.clip(max=0.84)) / 0.2 + 0.5, 0, 1)
    pale: Plane = strokes * (1 - rng.uniform(0, 0.25) * (0.5 + 0.5 * smooth(size, EM / 2, rng)))
    return pale.clip(0, 1)
