"""Preparing pictures: OpenAI's preprocessing is the measure, for any size and shape."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.workbench.made_pictures import noise
from workbench.images import safe_open
from workbench.preprocessing import Preprocessing, normalise, prepare, unit_range

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
CLIP = Preprocessing(224, MEAN, STD)
LEVEL = 1 / 255 + 1e-6  # one level of eight bits, in 0..1


def square(picture: Image.Image, to: Preprocessing = CLIP) -> torch.Tensor:
    """What a tower gets, before mean and standard deviation: (3, size, size) in 0..1."""
    pixels = prepare(picture, to)
    assert pixels.shape == (3, to.size, to.size)
    assert pixels.dtype == torch.uint8
    return unit_range(pixels)


def openai_square(openai: Any, picture: Image.Image) -> torch.Tensor:
    """The same through OpenAI's `_transform`, its normalisation taken back."""
    pixels = openai.clip._transform(224)(picture)
    return pixels * torch.tensor(STD).view(3, 1, 1) + torch.tensor(MEAN).view(3, 1, 1)


def exact(openai: Any, picture: Image.Image) -> None:
    """Hold the square against OpenAI's: the same, or for a thread-like picture within one level."""
    allowed = LEVEL if max(picture.size) > 64 * min(picture.size) else 1e-6
    assert (square(picture) - openai_square(openai, picture)).abs().max() <= allowed


def test_normalising_equals_torchvision() -> None:
    from torchvision.transforms.v2 import functional

    pixels = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(normalise(pixels, CLIP), functional.normalize(pixels, list(MEAN), list(STD)))
    assert torch.equal(normalise(pixels.double(), CLIP), functional.normalize(pixels.double(), list(MEAN), list(STD)))


SIZES = [
    (640, 480),
    (480, 640),
    (224, 224),
    (1800, 230),
    (230, 1790),
    (1793, 224),
    (3, 5),
    (1, 1),
    (2, 15),
    (3, 200),
    (200, 3),
    (1, 60),
    (225, 224),
    (224, 227),
    (301, 449),
    (449, 301),
    (1023, 767),
    (223, 100),
    (1, 150),
    (2, 180),
    (403, 4),
    (5, 500),
]


@pytest.mark.parametrize("size", SIZES)
def test_preprocessing_equals_openai(openai: Any, size: tuple[int, int]) -> None:
    picture = noise(*size)
    exact(openai, picture)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 900), st.integers(1, 900), st.integers(0, 99))
def test_preprocessing_equals_openai_at_any_size(openai: Any, width: int, height: int, seed: int) -> None:
    if max(width, height) > 100 * min(width, height):
        height = width  # OpenAI's way needs gigabytes beyond
    picture = noise(width, height, seed=seed)
    exact(openai, picture)


def test_real_photos_equal_openai(openai: Any, photos: Path) -> None:
    for name in ("chelsea.png", "rocket.jpg", "logo.png", "retina.jpg", "camera.png"):
        exact(openai, safe_open(photos / name))


def test_normalise_is_openai_s(openai: Any) -> None:
    picture = noise(224, 224)
    ours = normalise(unit_range(prepare(picture, CLIP)[None]), CLIP)
    assert ours.shape == (1, 3, 224, 224)
    torch.testing.assert_close(ours[0], openai.clip._transform(224)(picture), atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["shortest", "squash"])
@pytest.mark.parametrize("rule", ["bicubic", "bilinear"])
def test_other_models_equal_pillow(mode: Any, rule: Any) -> None:
    """MobileCLIP crops by bilinear rules, SigLIP squashes: Pillow is the measure."""
    for size in ((500, 333), (333, 500), (31, 400), (17, 17)):
        picture = noise(*size)
        if mode == "squash":
            whole = picture.resize((256, 256), getattr(Image.Resampling, rule.upper()))
        else:
            full = [int(256 * side / min(size)) for side in size]
            left, top = (round((side - 256) / 2) for side in full)
            resized = picture.resize((full[0], full[1]), getattr(Image.Resampling, rule.upper()))
            whole = resized.crop((left, top, left + 256, top + 256))
        ours = prepare(picture, Preprocessing(256, (0, 0, 0), (1, 1, 1), rule, mode)).permute(1, 2, 0).numpy()
        assert np.abs(ours.astype(int) - np.asarray(whole).astype(int)).max() <= 1


def test_a_thread_of_a_picture_needs_little_memory() -> None:
    """30,000 pixels in a row: resizing all of it would take 4.5 GB."""
    pictures = [Image.new("RGB", size, "teal") for size in ((1, 30_000), (30_000, 1), (2, 7_500_000), (447, 60_000))]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for picture in pictures:
        assert set(prepare(picture, CLIP).flatten().tolist()) == {0, 128}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kilobytes
