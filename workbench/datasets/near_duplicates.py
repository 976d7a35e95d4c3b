"""Near-duplicates in a data set: the same image saved again, resized, brightened, cropped a little or mirrored.

Images are compared as thumbnails of 16 x 16 pixels, free of brightness and contrast. Does not know about models: what
looks alike to a person but was photographed twice is no near-duplicate here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 16  # pixels of a thumbnail
ALIKE = 0.985  # correlation of two thumbnails from which on images are near-duplicates
_BLOCK = 512  # thumbnails that are compared with all others at a time


def thumbnail(image: Image.Image) -> NDArray[np.float32]:
    """Return an upright RGB image as numbers of length 1, each colour of mean 0, (768,); zeros where plain."""
    small = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32)
    vector = (small - small.mean(axis=(0, 1))).ravel()  # each colour by itself
    length = float(np.linalg.norm(vector))
    result: NDArray[np.float32] = vector / length if length > 1.0 * SIDE else np.zeros_like(vector)
    return result


def near_duplicates(thumbnails: Sequence[NDArray[np.float32]], *, alike: float = ALIKE) -> list[list[int]]:
    """Return the groups of images that are near-duplicates of one another, as places, each group sorted.

    Args:
        thumbnails: n, from `thumbnail`.
        alike: correlation from which on two are.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(thumbnails) < 2:
        return []
    pairs = np.array(list(_pairs(np.stack(thumbnails), alike)), dtype=np.int64).reshape(-1, 2)
    n = len(thumbnails)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    groups: dict[int, list[int]] = {}
    for at, one in enumerate(part):
        groups.setdefault(int(one), []).append(at)
    return [group for group in groups.values() if len(group) > 1]


def _pairs(rows: NDArray[np.float32], alike: float) -> Iterator[tuple[int, int]]:
    """Yield the places of each two images that are alike, as they are or mirrored."""
    mirrored = rows.reshape(-1, SIDE, SIDE, 3)[:, :, ::-1].reshape(len(rows), -1)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        for one, other in np.argwhere(np.maximum(block @ rows.T, block @ mirrored.T) >= alike):
            if start + one < other:
                yield int(start + one), int(other)
