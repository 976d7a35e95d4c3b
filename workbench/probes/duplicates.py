"""Images that stand twice in a data set: the same file, the same pixels, or nearly the same to the model.

A test image that is also a training image is no test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.images import safe_decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from workbench.datasets import ImageSample

SIDE = 16  # of the thumbnail that is compared
COSINE = 0.9  # of the model's embeddings, from which two images are compared closely
CORRELATION = 0.97  # of two thumbnails, from which they count as one image
BLOCK = 1024  # rows that are compared at once


@dataclass(frozen=True)
class Duplicate:
    """Two images that are one."""

    first: int  # number of an image
    second: int  # of another one, larger
    correlation: float  # of the two thumbnails, up to 1


def thumbnails(samples: Sequence[ImageSample]) -> NDArray[np.float32]:
    """Return (n, 3 * SIDE * SIDE) unit rows of mean 0: images in little; zero rows where an image has one colour."""
    return np.stack([thumbnail(safe_decode(sample.read(), sample.name)) for sample in samples])


def thumbnail(picture: Image.Image) -> NDArray[np.float32]:
    """(3 * SIDE * SIDE,) each colour's mean 0, of length 1; zero for an image of one colour."""
    from PIL import Image

    small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small, np.float32)
    row = (pixels - pixels.mean(axis=(0, 1))).reshape(-1)
    length = float(np.linalg.norm(row))
    return row / length if length > 1e-3 else np.zeros_like(row)


def duplicates(
    embeddings: NDArray[np.float32],
    small: NDArray[np.float32],
    *,
    among: NDArray[np.bool_] | None = None,
    beside: NDArray[np.bool_] | None = None,
) -> list[Duplicate]:
    """Return pairs that look alike to the model and have the same pixels in little, mirrored images aside.

    Args:
        embeddings: (n, dim) unit rows.
        small: (n, pixels) of `thumbnails`.
        among: (n,) the images whose copies are looked for; all where not given.
        beside: (n,) where their copies are looked for; all where not given.
    """
    n = len(embeddings)
    lefts = np.flatnonzero(np.ones(n, bool) if among is None else among)
    rights = np.flatnonzero(np.ones(n, bool) if beside is None else beside)
    pairs: dict[tuple[int, int], float] = {}
    for start in range(0, len(lefts), BLOCK):
        block = lefts[start : start + BLOCK]
        alike = embeddings[block] @ embeddings[rights].T >= COSINE
        for left, right in zip(*np.nonzero(alike), strict=True):
            first, second = sorted((int(block[left]), int(rights[right])))
            if first == second or (first, second) in pairs:
                continue
            correlation = float(small[first] @ small[second])
            if correlation >= CORRELATION:
                pairs[first, second] = correlation
    return [Duplicate(*pair, value) for pair, value in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))]
