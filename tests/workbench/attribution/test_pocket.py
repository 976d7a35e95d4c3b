"""The shipped model on two photos side by side: each label's evidence lies on its own side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from workbench.attribution import Attribution, Request, explain
from workbench.images import safe_open
from workbench.loading.torch_backend import TorchBackend
from workbench.zeroshot import classifier

LABELS = ("cat", "coffee cup", "dog", "rocket", "bicycle", "banana", "clock", "guitar", "tree")


@pytest.fixture(scope="module")
def texts(pocket: TorchBackend) -> NDArray[np.float32]:
    return classifier(pocket, LABELS, ["a photo of a {}."]).numpy()


def _pair(photos: Path, side: int, cat_left: bool) -> NDArray[np.uint8]:
    """A cat and a coffee cup on grey, each in a square of half the side."""
    half = side // 2
    cat = safe_open(photos / "chelsea.png").crop((100, 0, 400, 300)).resize((half, half))
    cup = safe_open(photos / "coffee.png").crop((130, 20, 500, 390)).resize((half, half))
    canvas = Image.new("RGB", (side, side), (128, 128, 128))
    canvas.paste(cat, (0 if cat_left else half, half // 2))
    canvas.paste(cup, (half if cat_left else 0, half // 2))
    return np.asarray(canvas).transpose(2, 0, 1).copy()


def _left(box: TorchBackend, request: Request) -> float:
    """Share of the positive evidence in the left half."""
    *_, result = explain(box, request)
    assert isinstance(result, Attribution)
    positive = np.maximum(result.map, 0)
    return float(positive[:, : request.side // 2].sum() / positive.sum())


@pytest.mark.parametrize("objective", ["contrast", "cosine"])
@pytest.mark.parametrize("cat_left", [True, False])
def test_grad_cam_sees_each_label_on_its_own_side(
    pocket: TorchBackend, photos: Path, texts: NDArray[np.float32], cat_left: bool, objective: str
) -> None:
    pixels = _pair(photos, pocket.image_size, cat_left)
    cat, cup = (_left(pocket, Request("grad-cam", pixels, texts, t, objective=objective)) for t in (0, 1))
    assert (cat if cat_left else 1 - cat) > 0.8
    assert (1 - cup if cat_left else cup) > 0.8


@pytest.mark.heavy
@pytest.mark.parametrize("objective", ["contrast", "cosine"])
@pytest.mark.parametrize("cat_left", [True, False])
def test_occlusion_sees_each_label_on_its_own_side(
    pocket: TorchBackend, photos: Path, texts: NDArray[np.float32], cat_left: bool, objective: str
) -> None:
    pixels = _pair(photos, pocket.image_size, cat_left)
    cat, cup = (_left(pocket, Request("occlusion", pixels, texts, t, objective=objective)) for t in (0, 1))
    assert (cat if cat_left else 1 - cat) > 0.5
    assert (1 - cup if cat_left else cup) > 0.5


@pytest.mark.heavy
@pytest.mark.parametrize("cat_left", [True, False])
def test_integrated_gradients_see_each_label_on_its_own_side(
    pocket: TorchBackend, photos: Path, texts: NDArray[np.float32], cat_left: bool
) -> None:
    """Single pixels go to and fro, and cancel; what a half adds in all is the question."""
    half = pocket.image_size // 2
    for target, left in ((0, cat_left), (1, not cat_left)):
        pixels = _pair(photos, pocket.image_size, cat_left)
        *_, result = explain(pocket, Request("integrated-gradients", pixels, texts, target))
        assert isinstance(result, Attribution)
        sides = float(result.map[:, :half].sum()), float(result.map[:, half:].sum())
        own, other = sides if left else sides[::-1]
        assert own > 0 > other


@pytest.mark.heavy
def test_integrated_gradients_add_up_on_real_photos(
    pocket: TorchBackend, photos: Path, texts: NDArray[np.float32]
) -> None:
    """The sum over three photos, because one delta alone may be small by luck."""
    off, gained = 0.0, 0.0
    for photo, target in (("chelsea.png", 0), ("coffee.png", 1), ("rocket.jpg", 3)):
        pixels = pocket.prepare(safe_open(photos / photo)).numpy()
        *_, result = explain(pocket, Request("integrated-gradients", pixels, texts, target))
        assert isinstance(result, Attribution)
        assert result.delta is not None
        assert result.gained is not None
        off, gained = off + abs(result.delta), gained + abs(result.gained)
    assert off < 0.15 * gained  # evenly spaced points: 0.6 and more
