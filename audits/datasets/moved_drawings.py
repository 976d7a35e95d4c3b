"""Many variations of a few drawings (`builtin:moved-drawings`): moved, turned, scaled and coloured anew."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from audits.datasets.dataset import About
from audits.datasets.drawn import Picture

DRAWN = {"cat": "🐈", "dog": "🐕", "car": "🚗", "tree": "🌳", "pizza": "🍕", "guitar": "🎸", "key": "🔑", "house": "🏠"}
EACH = 24  # variations of a drawing
SIDE = 112  # pixels
ABOUT = About(
    title="Variations of eight drawings",
    licence="CC BY-SA 4.0",
    source="OpenMoji 17, openmoji.org",
    shows=(
        "One drawing of each of eight things, 24 times: moved, turned, scaled, on a tinted background, with noise. It "
        "shows how probes are measured. A probe learns the drawing, so its accuracy says nothing about photos."
    ),
)


def variation(drawing: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a drawing at another place, angle and size, in another light, with noise; (SIDE, SIDE) RGB."""
    side = int(rng.integers(SIDE // 3, SIDE))
    small = drawing.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    turned = small.rotate(float(rng.uniform(-40, 40)), resample=Image.Resampling.BICUBIC, fillcolor="white")
    ground = Image.new("RGB", (SIDE, SIDE), "white")
    left, top = rng.integers(0, SIDE - side + 1, 2)
    ground.paste(turned, (int(left), int(top)))
    pixels = np.asarray(ground, float) * rng.uniform(0.55, 1.0, 3) + rng.normal(0, 12, (SIDE, SIDE, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def pictures() -> Iterator[Picture]:
    """Yield 192 images of 112 x 112 pixels with their labels."""
    from workbench.pictures import draw

    rng = np.random.default_rng(0)
    for name, glyph in DRAWN.items():
        drawing = draw(glyph)
        for number in range(EACH):
            sample = f"{name}-{number:02}"
            split = "test" if number % 4 == 3 else "train"
            yield sample, variation(drawing, rng), {"cluster": sample, "split": split, "label": name}
