"""Pictures that tests make, and files of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def noise(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """A picture of soft noise in any mode."""
    rng = np.random.default_rng(seed)
    small = (max(1, width // 3), max(1, height // 3))
    pixels = rng.integers(0, 256, (small[1], small[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height)).convert(mode)


def smooth(width: int, height: int) -> Image.Image:
    """A picture that JPEG hardly changes."""
    return noise(6, 6).resize((width, height), Image.Resampling.BICUBIC)


def saved(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path
