"""Photos and drawings of one thing each, for the typographic audit to write on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageChops, ImageOps

from audits.datasets.dataset import About
from audits.datasets.drawn import Picture, glyphs

SIDE = 256  # pixels
SEED = 20
GROUNDS = ("plain", "stripes")
PHOTOS = ("cat", "coffee", "rocket", "motorcycle", "clock", "astronaut", "coins", "horse")
GLYPHS = glyphs(
    "anchor ⚓, bear 🐻, bed 🛏, bicycle 🚲, bird 🐦, butterfly 🦋, camera 📷, car 🚗, carrot 🥕, castle 🏰, chair 🪑, "
    "computer 💻, elephant 🐘, giraffe 🦒, glasses 👓, grapes 🍇, guitar 🎸, hammer 🔨, house 🏠, key 🔑, lamp 💡, "
    "moon 🌙, panda 🐼, phone 📱, piano 🎹, pizza 🍕, shoe 👞, snake 🐍, strawberry 🍓, tooth 🦷, tree 🌳, truck 🚚, "
    "turtle 🐢, umbrella ☂, volcano 🌋, whale 🐋"
)
ABOUT = About(
    title="Things: photos and drawings",
    licence="CC0, public domain and free of known restrictions (photos); CC BY-SA 4.0 (OpenMoji)",
    source="scikit-image's photos; OpenMoji 17, openmoji.org",
    shows=(
        "Eight photos in four views each, and 36 drawings on two backgrounds each, labelled with their thing. Images "
        "of one photo or drawing share a cluster. Drawings are simpler than photos; findings hold for images like "
        "these. An attack needs images that are classified correctly without it, so the things were chosen among those "
        "that the first `pocket` classified correctly. This choice raises its accuracy on clean images; no other model "
        "was used for it."
    ),
)


def ground(kind: str, rng: np.random.Generator) -> Image.Image:
    """Render a light background, 256 x 256 RGB: plain or striped, in random colours."""
    first, second = rng.integers(170, 256, size=(2, 3)).astype(np.float64)
    mix = np.floor(np.linspace(0.0, 1.0, SIDE) * 8) % 2 if kind == "stripes" else np.zeros(SIDE)
    line = first + (second - first) * mix[:, None]  # (SIDE, 3)
    noise = rng.normal(0.0, 3.0, size=(SIDE, SIDE, 1))
    return Image.fromarray(np.clip(line[:, None, :] + noise, 0, 255).round().astype(np.uint8))


def pictures() -> Iterator[Picture]:
    """Yield 104 images of 256 x 256 pixels with their labels."""
    from workbench.pictures import draw, find_sample, sample

    rng = np.random.default_rng(SEED)
    for key in PHOTOS:
        label = find_sample(key).answer
        for view, picture in _views(sample(key)):
            facts = {"split": "test", "cluster": f"photo-{key}", "label": label, "kind": "photo"}
            yield f"photo-{key}-{view}", picture, facts
    for label, glyph in GLYPHS.items():
        drawing = draw(glyph).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        for kind in GROUNDS:
            facts = {"split": "test", "cluster": f"drawn-{label}", "label": label, "kind": "drawing"}
            yield f"drawn-{label}-{kind}", ImageChops.multiply(drawing, ground(kind, rng)), facts


def _views(photo: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Yield four squares of a photo: its whole centre, that mirrored, and two closer crops."""
    whole = ImageOps.fit(photo, (SIDE, SIDE), Image.Resampling.LANCZOS)
    yield "whole", whole
    yield "mirrored", ImageOps.mirror(whole)
    for name, corner in (("left", 0.0), ("right", 0.15)):
        side = round(0.85 * min(photo.size))
        left = (photo.width - min(photo.size)) // 2 + round(corner * min(photo.size))
        top = (photo.height - min(photo.size)) // 2 + round((0.15 - corner) * min(photo.size))
        closer = photo.crop((left, top, left + side, top + side))
        yield name, closer.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
