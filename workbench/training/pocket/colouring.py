"""Colours of drawings: their average, lines coloured in with it, and silhouettes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SOLID = 128  # of 255: what is less so is no part of a line
FEW_TONES = 16  # of 255, that one colour varies by


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
