"""Three kinds of noise: in every pixel, of counted light, and in single values.

Images are float64 (h, w, 3) in 0..1; parameters as in ImageNet-C (see `change`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SIGMA = (0.08, 0.12, 0.18, 0.26, 0.38)  # of the noise, in units of the whole range
_PHOTONS = (60, 25, 12, 5, 3)  # counted where the image is white
_HIT = (0.03, 0.06, 0.09, 0.17, 0.27)  # share of values that turn black or white


def gaussian_noise(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Add normal noise to every value."""
    return pixels + rng.normal(scale=_SIGMA[severity - 1], size=pixels.shape)


def shot_noise(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Count light in few photons: Poisson noise."""
    photons = _PHOTONS[severity - 1]
    return rng.poisson(pixels * photons) / photons


def impulse_noise(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Turn single values black or white, half and half: salt and pepper, each channel on its own."""
    hit = rng.random(pixels.shape) < _HIT[severity - 1]
    return np.where(hit, (rng.random(pixels.shape) < 0.5).astype(np.float64), pixels)
