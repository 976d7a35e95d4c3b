"""Four kinds of weather: snow, frost, fog and glaring light.

Images are float64 (h, w, 3) in 0..1; parameters as in ImageNet-C (see `change`). Its frost is photographed, ours is
drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from audits.fractal_noise import plasma
from audits.robustness.corruptions.blur import magnify, trail

# mean and sigma of the flakes' noise, its magnification, what is kept, reach and sigma of the fall, share of scene
_SNOW = (
    (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
_FROST = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))  # weights of the scene and of the frost
_FOG = ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))  # thickness, how fast finer clouds get weaker
_LIGHT = (0.1, 0.2, 0.3, 0.4, 0.5)  # added to the value of HSV
_GREY = np.array([0.299, 0.587, 0.114])  # of R, G, B
_NEEDLES = 90  # of ice, in a frost of 224 x 224


def snow(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Whiten the scene and let flakes fall, in two directions."""
    mean, sigma, factor, kept, length, fall, scene = _SNOW[severity - 1]
    flakes = magnify(rng.normal(mean, sigma, (*pixels.shape[:2], 1)), factor)
    flakes = np.clip(np.where(flakes < kept, 0.0, flakes), 0, 1)
    flakes = trail(flakes, int(length), sigma=fall, degrees=float(rng.uniform(-135, -45)))
    white = np.maximum(pixels, (pixels @ _GREY)[..., None] * 1.5 + 0.5)
    return np.asarray(scene * pixels + (1 - scene) * white + flakes + np.rot90(flakes, k=2))


def frost(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Lay ice over the scene: needles that branch from the edges over a cloudy film."""
    scene, ice = _FROST[severity - 1]
    return scene * pixels + ice * ice_film(pixels.shape[0], pixels.shape[1], rng=rng)


def fog(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Lay clouds over the scene and keep its brightest value."""
    thickness, decay = _FOG[severity - 1]
    height, width = pixels.shape[:2]
    cloud = plasma(1 << (max(height, width) - 1).bit_length(), decay=decay, rng=rng)[:height, :width, None]
    brightest = pixels.max()
    return np.asarray((pixels + thickness * cloud) * brightest / (brightest + thickness))


def brightness(pixels: NDArray[np.float64], severity: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Raise the value of HSV."""
    from skimage.color import hsv2rgb, rgb2hsv

    hsv = rgb2hsv(pixels)
    hsv[..., 2] = np.clip(hsv[..., 2] + _LIGHT[severity - 1], 0, 1)
    return np.asarray(hsv2rgb(hsv))


def ice_film(height: int, width: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw bluish-white ice, (h, w, 3) in 0..1: a film of clouds, and needles with side branches."""
    from scipy.ndimage import gaussian_filter

    side = max(height, width)
    sheet = Image.new("L", (width, height))
    pen = ImageDraw.Draw(sheet)
    for _ in range(_NEEDLES):
        at = rng.uniform(0, (width, height))
        if rng.random() < 0.6:  # most ice grows from the rim
            at[rng.integers(2)] *= 0.15
            at = np.where(rng.random(2) < 0.5, at, (width, height) - at)
        _needle(pen, at, angle=float(rng.uniform(0, 2 * np.pi)), length=float(rng.uniform(0.1, 0.4)) * side)
    needles = gaussian_filter(np.asarray(sheet, np.float64) / 255, 0.7)
    film = plasma(1 << (side - 1).bit_length(), decay=1.8, rng=rng)[:height, :width]
    ice = np.clip(0.65 * film + 0.8 * needles, 0, 1)
    return np.asarray(ice[..., None] * np.array([0.88, 0.95, 1.0]))


def _needle(pen: ImageDraw.ImageDraw, at: NDArray[np.float64], *, angle: float, length: float) -> None:
    """Draw a needle and, every twentieth of it, a pair of branches at 60 degrees that get shorter towards its tip."""
    way = np.array([np.cos(angle), np.sin(angle)])
    _line(pen, at, at + length * way, shade=230)
    for place in np.linspace(0.1, 0.95, 18):
        start = at + place * length * way
        for turn in (-np.pi / 3, np.pi / 3):
            branch = np.array([np.cos(angle + turn), np.sin(angle + turn)])
            _line(pen, start, start + 0.35 * length * (1 - place) * branch, shade=170)


def _line(pen: ImageDraw.ImageDraw, start: NDArray[np.float64], end: NDArray[np.float64], *, shade: int) -> None:
    pen.line([(float(start[0]), float(start[1])), (float(end[0]), float(end[1]))], fill=shade)
