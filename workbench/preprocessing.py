"""Turns an upright image into the square that an image tower sees; value ranges are defined here only.

Ranges: PIL pictures and `prepare` hold uint8 0..255; `unit_range` float 0..1; `normalise` what mean and std make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

THREAD = 64  # times as long as wide: beyond, only the visible part is resampled
MARGIN = 8  # pixels that a filter may reach beyond what is visible
_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the square that an image tower sees."""

    size: int  # side, pixels
    mean: tuple[float, float, float]  # of R, G, B in 0..1
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    resize: Literal["shortest", "squash"] = "shortest"  # keep the shape and crop the centre, or squash


def prepare(picture: Image.Image, to: Preprocessing) -> Tensor:
    """Resize and crop an upright RGB picture; (3, size, size) uint8. See `visible_square`."""
    import torch

    return torch.from_numpy(np.array(visible_square(picture, to))).permute(2, 0, 1)


def visible_square(picture: Image.Image, to: Preprocessing) -> Image.Image:
    """Resize and crop an upright RGB picture to what an image tower sees, (size, size); needs no torch.

    Pillow resamples, as in OpenAI's preprocessing, bit for bit. torchvision takes a third of the time on 8-bit tensors,
    but its 16-bit weights put some values of one synthetic picture in seven two levels off; it is not used for the rest
    either, since loading it takes longer than loading `pocket`.
    """
    width, height = picture.size
    wide, high = to.size, to.size
    if to.resize == "shortest":
        wide, high = (int(to.size * side / min(width, height)) for side in picture.size)  # torchvision's rounding
    left, top = round((wide - to.size) / 2.0), round((high - to.size) / 2.0)
    if max(wide, high) <= THREAD * to.size:
        whole = picture.resize((wide, high), _RESAMPLING[to.interpolation])
        return whole.crop((left, top, left + to.size, top + to.size))
    return _resize_visible(picture, to, (left * width / wide, top * height / high))


def _resize_visible(picture: Image.Image, to: Preprocessing, start: tuple[float, float]) -> Image.Image:
    """Resample only what the square shows of a thread-like picture; all of a 1 x 30,000 one would take 4.5 GB.

    It is cut out first, with room for the filter, because Pillow keeps a box in single precision.
    """
    side = min(picture.size)  # of the square that is seen, in pixels of the picture
    corner = [max(0, int(at) - MARGIN) for at in start]
    ends = [min(whole, int(at) + side + 2 * MARGIN) for whole, at in zip(picture.size, start, strict=True)]
    cut = picture.crop((corner[0], corner[1], ends[0], ends[1]))
    x, y = (at - begin for at, begin in zip(start, corner, strict=True))
    box = (x, y, min(x + side, cut.width), min(y + side, cut.height))
    return cut.resize((to.size, to.size), _RESAMPLING[to.interpolation], box=box)


def unit_range(pixels: Tensor) -> Tensor:
    """Uint8 0..255 -> float32 0..1."""
    return pixels.float() / 255.0


def normalise(pixels: Tensor, to: Preprocessing) -> Tensor:
    """(n, 3, h, w) float in 0..1 -> the same, minus mean, over standard deviation."""
    mean, std = (pixels.new_tensor(values)[:, None, None] for values in (to.mean, to.std))
    return pixels.sub(mean).div_(std)
