"""Four disturbances of files and sensors: low contrast, warping, coarse pixels and JPEG.

Images are float64 (h, w, 3) in 0..1; parameters as in ImageNet-C (see `change`).
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.images import safe_decode

_CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)  # share of the distance to the mean that is kept
# amplitude and smoothness of the warp, reach of the shear; in units of 244 pixels for an image of 224, as published
_WARP = ((2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02))
_WARP_UNIT = 244 / 224
_COARSE = (0.6, 0.5, 0.4, 0.3, 0.25)  # of the side
_QUALITY = (25, 18, 15, 10, 7)  # of JPEG, 0..100


def contrast(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Pull every value towards its channel's mean."""
    mean = pixels.mean(axis=(0, 1), keepdims=True)
    return np.asarray(mean + _CONTRAST[severity - 1] * (pixels - mean))


def elastic_transform(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Shear the image at random and warp it smoothly, in one resampling.

    Source of the warp:
        Simard, Steinkraus and Platt 2003, ICDAR, section 2.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    height, width = pixels.shape[:2]
    unit = min(height, width) * _WARP_UNIT
    amplitude, sigma, shift = (unit * part for part in _WARP[severity - 1])
    matrix, offset = _shear(height, width, shift=shift, rng=rng)
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1).astype(np.float64)
    for axis in (0, 1):
        way = rng.uniform(-1, 1, (height, width))
        grid[..., axis] += amplitude * gaussian_filter(way, sigma, mode="reflect", truncate=3)
    places = grid @ matrix.T + offset  # (h, w, 2), rows and columns of the image
    channels = [map_coordinates(pixels[..., at], places.transpose(2, 0, 1), order=1, mode="mirror") for at in range(3)]
    return np.stack(channels, axis=-1)


def pixelate(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Average squares of pixels and show them as one."""
    picture = _picture(pixels)
    small = tuple(int(side * _COARSE[severity - 1]) for side in picture.size)
    coarse = picture.resize((small[0], small[1]), Image.Resampling.BOX)
    return np.asarray(coarse.resize(picture.size, Image.Resampling.BOX), np.float64) / 255


def jpeg_compression(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Save as a JPEG of low quality and open again."""
    file = io.BytesIO()
    _picture(pixels).save(file, "JPEG", quality=_QUALITY[severity - 1])
    return np.asarray(safe_decode(file.getvalue(), "compressed"), np.float64) / 255


def _shear(
    height: int, width: int, *, shift: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move three corners of a centred square at random: matrix (2, 2) and offset (2,) back into the image."""
    middle = np.array([height, width]) // 2
    arm = min(height, width) // 3
    corners = middle + arm * np.array([[1, 1], [1, -1], [-1, -1]])
    moved = corners + rng.uniform(-shift, shift, corners.shape)
    ones = np.ones((3, 1))
    solution = np.linalg.solve(np.hstack([moved, ones]), corners)  # (3, 2): moved -> corners
    return solution[:2].T, solution[2]


def _picture(pixels: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))
