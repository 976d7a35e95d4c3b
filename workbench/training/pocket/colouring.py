"""Colours of drawings: their average, lines coloured in with it, silhouettes, and few flat colours within outlines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

SOLID = 128  # of 255: what is less so is no part of a line
FEW_TONES = 16  # of 255, that one colour varies by
FINE = 144  # pixels a side that outlines are drawn on


def paint_of(drawn: NDArray[np.uint8]) -> tuple[int, int, int] | None:
    """The average colour of a drawing, (side, side, 4); None where it has one colour alone, as lines have."""
    paint = drawn[drawn[..., 3] > SOLID, :3]
    if not len(paint) or int(np.ptp(paint, axis=0).max()) < FEW_TONES:
        return None
    red, green, blue = paint.mean(axis=0).round().astype(int).tolist()
    return red, green, blue


def coloured_in(drawn: NDArray[np.uint8], paint: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A line drawing, (side, side, 4), with this colour wherever its lines enclose something."""
    from scipy.ndimage import binary_fill_holes

    inside = binary_fill_holes(drawn[..., 3] > SOLID)
    line = drawn[..., 3:] / 255
    both = np.concatenate([line * drawn[..., :3] + (1 - line) * paint, 255 * inside[..., None]], axis=2)
    filled: NDArray[np.uint8] = np.maximum(both, [0, 0, 0, 255] * line).round().astype(np.uint8)
    return filled


def silhouette(drawn: NDArray[np.uint8], shade: int) -> NDArray[np.uint8]:
    """A drawing, (side, side, 4), all in one grey of 0..255."""
    return np.concatenate([np.full_like(drawn[..., :3], shade), drawn[..., 3:]], axis=2)


def outlined(drawn: NDArray[np.uint8], *, colours: int, width: int) -> NDArray[np.uint8]:
    """A drawing in a few flat colours with a black line round each of them, as comics have it.

    Args:
        drawn: (side, side, 4).
        colours: how many at most, 2..256.
        width: odd, in pixels; a line is two pixels wider.

    Returns:
        (144, 144, 4).
    """
    edge = 2 * width
    small = Image.fromarray(drawn).resize((FINE - 2 * edge,) * 2, Image.Resampling.BILINEAR)
    picture = Image.new("RGBA", (FINE, FINE))
    picture.paste(small, (edge, edge))
    solid = picture.getchannel("A").point(lambda alpha: 255 * (alpha > SOLID))
    flat = Image.new("RGB", picture.size)
    flat.paste(picture, mask=solid)  # whatever is not solid is one colour more
    flat = flat.filter(ImageFilter.MedianFilter(5)).quantize(colours + 1, Image.Quantize.MAXCOVERAGE)
    number = Image.frombytes("L", flat.size, flat.tobytes())
    change = ImageChops.difference(number.filter(ImageFilter.MaxFilter(3)), number.filter(ImageFilter.MinFilter(3)))
    inner = ImageChops.darker(change.point(lambda step: 255 * (step > 0)), solid).filter(ImageFilter.MedianFilter(3))
    outer = solid.filter(ImageFilter.MaxFilter(3))
    lines = ImageChops.lighter(inner, ImageChops.subtract(outer, solid))
    lines = lines.filter(ImageFilter.MaxFilter(width)) if width > 1 else lines  # Pillow 12 divides by nought at 1
    painted = flat.convert("RGB")
    painted.paste((0, 0, 0), mask=lines)
    painted.putalpha(ImageChops.lighter(solid, lines))
    return np.asarray(painted)
