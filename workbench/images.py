"""Open pictures safely and bring them to what an image tower sees; the one place that knows value ranges.

Knows no model: how a tower wants its square is told by a `Preprocessing`.
Ranges: PIL pictures and `prepare` hold uint8 0..255; `unit_range` float 0..1; `normalise` what mean and std make.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from workbench.errors import BadPicture

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import Picture

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 32_000_000  # width times height after decoding
MAX_BYTES = 10_000_000  # of one file
EXTREME_ASPECT = 8  # beyond this, only the visible part is resampled

Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow's own second line of defence


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the square that an image tower sees."""

    size: int  # side, pixels
    mean: tuple[float, float, float]  # of R, G, B in 0..1
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    resize: Literal["shortest", "squash"] = "shortest"  # keep the shape and crop the centre, or squash


def safe_open(picture: Picture) -> Image.Image:
    """Return an upright 8-bit RGB picture: EXIF applied, 16 bit scaled, CMYK converted, alpha over white.

    Raises:
        BadPicture: not a PNG, JPEG or WebP; over 10 MB or 32 megapixels; animated; corrupt.
    """
    if isinstance(picture, Image.Image):
        _check_size(picture.size)
        return upright_rgb(picture)
    path = Path(picture)
    _check_file(path)
    try:
        with Image.open(path, formats=FORMATS) as opened:
            _check_size(opened.size)
            if getattr(opened, "is_animated", False):
                raise BadPicture(f"An animated picture has many answers; give a still one: {path.name!r}.")
            return upright_rgb(opened)
    except UnidentifiedImageError:
        raise BadPicture(f"Pictures are PNG, JPEG or WebP files; {path.name!r} is none of them.") from None
    except Image.DecompressionBombError:
        raise BadPicture(
            f"Pictures may have at most {MAX_PIXELS // 10**6} megapixels; {path.name!r} has more."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadPicture(f"The picture {path.name!r} is damaged and cannot be read ({error}).") from None


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise BadPicture(f"There is no picture file {path.name!r}.")
    size = os.path.getsize(path)
    if size == 0:
        raise BadPicture(f"The file {path.name!r} is empty.")
    if size > MAX_BYTES:
        raise BadPicture(f"Pictures may have at most {MAX_BYTES // 10**6} MB; {path.name!r} has {size / 1e6:.1f} MB.")


def _check_size(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise BadPicture(
            f"Pictures may have at most {MAX_PIXELS // 10**6} megapixels; "
            f"this one has {size[0]} x {size[1]} = {size[0] * size[1] / 1e6:.0f}."
        )
    if min(size) < 1:
        raise BadPicture("The picture has no pixels.")


def upright_rgb(picture: Image.Image) -> Image.Image:
    """Return an 8-bit RGB copy with EXIF orientation applied and alpha laid over white."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _to_8_bit(picture)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return picture.convert("RGB")


def _to_8_bit(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture, dtype=np.float64)
    if picture.mode == "F" and not np.isfinite(values).all():
        raise BadPicture("The picture holds values that are no numbers (NaN or infinity).")
    top = 65535.0 if picture.mode.startswith("I") else 255.0
    return Image.fromarray(np.clip(np.rint(values * (255.0 / top)), 0, 255).astype(np.uint8))


def prepare(picture: Image.Image, to: Preprocessing) -> Tensor:
    """Resize and crop an upright RGB picture; (3, size, size) uint8."""
    from torchvision.transforms.v2 import functional as vision

    mode = vision.InterpolationMode(to.interpolation)
    width, height = picture.size
    if to.resize == "shortest" and max(width, height) > EXTREME_ASPECT * min(width, height):
        return _to_tensor(_resize_centre(picture, to))
    pixels = _to_tensor(picture)
    if to.resize == "squash":
        squashed: Tensor = vision.resize(pixels, [to.size, to.size], mode, antialias=True)
        return squashed
    resized = vision.resize(pixels, [to.size], mode, antialias=True)
    square: Tensor = vision.center_crop(resized, [to.size, to.size])
    return square.contiguous()


def _resize_centre(picture: Image.Image, to: Preprocessing) -> Image.Image:
    """Resample only the centre square, so that a thread-like picture costs no more than another."""
    width, height = picture.size
    short = min(width, height)
    full = [int(to.size * side / short) for side in (width, height)]  # torchvision's rounding
    left, top = (round((side - to.size) / 2.0) for side in full)
    across, down = width / full[0], height / full[1]
    box = (left * across, top * down, (left + to.size) * across, (top + to.size) * down)
    box = (box[0], box[1], min(box[2], width), min(box[3], height))
    filter_ = Image.Resampling.BICUBIC if to.interpolation == "bicubic" else Image.Resampling.BILINEAR
    return picture.resize((to.size, to.size), filter_, box=box)


def _to_tensor(picture: Image.Image) -> Tensor:
    import torch

    array = np.asarray(picture, dtype=np.uint8)
    # channels_last strides: what torchvision's fast uint8 path wants
    return torch.from_numpy(array.copy()).permute(2, 0, 1)


def unit_range(pixels: Tensor) -> Tensor:
    """Uint8 0..255 -> float32 0..1."""
    return pixels.float() / 255.0


def normalise(pixels: Tensor, to: Preprocessing) -> Tensor:
    """(n, 3, h, w) float in 0..1 -> the same, minus mean, over standard deviation."""
    mean = pixels.new_tensor(to.mean).view(1, 3, 1, 1)
    std = pixels.new_tensor(to.std).view(1, 3, 1, 1)
    return (pixels - mean) / std
