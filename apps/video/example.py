"""The example: a short video made of shipped photos, each coming nearer for some seconds."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image

from workbench.generation.video import RATE, to_mp4
from workbench.pictures import sample, sample_path

PHOTOS = ("coffee", "cat", "rocket", "motorcycle")
QUERY = "a rocket lifting off"
SIZE = (320, 240)  # pixels
SECONDS, NEARER = 3, 0.25  # of each photo; share of its sides that is cut off at the end


@functools.cache
def example_video() -> str:
    """Return the path of the video, which lies beside the shipped images."""
    frames = [_frame(sample(key), at / (SECONDS * RATE)) for key in PHOTOS for at in range(SECONDS * RATE)]
    path = sample_path(PHOTOS[0]).with_name("photos.mp4")
    path.write_bytes(to_mp4(frames))
    return str(path)


def _frame(photo: Image.Image, done: float) -> np.ndarray:
    width, height = photo.size
    cut = NEARER * done / 2
    box = (cut * width, cut * height, (1 - cut) * width, (1 - cut) * height)
    return np.asarray(photo.convert("RGB").resize(SIZE, Image.Resampling.BILINEAR, box=box))
