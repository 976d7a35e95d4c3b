"""Fractal noise (plasma): random images that look alike at every scale, for fog, frost and textures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def plasma(side: int, *, decay: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw fractal noise by midpoint displacement on a torus (diamond-square); (side, side) in 0..1.

    `side` is a power of two.

    Source:
        Fournier, Fussell and Carpenter 1982, Comm. ACM 25:371.
    """
    cloud = np.zeros((side, side))
    spread, step = 100.0**2, side
    while step >= 2:
        half = step // 2
        corners = cloud[::step, ::step]
        east = corners + np.roll(corners, -1, axis=1)
        middles = (east + np.roll(east, -1, axis=0)) / 4 + rng.uniform(-spread, spread, corners.shape)
        cloud[half::step, half::step] = middles
        sideways = corners + np.roll(corners, -1, axis=1) + middles + np.roll(middles, 1, axis=0)
        down = corners + np.roll(corners, -1, axis=0) + middles + np.roll(middles, 1, axis=1)
        cloud[::step, half::step] = sideways / 4 + rng.uniform(-spread, spread, corners.shape)
        cloud[half::step, ::step] = down / 4 + rng.uniform(-spread, spread, corners.shape)
        spread, step = spread / decay, half
    cloud -= cloud.min()
    return np.asarray(cloud / cloud.max())
