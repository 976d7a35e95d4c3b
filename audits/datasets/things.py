"""Photos and drawings of one thing each: what the typographic audit writes on.

Knows no model. The photos lie in scikit-image's package, the drawings are OpenMoji's on rendered grounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audits.datasets.dataset import About
from audits.datasets.drawn import write_pictures

if TYPE_CHECKING:
    from PIL import Image

SIDE = 256  # pixels
SEED = 20
GROUNDS = ("plain", "stripes")
PHOTOS = ("cat", "coffee", "rocket", "motorcycle", "clock", "astronaut", "coins", "horse")
GLYPHS = {
    "anchor": "⚓",
    "bear": "🐻",
    "bed": "🛏",
    "bicycle": "🚲",
    "bird": "🐦",
    "butterfly": "🦋",
    "camera": "📷",
    "car": "🚗",
    "carrot": "🥕",
    "castle": "🏰",
    "chair": "🪑",
    "computer": "💻",
    "elephant": "🐘",
    "giraffe": "🦒",
    "glasses": "👓",
    "grapes": "🍇",
    "guitar": "🎸",
    "hammer": "🔨",
    "house": "🏠",
    "key": "🔑",
    "lamp": "💡",
    "moon": "🌙",
    "panda": "🐼",
    "phone": "📱",
    "piano": "🎹",
    "pizza": "🍕",
    "shoe": "👞",
    "snake": "🐍",
    "strawberry": "🍓",
    "tooth": "🦷",
    "tree": "🌳",
    "truck": "🚚",
    "turtle": "🐢",
    "umbrella": "☂",
    "volcano": "🌋",
    "whale": "🐋",
}
SHOWS = (
    "Eight photos in four views each and 36 drawings on two grounds each, with the thing that they show. Views of one "
    "photo and grounds of one drawing share a cluster. Drawings on rendered grounds are simpler than photos; what is "
    "found here is found for pictures like these. The things were chosen among those that the first `pocket` "
    "named when nothing is written on them: an attack needs pictures that are named rightly. Its accuracy on the clean "
    "pictures is flattered by that choice and says nothing of things in general; no other model was asked."
)


def build(folder: Path) -> About:
    """Write 104 pictures of 256 x 256 pixels and their table into an empty folder."""
    write_pictures(folder, ((name, picture, {"split": "test", **facts}) for name, picture, facts in _pictures()))
    return About(
        title="Things: photos and drawings",
        licence="CC0, public domain and free of known restrictions (photos); CC BY-SA 4.0 (OpenMoji)",
        source="scikit-image's photos; OpenMoji 17, openmoji.org",
        shows=SHOWS,
    )


def ground(kind: str, rng: np.random.Generator) -> Image.Image:
    """Render a light ground, 256 x 256 RGB: plain or stripes, in seeded colours."""
    from PIL import Image

    first, second = rng.integers(170, 256, size=(2, 3)).astype(np.float64)
    mix = np.floor(np.linspace(0.0, 1.0, SIDE) * 8) % 2 if kind == "stripes" else np.zeros(SIDE)
    line = first + (second - first) * mix[:, None]  # (SIDE, 3)
    noise = rng.normal(0.0, 3.0, size=(SIDE, SIDE, 1))
    return Image.fromarray(np.clip(line[:, None, :] + noise, 0, 255).round().astype(np.uint8))


def _pictures() -> Iterator[tuple[str, Image.Image, dict[str, str]]]:
    from PIL import Image, ImageChops

    from workbench.pictures import draw, find_sample, sample

    rng = np.random.default_rng(SEED)
    for key in PHOTOS:
        label = find_sample(key).answer
        for view, picture in _views(sample(key)):
            facts = {"cluster": f"photo-{key}", "label": label, "kind": "photo"}
            yield f"photo-{key}-{view}", picture, facts
    for label, glyph in GLYPHS.items():
        drawing = draw(glyph).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        for kind in GROUNDS:
            facts = {"cluster": f"drawn-{label}", "label": label, "kind": "drawing"}
            yield f"drawn-{label}-{kind}", ImageChops.multiply(drawing, ground(kind, rng)), facts


def _views(photo: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Four squares of a photo: all of its middle, that mirrored, and two closer ones."""
    from PIL import Image, ImageOps

    whole = ImageOps.fit(photo, (SIDE, SIDE), Image.Resampling.LANCZOS)
    yield "whole", whole
    yield "mirrored", ImageOps.mirror(whole)
    for name, corner in (("left", 0.0), ("right", 0.15)):
        side = round(0.85 * min(photo.size))
        left = (photo.width - min(photo.size)) // 2 + round(corner * min(photo.size))
        top = (photo.height - min(photo.size)) // 2 + round((0.15 - corner) * min(photo.size))
        closer = photo.crop((left, top, left + side, top + side))
        yield name, closer.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
