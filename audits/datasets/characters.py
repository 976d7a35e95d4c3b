"""Drawn characters: invented faces with seeded features, several views each, for gallery audits without real people.

A character is called by a letter and a number, never by a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from audits.datasets.dataset import About
from audits.datasets.drawn import Picture

if TYPE_CHECKING:
    Colour = tuple[int, int, int]

SIDE = 160  # pixels
SEED = 11
CHARACTERS = 120
VIEWS = 3  # the first of each is in the gallery
TONES: dict[str, tuple[int, int, int]] = {  # skin, from light to dark, as the five emoji modifiers
    "light": (250, 220, 190),
    "medium light": (225, 185, 145),
    "medium": (190, 140, 100),
    "medium dark": (145, 95, 60),
    "dark": (90, 60, 42),
}
HAIR: dict[str, tuple[int, int, int]] = {
    "black": (30, 28, 28),
    "brown": (100, 65, 40),
    "fair": (215, 180, 100),
    "red": (170, 75, 40),
    "grey": (160, 160, 165),
}
STYLES = ("short", "long", "curly", "none", "bun")
HATS = ("no hat", "no hat", "cap", "brimmed hat")
ABOUT = About(
    title="Drawn characters",
    licence="MIT",
    source="drawn",
    people=True,
    shows=(
        "120 characters in three views each, drawn from seeded features: skin, hair, glasses, hat, face shape. Real "
        "faces differ less from each other, and more from view to view. Skin tone is not race. The numbers show how an "
        "error rate grows with the gallery and how it is counted by group. They do not measure how well faces are "
        "recognised."
    ),
)


@dataclass(frozen=True)
class _Features:
    """The features of one character."""

    tone: str
    hair: str
    style: str
    hat: str
    glasses: bool
    beard: bool
    wide: float  # of the face, share of its height
    eyes: float  # distance from the middle, share of the width
    brows: float  # slant
    mouth: float  # width
    shirt: Colour
    eye: Colour


def pictures() -> Iterator[Picture]:
    """Yield 360 images of 160 x 160 pixels with their features."""
    for number in range(CHARACTERS):
        rng = np.random.default_rng([SEED, number])
        tone = list(TONES)[number % len(TONES)]  # equally many of each
        features = _features(tone, glasses=bool(number // len(TONES) % 2), rng=rng)
        key = f"{'KLMNPRTV'[number % 8]}-{100 + number}"
        for view in range(VIEWS):
            yield (
                f"{key}-{view}",
                _portrait(features, np.random.default_rng([SEED, number, view])),
                {
                    "cluster": key,
                    "split": "probe" if view else "gallery",
                    "label": key,
                    "skin tone": features.tone,
                    "glasses": "glasses" if features.glasses else "no glasses",
                    "hat": "hat" if features.hat != "no hat" else "no hat",
                },
            )


def _features(tone: str, *, glasses: bool, rng: np.random.Generator) -> _Features:
    shirt, eye = (tuple(int(part) for part in rng.integers(30, 230, size=3)) for _ in range(2))
    return _Features(
        tone=tone,
        hair=str(rng.choice(list(HAIR))),
        style=str(rng.choice(STYLES)),
        hat=str(rng.choice(HATS)),
        glasses=glasses,
        beard=bool(rng.random() < 0.3),
        wide=float(rng.uniform(0.68, 0.92)),
        eyes=float(rng.uniform(0.17, 0.27)),
        brows=float(rng.uniform(-4, 4)),
        mouth=float(rng.uniform(0.18, 0.4)),
        shirt=(shirt[0], shirt[1], shirt[2]),
        eye=(eye[0] // 2, eye[1] // 2, eye[2] // 2),
    )


def _portrait(known: _Features, rng: np.random.Generator) -> Image.Image:
    """Draw one view with random position, tilt, turn, light and background."""
    ground = tuple(int(part) for part in rng.integers(90, 240, size=3))
    picture = Image.new("RGB", (SIDE, SIDE), ground)
    pen = ImageDraw.Draw(picture)
    middle, top = SIDE / 2, SIDE * 0.2
    high = SIDE * 0.52
    wide = high * known.wide
    pen.ellipse((middle - 60, SIDE - 40, middle + 60, SIDE + 60), fill=known.shirt)
    face = (middle - wide / 2, top, middle + wide / 2, top + high)
    _hair(pen, known, face, behind=True)
    pen.rectangle((middle - 13, top + high - 12, middle + 13, SIDE - 26), fill=_shaded(TONES[known.tone], 0.9))
    pen.ellipse(face, fill=TONES[known.tone])
    _hair(pen, known, face, behind=False)
    _look(pen, known, face, turn=float(rng.uniform(-7, 7)))
    turned = picture.rotate(float(rng.uniform(-12, 12)), Image.Resampling.BILINEAR, fillcolor=ground)
    side = int(rng.integers(132, 156))
    x, y = (int(rng.integers(0, SIDE - side + 1)) for _ in range(2))
    closer = turned.crop((x, y, x + side, y + side)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(closer, dtype=np.float64)
    light = np.linspace(float(rng.uniform(0.75, 1.1)), float(rng.uniform(0.75, 1.1)), SIDE)[None, :, None]
    noise = rng.normal(0.0, 4.0, size=(SIDE, SIDE, 1))
    return Image.fromarray(np.clip(pixels * light + noise, 0, 255).round().astype(np.uint8))


def _hair(pen: ImageDraw.ImageDraw, known: _Features, face: tuple[float, float, float, float], *, behind: bool) -> None:
    colour, (left, top, right, bottom) = HAIR[known.hair], face
    if behind and known.style == "long":
        pen.ellipse((left - 12, top - 12, right + 12, bottom + 34), fill=colour)
    if behind and known.style == "bun":
        pen.ellipse((SIDE / 2 - 17, top - 26, SIDE / 2 + 17, top + 8), fill=colour)
    if behind and known.style == "curly":
        for turn in np.linspace(np.pi, 2 * np.pi, 9):
            x = SIDE / 2 + (right - left) / 2 * np.cos(turn)
            y = (top + bottom) / 2 + (bottom - top) / 2 * np.sin(turn)
            pen.ellipse((x - 15, y - 15, x + 15, y + 15), fill=colour)
    if not behind and known.style != "none":
        pen.chord((left - 2, top - 5, right + 2, bottom - 20), 195, 345, fill=colour)
    if not behind and known.hat == "cap":
        pen.chord((left - 4, top - 12, right + 4, bottom - 22), 180, 360, fill=known.eye)
        pen.rectangle((SIDE / 2, top + 22, right + 22, top + 30), fill=known.eye)
    if not behind and known.hat == "brimmed hat":
        pen.rectangle((left + 6, top - 18, right - 6, top + 14), fill=known.eye)
        pen.rectangle((left - 22, top + 8, right + 22, top + 17), fill=known.eye)


def _look(pen: ImageDraw.ImageDraw, known: _Features, face: tuple[float, float, float, float], *, turn: float) -> None:
    left, top, right, bottom = face
    wide, high, middle = right - left, bottom - top, SIDE / 2 + turn
    line = top + 0.45 * high
    for side in (-1, 1):
        x = middle + side * known.eyes * wide
        pen.ellipse((x - 6, line - 4, x + 6, line + 4), fill=(250, 250, 250))
        pen.ellipse((x - 3, line - 3, x + 3, line + 3), fill=known.eye)
        slant = side * known.brows
        pen.line((x - 8, line - 10 - slant, x + 8, line - 10 + slant), fill=HAIR[known.hair], width=3)
        if known.glasses:
            pen.ellipse((x - 12, line - 10, x + 12, line + 10), outline=(25, 25, 25), width=3)
    if known.glasses:
        pen.line(
            (middle - known.eyes * wide + 12, line, middle + known.eyes * wide - 12, line), fill=(25, 25, 25), width=3
        )
    pen.line(
        (middle, line + 8, middle - 4, line + 20, middle + 3, line + 20), fill=_shaded(TONES[known.tone], 0.75), width=2
    )
    if known.beard:
        pen.chord((left + 4, top + 0.4 * high, right - 4, bottom + 4), 25, 155, fill=HAIR[known.hair])
    half = known.mouth * wide / 2
    pen.chord((middle - half, line + 24, middle + half, line + 36), 0, 180, fill=(165, 60, 65))


def _shaded(colour: Colour, share: float) -> Colour:
    return (int(colour[0] * share), int(colour[1] * share), int(colour[2] * share))
