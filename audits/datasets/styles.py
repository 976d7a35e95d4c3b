"""The same things in eight styles: OpenMoji in colour, without colour, lines or detail, and symbols of another font."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from audits.datasets.dataset import About
from audits.datasets.drawn import Picture, glyphs
from audits.datasets.things import GLYPHS
from workbench.errors import BadInput

SIDE = 224  # pixels
SEED = 5
BASE = "colour"  # the style that the others are compared with
ONLY_BLACK = [255 if level > 90 else 0 for level in range(256)]  # new value of each grey level
TWO_LEVELS = [min(255, level * 2) for level in range(256)] * 3  # of each colour channel
SYMBOLS = glyphs(  # also drawn as symbols of DejaVu Sans
    "anchor ⚓, airplane ✈, cat 🐱, cloud ☁, coffee cup ☕, envelope ✉, heart ❤, moon ☽, pencil ✏, phone ☎, "
    "scissors ✂, skull ☠, snowflake ❄, snowman ☃, star ★, sun ☀, umbrella ☂"
)
_OPENMOJI = {"cat": "🐈", "moon": "🌙", "phone": "📱", "star": "⭐"}  # where the character is a different one
ABOUT = About(
    title="Drawn things in eight styles",
    licence="CC BY-SA 4.0 (OpenMoji); DejaVu's licence (symbols)",
    source="OpenMoji 17, openmoji.org; DejaVu Sans, from matplotlib",
    shows=(
        "49 things in seven styles made from one drawing each, and 17 of them as symbols of another font: the style "
        "changes, the thing does not. A drawing is not a photo, and these styles are not those of ImageNet-R or "
        "Sketch: a drop shows that the style matters to this model, not how large the drop is on other images. Most "
        "things were chosen among those that the first `pocket` classified correctly in colour. This choice raises its "
        "accuracy on the base style and its drops; no other model was used for it."
    ),
)


def pictures() -> Iterator[Picture]:
    """Yield 360 images of 224 x 224 pixels with their labels."""
    from workbench.pictures import draw

    for label in sorted({*GLYPHS, *SYMBOLS}):
        glyph = GLYPHS.get(label) or _OPENMOJI.get(label) or SYMBOLS[label]
        drawing = draw(glyph).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        drawn = {style: change(drawing) for style, change in STYLES.items()}
        if label in SYMBOLS:
            drawn["symbol"] = _symbol(SYMBOLS[label])
        for style, picture in drawn.items():
            facts = {"split": "test", "cluster": label, "label": label, "style": style}
            yield f"{label.replace(' ', '-')}-{style}", picture, facts


def _silhouette(picture: Image.Image) -> Image.Image:
    """Fill everything that is not white and cannot be reached from the border through white."""
    from scipy.ndimage import binary_fill_holes

    covered = binary_fill_holes(np.asarray(picture.convert("L")) < 250)
    return Image.fromarray(np.where(covered, 0, 255).astype(np.uint8)).convert("RGB")


def _sketch(picture: Image.Image) -> Image.Image:
    """Draw soft grey strokes along the edges, on paper."""
    grey = np.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float64)
    down, across = np.gradient(grey)
    strokes = np.clip(np.hypot(down, across) * 3.0, 0, 190)
    paper = 238 + np.random.default_rng(SEED).normal(0.0, 6.0, size=grey.shape)
    return Image.fromarray(np.clip(paper - strokes, 0, 255).round().astype(np.uint8)).convert("RGB")


def _symbol(character: str) -> Image.Image:
    """Draw one character of DejaVu Sans in black on white."""
    from importlib.util import find_spec

    package = find_spec("matplotlib")
    path = Path(package.origin or "").parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf" if package else None
    if path is None or not path.is_file():
        raise BadInput("Symbols need the font DejaVu Sans of matplotlib, which is missing from its installation.")
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    font = ImageFont.truetype(str(path), 170)
    ImageDraw.Draw(picture).text((SIDE / 2, SIDE / 2), character, font=font, fill="black", anchor="mm")
    return picture


STYLES: dict[str, Callable[[Image.Image], Image.Image]] = {
    BASE: lambda picture: picture,
    "grey": lambda picture: picture.convert("L").convert("RGB"),
    "outline": lambda picture: picture.convert("L").point(ONLY_BLACK).convert("RGB"),
    "silhouette": _silhouette,
    "sketch": _sketch,
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(6)),
    "posterised": lambda picture: ImageOps.posterize(picture, 1).point(TWO_LEVELS),
}
