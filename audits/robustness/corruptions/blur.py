"""Four kinds of blur: out of focus, behind frosted glass, in motion, and zooming.

Images are float64 (h, w, 3) in 0..1; parameters as in ImageNet-C (see `change`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_DISC = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))  # radius in pixels, sigma that smooths the disc's rim
_GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))  # sigma, reach in pixels, rounds
_MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))  # reach in pixels, sigma along it
_ZOOM = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))  # end (excluded), step; from 1


def defocus_blur(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Spread every point over a disc."""
    from scipy.signal import oaconvolve

    kernel = _disc(*_DISC[severity - 1])
    radius = len(kernel) // 2
    around = np.pad(pixels, ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    return np.asarray(oaconvolve(around, kernel[..., None], mode="valid", axes=(0, 1)))


def glass_blur(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Blur, let each pixel change places with a near one, row by row, and blur again."""
    sigma, radius, rounds = _GLASS[severity - 1]
    height, width = pixels.shape[:2]
    places = list(range(height * width))
    rows, columns = range(height - radius, radius, -1), range(width - radius, radius, -1)
    for _ in range(rounds):
        moves = rng.integers(-radius, radius, size=(len(rows) * len(columns), 2))
        steps = iter((moves[:, 0] * width + moves[:, 1]).tolist())
        for row in rows:
            start = row * width
            for here in range(start + columns[0], start + columns[-1] - 1, -1):
                there = here + next(steps)
                places[here], places[there] = places[there], places[here]
    soft = np.floor(_gaussian(pixels, sigma) * 255) / 255
    return _gaussian(soft.reshape(-1, 3)[places].reshape(pixels.shape), sigma)


def motion_blur(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw every point out into a fading trail, at an angle within 45 degrees of the horizontal."""
    length, sigma = _MOTION[severity - 1]
    return trail(pixels, length, sigma=sigma, degrees=float(rng.uniform(-45, 45)))


def zoom_blur(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Average the image with larger and larger versions of itself."""
    factors = np.arange(1, *_ZOOM[severity - 1])
    total = pixels + sum(magnify(pixels, float(factor)) for factor in factors)
    return np.asarray(total / (len(factors) + 1))


def trail(pixels: NDArray[np.float64], length: int, *, sigma: float, degrees: float) -> NDArray[np.float64]:
    """Average (h, w, c) with copies moved along a line, weighted by half a Gaussian; edges go on as they are."""
    steps = np.arange(2 * length + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights /= weights.sum()
    down = np.rint(steps * np.sin(np.deg2rad(degrees))).astype(int)
    right = np.rint(steps * np.cos(np.deg2rad(degrees))).astype(int)
    height, width = pixels.shape[:2]
    margin = 2 * length
    around = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    total = np.zeros_like(pixels)
    for weight, y, x in zip(weights, down + margin, right + margin, strict=True):
        total += weight * around[y : y + height, x : x + width]
    return total


def magnify(pixels: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Cut the centre of (h, w, c) out and enlarge it to the whole again, linearly between its corner pixels."""
    height, width = pixels.shape[:2]
    down, across = _places(height, factor), _places(width, factor)
    return _between(_between(pixels, down, axis=0), across, axis=1)


def _places(side: int, factor: float) -> NDArray[np.float64]:
    """Say where, on a side of so many pixels, each pixel of the enlarged centre lies; (side,)."""
    kept = int(np.ceil(side / factor))
    large = max(round(kept * factor), side)
    start = (large - side) // 2
    return (side - kept) // 2 + np.arange(start, start + side) * (kept - 1) / max(large - 1, 1)


def _between(pixels: NDArray[np.float64], places: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    """Read values between pixels along one axis, linearly."""
    low = np.minimum(places.astype(np.int64), pixels.shape[axis] - 1)
    high = np.minimum(low + 1, pixels.shape[axis] - 1)
    share = (places - low).reshape([-1 if at == axis else 1 for at in range(3)])
    return np.asarray(pixels.take(low, axis) * (1 - share) + pixels.take(high, axis) * share)


def _gaussian(pixels: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(pixels, (sigma, sigma, 0), mode="nearest"))


def _disc(radius: int, sigma: float) -> NDArray[np.float64]:
    """A disc of sum 1 with a smoothed rim; (2 r + 1, 2 r + 1), at least 17 wide."""
    from scipy.ndimage import correlate1d

    side = np.arange(-max(radius, 8), max(radius, 8) + 1)
    disc = (side[:, None] ** 2 + side[None] ** 2 <= radius**2).astype(np.float64)
    taps = np.arange(-1, 2) if radius <= 8 else np.arange(-2, 3)
    bell = np.exp(-(taps**2) / (2 * sigma**2))
    bell /= bell.sum()
    answer: NDArray[np.float64] = disc / disc.sum()
    for axis in (0, 1):
        answer = correlate1d(answer, bell, axis=axis, mode="mirror")
    return answer
