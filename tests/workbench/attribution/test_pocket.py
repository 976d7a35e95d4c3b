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
    *_, found = explain(box, request)
    assert isinstance(found, Attribution)
    positive = np.maximum(found.map, 0)
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
