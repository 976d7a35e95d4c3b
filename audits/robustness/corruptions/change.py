"""The table of the fifteen corruptions, and one disturbed image.

Parameters: Hendrycks and Dietterich 2019, arXiv:1903.12261, as their code states them (hendrycks/robustness).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from audits.contracts import Item
from audits.robustness.corruptions import blur, digital, noise, weather
from audits.seeds import generator
from workbench.errors import BadInput, unknown_name

SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Corruption:
    """One way to disturb an image."""

    name: str
    family: str  # "noise", "blur", "weather" or "digital"
    change: Callable[[NDArray[np.float64], int, np.random.Generator], NDArray[np.float64]]  # may leave 0..1
    random: bool = True  # False: the same image and severity give one result whatever the seed


CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("gaussian_noise", "noise", noise.gaussian_noise),
    Corruption("shot_noise", "noise", noise.shot_noise),
    Corruption("impulse_noise", "noise", noise.impulse_noise),
    Corruption("defocus_blur", "blur", blur.defocus_blur, random=False),
    Corruption("glass_blur", "blur", blur.glass_blur),
    Corruption("motion_blur", "blur", blur.motion_blur),
    Corruption("zoom_blur", "blur", blur.zoom_blur, random=False),
    Corruption("snow", "weather", weather.snow),
    Corruption("frost", "weather", weather.frost),
    Corruption("fog", "weather", weather.fog),
    Corruption("brightness", "weather", weather.brightness, random=False),
    Corruption("contrast", "digital", digital.contrast, random=False),
    Corruption("elastic_transform", "digital", digital.elastic_transform),
    Corruption("pixelate", "digital", digital.pixelate, random=False),
    Corruption("jpeg_compression", "digital", digital.jpeg_compression, random=False),
)


def find(name: str) -> Corruption:
    """Return the row of a corruption.

    Raises:
        UnknownName: there is none of that name.
    """
    rows = {row.name: row for row in CORRUPTIONS}
    if name not in rows:
        raise unknown_name("corruption", name, rows)
    return rows[name]


def disturb(square: Image.Image, name: str, severity: int, *, seed: int, sample_id: str) -> Image.Image:
    """Disturb an upright RGB image, with the random generator of (seed, image, corruption, severity).

    Raises:
        UnknownName: no such corruption.
        BadInput: a severity outside 1..5.
    """
    row = find(name)
    if severity not in SEVERITIES:
        raise BadInput(f"A severity is 1, 2, 3, 4 or 5; got {severity}.")
    pixels = np.asarray(square, np.float64) / 255
    changed = row.change(pixels, severity, generator(seed, sample_id, name, severity))
    return Image.fromarray((np.clip(changed, 0, 1) * 255 + 1e-6).astype(np.uint8))  # cut, as ImageNet-C was saved


def change(picture: Image.Image, item: Item) -> Image.Image:
    """Crop an image to the square of its recipe and disturb it as the recipe says."""
    recipe = json.loads(item.recipe)
    square = ImageOps.fit(picture, (recipe["size"], recipe["size"]), Image.Resampling.BICUBIC)
    if not recipe["corruption"]:
        return square
    return disturb(square, recipe["corruption"], recipe["severity"], seed=recipe["seed"], sample_id=item.sample_id)
