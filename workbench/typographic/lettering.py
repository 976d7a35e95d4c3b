"""One label alone, flat: its font, its letters, its paper.

Does not know where on an image it goes; `writing` does.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from PIL import Image, ImageColor, ImageDraw, ImageFont

from workbench.errors import BadInput

PADDING = 0.35  # of the letters' height, on each side
LONGEST = 200  # letters of a line; drawing takes time with each
WIDEST = 0.92  # of the square's side: longer words are written smaller
ROUND = 0.45  # of the letters' height: a sticker's corners and rim

FONTS: dict[str, tuple[str, str]] = {  # key -> title, file: of matplotlib, or of this room
    "printed": ("Printed", "DejaVuSans-Bold.ttf"),
    "serif": ("Serif", "DejaVuSerif-Bold.ttf"),
    "typewriter": ("Typewriter", "DejaVuSansMono-Bold.ttf"),
    "handwriting": ("Handwriting", "PatrickHand-Latin.ttf"),
}


@dataclass(frozen=True)
class Label:
    """One word or phrase, and how it is written."""

    text: str
    x: float = 0.5  # its middle, from the left of the centre square, share of the side
    y: float = 0.78  # ... from the top
    size: float = 0.14  # height of the letters, share of the side
    font: str = "printed"  # a key of FONTS
    ink: str = "#000000"
    paper: str = "#ffffff"  # "" writes bare letters
    form: Literal["paper", "sticker"] = "paper"  # a sticker has round corners and a rim in the colour of its ink
    outline: str = ""  # colour of a line around the letters; "" for none
    angle: float = 0.0  # degrees, counter-clockwise
    tilt: float = 0.0  # -1..1: how far the right (left, if negative) side recedes
    opacity: float = 1.0  # 0..1


def missing(label: Label) -> str:
    """Return the letters that a font does not have; a box is drawn in their place."""
    font = _font(label.font, 24)
    absent = bytes(font.getmask("\uffff"))
    return "".join(one for one in dict.fromkeys(label.text) if not one.isspace() and bytes(font.getmask(one)) == absent)


def fit(label: Label, side: int) -> tuple[ImageFont.FreeTypeFont, tuple[float, float, float, float]]:
    """Return the font and the letters' box in pixels, smaller where a label would be wider than the square."""
    if len(label.text) > LONGEST:
        raise BadInput(f"At most {LONGEST} letters are written in one line; got {len(label.text):,}.")
    height = max(4, round(label.size * side))
    font = _font(label.font, height)
    box = font.getbbox(label.text)
    room = WIDEST * side - 2 * PADDING * height
    if box[2] - box[0] > room:
        font = _font(label.font, max(4, int(height * room / (box[2] - box[0]))))
        box = font.getbbox(label.text)
    return font, box


def extent(font: ImageFont.FreeTypeFont, box: tuple[float, float, float, float]) -> tuple[int, int]:
    """Return width and height of a label's paper, in pixels, without its last row and column."""
    padding = round(PADDING * font.size)
    return round(box[2] - box[0]) + 2 * padding, round(box[3] - box[1]) + 2 * padding


def flat(label: Label, side: int, *, blank: bool = False) -> Image.Image:
    """Return an upright label alone, RGBA, neither turned nor tilted nor translucent; blank: its paper alone."""
    font, box = fit(label, side)
    width, height = extent(font, box)
    padding = round(PADDING * font.size)
    paper, ink = colour(label.paper, "paper") if label.paper else None, colour(label.ink, "ink")
    tile = Image.new("RGBA", (width + 1, height + 1), (*(paper or ink), 255 if paper else 0))
    pen = ImageDraw.Draw(tile)
    if paper and label.form == "sticker":
        tile.putalpha(0)
        rim = max(1, round(ROUND * font.size / 6))
        pen.rounded_rectangle((0, 0, width, height), ROUND * font.size, (*paper, 255), (*ink, 255), rim)
    if not blank:
        at, line = (padding - box[0], padding - box[1]), max(1, round(font.size / 16)) if label.outline else 0
        edge = colour(label.outline, "outline") if label.outline else ink
        if paper:
            pen.text(at, label.text, font=font, fill=(*ink, 255), stroke_width=line, stroke_fill=(*edge, 255))
        else:
            tile = _bare(tile.size, label.text, font, at=at, colours=(ink, edge), line=line)
    return tile


def _bare(
    size: tuple[int, int],
    text: str,
    font: ImageFont.FreeTypeFont,
    *,
    at: tuple[float, float],
    colours: tuple[tuple[int, ...], tuple[int, ...]],
    line: int,
) -> Image.Image:
    """Letters on nothing: colour and opacity are drawn apart, so that soft edges take no colour from a ground."""
    ink, edge = colours
    tile, opaque = Image.new("RGB", size, edge if line else ink), Image.new("L", size)
    ImageDraw.Draw(tile).text(at, text, font=font, fill=ink)
    ImageDraw.Draw(opaque).text(at, text, font=font, fill=255, stroke_width=line, stroke_fill=255)
    tile.putalpha(opaque)
    return tile


def colour(name: str, what: str) -> tuple[int, int, int]:
    """Return red, green and blue of a colour by name or number.

    Raises:
        BadInput: no colour; the message calls it `what`.
    """
    try:
        red, green, blue = ImageColor.getrgb(name)[:3]
    except ValueError:
        raise BadInput(f"The {what} of a label is a colour such as #c80000 or red; got {name[:40]!r}.") from None
    return red, green, blue


@functools.lru_cache(maxsize=1024)
def _font(key: str, height: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_font_file(FONTS[key][1])), height)


@functools.cache
def _font_file(name: str) -> Path:
    own = Path(str(files("workbench.typographic"))) / "fonts" / name
    package = find_spec("matplotlib")
    path = Path(package.origin or "").parent / "mpl-data" / "fonts" / "ttf" / name if package else None
    for candidate in (own, path):
        if candidate is not None and candidate.is_file():
            return candidate
    raise BadInput(f"Words are written in {name}, which matplotlib carries; its installation lacks it.")
