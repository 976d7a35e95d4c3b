"""The shipped model on two photos side by side: each label's evidence lies on its own side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from workbench.attribution import Attribution, Request, explain
from workbench.heads import MeanHead
from workbench.images import safe_open
from workbench.loading import load
from workbench.loading.torch_backend import TorchBackend
from workbench.pictures import SAMPLES, sample
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


@pytest.mark.parametrize(("objective", "least"), [("contrast", 0.9), ("cosine", 0.75)])
@pytest.mark.parametrize("cat_left", [True, False])
def test_grad_cam_sees_each_label_on_its_own_side(
    pocket: TorchBackend, photos: Path, texts: NDArray[np.float32], cat_left: bool, objective: str, least: float
) -> None:
    """A plain cosine is also high for what all labels share, and that lies on both sides."""
    pixels = _pair(photos, pocket.image_size, cat_left)
    cat, cup = (_left(pocket, Request("grad-cam", pixels, texts, t, objective=objective)) for t in (0, 1))
    assert (cat if cat_left else 1 - cat) > least
    assert (1 - cup if cat_left else cup) > least


@pytest.mark.parametrize("objective", ["contrast", "cosine"])
def test_grad_cam_is_the_class_activation_map_and_adds_up(
    pocket: TorchBackend, photos: Path, texts: NDArray[np.float32], objective: str
) -> None:
    """Zhou et al. 2016, arXiv:1512.04150, equation 2: the last map's cells, projected, on the label's row."""
    pixels = pocket.prepare(safe_open(photos / "chelsea.png"))
    *_, result = explain(pocket, Request("grad-cam", pixels.numpy(), texts, 0, objective=objective))
    assert isinstance(result, Attribution)
    with torch.inference_mode():
        last = pocket.activations(pixels[None] / 255, ["last"])["last"][0].flatten(1).double()  # (1280, 49)
        given = pocket.embed_raw(pixels[None] / 255)
        assert given.shape == (1, pocket.dim)
        raw = given[0].double()
    head = pocket.anatomy.head
    assert isinstance(head, MeanHead)
    cells = head.projection(last.T.float()).double() / raw.norm() / 49
    rows = torch.from_numpy(texts).double()
    cosines = rows @ raw / raw.norm()
    row = rows[0]
    if objective == "contrast":
        rivals = (pocket.logit_scale * cosines[1:]).softmax(0)
        row = pocket.logit_scale * (row - rivals @ rows[1:])
    coarse = (cells @ row).reshape(1, 1, 7, 7)
    torch.testing.assert_close(float(coarse.sum()), float(row @ raw / raw.norm()), rtol=1e-4, atol=0)
    expected = torch.nn.functional.interpolate(coarse, result.map.shape, mode="bilinear")[0, 0]
    np.testing.assert_allclose(result.map, expected, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.heavy
@pytest.mark.parametrize("key", ["pocket", "pocket-lite2"])
def test_grad_cam_finds_what_occlusion_finds(key: str) -> None:
    """On the page's own pictures, for the right answers: 0.53 and 0.46; where places cancel out 0.23 and 0.14."""
    box, likeness, holding = load(key, device="cpu", dtype="float32"), [], 0
    for picture in SAMPLES:
        pixels, names = box.prepare(sample(picture.key)).numpy(), list(picture.labels)
        texts = classifier(box, names, ["a photo of a {}."]).numpy()
        maps = []
        for method in ("grad-cam", "occlusion"):
            target = names.index(picture.answer)
            *_, result = explain(box, Request(method, pixels, texts, target))
            assert isinstance(result, Attribution)
            maps.append(result.map.ravel())
            if method == "grad-cam":
                assert result.deletion is not None
                holding += result.deletion.holds
        likeness.append(np.corrcoef(maps)[0, 1])
    assert len(likeness) == 18
    assert np.mean(likeness) > 0.4
    assert holding >= 15


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
