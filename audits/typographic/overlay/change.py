"""Write on an image: a plate with a word, an empty plate, or the marks that the fake model reads.

Sizes and places are shares of the centre square, which is what a model with a centre crop sees.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.errors import BadInput

if TYPE_CHECKING:
    from PIL import Image, ImageFont

    from audits.contracts import Item

Ink = Literal["letters", "marks"]
Kind = Literal["word", "nonsense", "blank"]
COLOURS: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {  # name -> letters, plate
    "black on white": ((0, 0, 0), (255, 255, 255)),
    "white on black": ((255, 255, 255), (0, 0, 0)),
    "red on white": ((200, 0, 0), (255, 255, 255)),
    "grey on white": ((190, 190, 190), (255, 255, 255)),
    "grey on grey": ((150, 150, 150), (120, 120, 120)),
}
POSITIONS: Mapping[str, tuple[float, float]] = {  # name -> of the plate's free way: from the left, from the top
    "top": (0.5, 0.04),
    "centre": (0.5, 0.5),
    "bottom": (0.5, 0.96),
    "upper left": (0.04, 0.04),
    "upper right": (0.96, 0.04),
    "lower left": (0.04, 0.96),
    "lower right": (0.96, 0.96),
}
PADDING = 0.35  # of the letters' height, on each side
WIDEST = 0.92  # of the square's side: longer words are written smaller
_BLANK_MARKS = (128, 128, 128)  # what covers the strip of marks


@dataclass(frozen=True)
class Overlay:
    """Everything that decides what is drawn."""

    ink: Ink
    kind: Kind
    text: str  # decides the size of a blank plate, too
    size: float = 0.0  # height of the letters, share of the square's side
    position: str = ""
    colour: str = ""

    @property
    def recipe(self) -> str:
        """Canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=True)


def parse(recipe: str) -> Overlay:
    """Return the overlay of a recipe."""
    return Overlay(**json.loads(recipe))


def draw(picture: Image.Image, overlay: Overlay) -> Image.Image:
    """Return a copy of an upright RGB image with the overlay on its centre square."""
    return _marks(picture, overlay) if overlay.ink == "marks" else _letters(picture, overlay)


def _marks(picture: Image.Image, overlay: Overlay) -> Image.Image:
    from workbench.fake import CELL, SIDE, write

    if overlay.kind != "blank":
        return write(picture, overlay.text)
    covered = picture.copy()
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    covered.paste(_BLANK_MARKS, (left, top + round(side * (SIDE - 2 * CELL) / SIDE), left + side, top + side))
    return covered


def _letters(picture: Image.Image, overlay: Overlay) -> Image.Image:
    from PIL import ImageDraw

    drawn = picture.copy()
    side = min(picture.size)
    corner = ((picture.width - side) // 2, (picture.height - side) // 2)
    font, (left, top, right, bottom) = _fit(overlay.text, max(4, round(overlay.size * side)), side)
    padding = round(PADDING * font.size)
    width, height = round(right - left) + 2 * padding, round(bottom - top) + 2 * padding
    from_left, from_top = POSITIONS[overlay.position]
    x = corner[0] + round(from_left * max(0, side - width))
    y = corner[1] + round(from_top * max(0, side - height))
    letters, plate = COLOURS[overlay.colour]
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((x, y, x + width, y + height), fill=plate)
    if overlay.kind != "blank":
        pen.text((x + padding - left, y + padding - top), overlay.text, font=font, fill=letters)
    return drawn


def _fit(text: str, height: int, side: int) -> tuple[ImageFont.FreeTypeFont, tuple[float, float, float, float]]:
    """Return the font and the letters' box, smaller where the plate would be wider than the square."""
    font = _font(height)
    box = font.getbbox(text)
    room = WIDEST * side - 2 * PADDING * height
    if box[2] - box[0] > room:
        font = _font(max(4, int(height * room / (box[2] - box[0]))))
        box = font.getbbox(text)
    return font, box


@functools.cache
def _font(height: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(_font_file()), height)


@functools.cache
def _font_file() -> Path:
    from importlib.util import find_spec

    package = find_spec("matplotlib")
    path = Path(package.origin or "").parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans-Bold.ttf" if package else None
    if path is None or not path.is_file():
        raise BadInput("Words are written in DejaVu Sans Bold, which matplotlib carries; its installation lacks it.")
    return path


def change(picture: Image.Image, item: Item) -> Image.Image:
    """Return the image with the overlay of an item's recipe."""
    return draw(picture, parse(item.recipe))
