"""Write words on an image: labels of paper or bare letters, turned, tilted, translucent, anywhere.

Places and sizes are shares of the centre square, which is what a model with a centre crop sees.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont
from PIL.Image import Transform

from workbench.errors import BadInput, unknown_name

LETTERS = 60  # at most, of one label
PADDING = 0.35  # of the letters' height, on each side
WIDEST = 0.92  # of the square's side: longer words are written smaller
SIZES = (0.01, 1.0)  # of the letters, share of the side
ROUND = 0.45  # of the letters' height: a sticker's corners and rim
Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

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


def checked(label: Label) -> Label:
    """Return a label with its text cleaned: one line, without control characters.

    Raises:
        BadInput: no letter, too many, or a number outside its range.
        UnknownName: no such font.
    """
    text = "".join(one for one in label.text if one.isspace() or unicodedata.category(one)[0] != "C")
    text = " ".join(text.split())
    if not text:
        raise BadInput("Type a word to write on the image.")
    if len(text) > LETTERS:
        raise BadInput(f"A label has at most {LETTERS} letters; got {len(text):,}.")
    ranges = {"size": SIZES, "angle": (-360.0, 360.0), "tilt": (-1.0, 1.0), "opacity": (0.0, 1.0)}
    ranges |= {"x": (-1.0, 2.0), "y": (-1.0, 2.0)}
    for name, (low, high) in ranges.items():
        value = getattr(label, name)
        if not (isinstance(value, int | float) and low <= value <= high):
            raise BadInput(f"The {name} of a label is a number from {low:g} to {high:g}; got {value!r}.")
    for name in ("ink", "paper", "outline"):
        _colour(getattr(label, name) or "#000", name)
    if label.form not in ("paper", "sticker"):
        raise unknown_name("form of a label", str(label.form), ("paper", "sticker"))
    if label.font not in FONTS:
        raise unknown_name("font", label.font, FONTS)
    return Label(**{**vars(label), "text": text})


def write(picture: Image.Image, labels: Sequence[Label]) -> Image.Image:
    """Return a copy of an upright RGB image with labels on it, the last on top.

    Raises:
        BadInput, UnknownName: see `checked`.
    """
    drawn = picture.copy()
    for label in labels:
        tile, (left, top) = _placed(picture.size, checked(label))
        drawn.paste(tile, (left, top), tile)
    return drawn


def covered(size: tuple[int, int], labels: Sequence[Label]) -> float:
    """Return the share of an image, 0..1, that labels cover, paper and letters alike.

    Args:
        size: width and height of the image, pixels.
        labels: what is written.
    """
    mask = Image.new("L", size)
    for label in labels:
        tile, place = _placed(size, checked(label))
        opaque = tile.getchannel("A").point(lambda value: 255 if value else 0)
        mask.paste(opaque, place, opaque)
    return float((np.asarray(mask) > 0).mean())


def corners(size: tuple[int, int], label: Label) -> Box:
    """Return the corners of a label on an image in pixels: upper left, upper right, lower right, lower left."""
    label, side = checked(label), min(size)
    font, box = fit(label, side)
    width, height = extent(font, box)
    return _corners(size, label, (width, height))


def missing(label: Label) -> str:
    """Return the letters that a font does not have; a box is drawn in their place."""
    label = checked(label)
    font = _font(label.font, 24)
    absent = bytes(font.getmask("\uffff"))
    return "".join(one for one in dict.fromkeys(label.text) if not one.isspace() and bytes(font.getmask(one)) == absent)


def fit(label: Label, side: int) -> tuple[ImageFont.FreeTypeFont, tuple[float, float, float, float]]:
    """Return the font and the letters' box in pixels, smaller where a label would be wider than the square."""
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
    paper, ink = _colour(label.paper, "paper") if label.paper else None, _colour(label.ink, "ink")
    tile = Image.new("RGBA", (width + 1, height + 1), (*(paper or ink), 255 if paper else 0))
    pen = ImageDraw.Draw(tile)
    if paper and label.form == "sticker":
        tile.putalpha(0)
        rim = max(1, round(ROUND * font.size / 6))
        pen.rounded_rectangle((0, 0, width, height), ROUND * font.size, (*paper, 255), (*ink, 255), rim)
    if not blank:
        at, line = (padding - box[0], padding - box[1]), max(1, round(font.size / 16)) if label.outline else 0
        edge = _colour(label.outline, "outline") if label.outline else ink
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


def _placed(size: tuple[int, int], label: Label) -> tuple[Image.Image, tuple[int, int]]:
    """Return a label as it appears on an image of that size, RGBA, and where its upper left corner lies."""
    tile = flat(label, min(size))
    ends = _corners(size, label, (tile.width - 1, tile.height - 1))
    left, top = math.floor(min(x for x, _ in ends)), math.floor(min(y for _, y in ends))
    if label.angle or label.tilt:
        right, bottom = math.ceil(max(x for x, _ in ends)), math.ceil(max(y for _, y in ends))
        inside = [(x - left, y - top) for x, y in ends]
        area = (right - left + 1, bottom - top + 1)
        tile = tile.transform(area, Transform.PERSPECTIVE, _homography(inside, tile.size), Image.Resampling.BICUBIC)
    if label.opacity < 1:
        tile.putalpha(tile.getchannel("A").point(lambda value: round(value * label.opacity)))
    return tile, (left, top)


def _corners(size: tuple[int, int], label: Label, extent: tuple[int, int]) -> Box:
    side = min(size)
    middle = ((size[0] - side) / 2 + label.x * side, (size[1] - side) / 2 + label.y * side)
    if not (label.angle or label.tilt):
        left, top = round(middle[0] - extent[0] / 2), round(middle[1] - extent[1] / 2)
        right, bottom = left + extent[0], top + extent[1]
        return (left, top), (right, top), (right, bottom), (left, bottom)
    half, tall = extent[0] / 2, extent[1] / 2
    near, far = 1 - 0.5 * max(0.0, label.tilt), 1 - 0.5 * max(0.0, -label.tilt)  # heights of right and left side
    narrow = 1 - 0.3 * abs(label.tilt)
    flat_ends = ((-half, -tall * far), (half, -tall * near), (half, tall * near), (-half, tall * far))
    turn = math.radians(label.angle)
    ends = [
        (
            middle[0] + x * narrow * math.cos(turn) + y * math.sin(turn),
            middle[1] - x * narrow * math.sin(turn) + y * math.cos(turn),
        )
        for x, y in flat_ends
    ]
    return ends[0], ends[1], ends[2], ends[3]


def _homography(ends: Sequence[tuple[float, float]], size: tuple[int, int]) -> list[float]:
    """Return Pillow's eight numbers that take points within these corners to points of a tile of that size."""
    sources = ((0, 0), (size[0], 0), (size[0], size[1]), (0, size[1]))
    rows, values = [], []
    for (x, y), (u, v) in zip(ends, sources, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    try:
        return [float(one) for one in np.linalg.solve(np.array(rows, float), np.array(values, float))]
    except np.linalg.LinAlgError:
        raise BadInput("A label that is turned and tilted like this has no area; make it larger.") from None


def _colour(name: str, what: str) -> tuple[int, int, int]:
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
