"""Class folders of OpenMoji drawings, each moved, turned, scaled, mirrored and coloured anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from audits.datasets.drawn_things import things, trimmed
from workbench.pictures import draw

SIDE = 96


def write_images(
    folder: Path, names: Sequence[str], each: int, *, seed: int = 0, parts: Sequence[str] = ("",)
) -> list[Path]:
    """Write `each` images of every thing, dealt to the parts in turn; return their paths."""
    rng, glyphs, paths = np.random.default_rng(seed), {thing: glyph for _, thing, glyph in things()}, []
    for name in names:
        drawing = trimmed(draw(glyphs[name]).convert("RGB")).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        for number in range(each):
            place = folder / parts[number % len(parts)] / name
            place.mkdir(parents=True, exist_ok=True)
            paths.append(place / f"{number:03}.png")
            changed(drawing, rng).save(paths[-1])
    return paths


def changed(drawing: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a drawing on another background, of another size and angle, with noise."""
    side = int(rng.integers(SIDE // 3, SIDE))
    small = drawing.resize((side, side), Image.Resampling.BICUBIC).rotate(
        float(rng.uniform(-40, 40)), resample=Image.Resampling.BICUBIC, fillcolor="white"
    )
    ground = Image.new("RGB", (SIDE, SIDE), "white")
    ground.paste(small, tuple(int(at) for at in rng.integers(0, SIDE - side + 1, 2)))
    pixels = np.asarray(ground, float) * rng.uniform(0.55, 1.0, 3) + rng.normal(0, 12, (SIDE, SIDE, 3))
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else picture
