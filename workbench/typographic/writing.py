"""Write words on an image: labels of paper or bare letters, turned, tilted, translucent, anywhere.

Places and sizes are shares of the centre square, which is what a model with a centre crop sees.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL.Image import Transform

from workbench.errors import BadInput, unknown_name
from workbench.typographic.lettering import FONTS, Label, colour, extent, fit, flat

LETTERS = 60  # at most, of one label
SIZES = (0.01, 1.0)  # of the letters, share of the side
Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


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
        colour(getattr(label, name) or "#000", name)
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
