"""The shipped model's towers, written out, against the libraries that define them."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from workbench.checkpoints.shipped import POCKET
from workbench.errors import WeightsRefused
from workbench.hooks import recorded
from workbench.loading import compact, load
from workbench.loading.torch_backend import TorchBackend

TEXTS = ["a photo of a cat.", "dog", "two red apples on a wooden table beside a very old clock"]


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    assert POCKET.folder is not None
    result: dict[str, Any] = json.loads((POCKET.folder / "config.json").read_text(encoding="utf-8"))
    return result


@pytest.mark.heavy
def test_both_towers_equal_transformers(pocket: TorchBackend) -> None:
    from transformers import VisionTextDualEncoderModel

    theirs = VisionTextDualEncoderModel.from_pretrained(POCKET.folder, dtype=torch.float32).eval()
    pixels = torch.rand(3, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    tokens = pocket.tokenize(TEXTS)
    with torch.inference_mode():
        images = theirs.get_image_features(pixel_values=pixels).pooler_output
        texts = theirs.get_text_features(input_ids=tokens.ids, attention_mask=tokens.mask).pooler_output
        ours = pocket.towers.image(pixels), pocket.towers.text(tokens.ids, tokens.mask)
    assert ours[0].shape == ours[1].shape == (3, pocket.dim)
    torch.testing.assert_close(ours[0], images, atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(ours[1], texts, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [160, 192, 225])
def test_odd_sizes_are_padded_as_the_original_pads(pocket: TorchBackend, size: int) -> None:
    from timm import create_model

    theirs = create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0).eval()
    ours = compact.EfficientNetLite().eval()
    ours.load_state_dict(theirs.state_dict())
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(size))
    with torch.inference_mode():
        rows = ours(pixels)
        assert rows.shape == (1, compact.EfficientNetLite.width)
        torch.testing.assert_close(rows, theirs(pixels), atol=1e-5, rtol=1e-5)


def test_images_two_at_a_time_give_the_same_rows_and_readers_of_early_maps_see_all() -> None:
    tower = compact.EfficientNetLite().eval()
    pixels = torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        rows = tower(pixels)
        with recorded({"early": tower.blocks[1]}) as maps:
            torch.testing.assert_close(tower(pixels), rows)
    assert len(maps["early"]) == 5
    with torch.no_grad():
        torch.testing.assert_close(tower(pixels), rows)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
@pytest.mark.parametrize("sides", [(8, 8), (7, 8), (8, 7), (9, 11)])
def test_zeros_in_the_kernel_stand_for_padding_beforehand(kernel: int, stride: int, sides: tuple[int, int]) -> None:
    from timm.layers import pad_same

    generator = torch.Generator().manual_seed(kernel + stride)
    ours = compact._SameConv(2, 3, kernel, stride=stride).double()
    maps = torch.rand(1, 2, *sides, generator=generator, dtype=torch.float64)
    theirs = torch.nn.functional.conv2d(
        pad_same(maps, [kernel, kernel], [stride, stride]), ours.weight, ours.bias, stride
    )
    torch.testing.assert_close(ours(maps), theirs, atol=1e-12, rtol=0)


def test_gradients_to_the_pixels_are_those_of_the_original() -> None:
    from timm import create_model

    theirs = create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0).double().eval()
    ours = compact.EfficientNetLite().double().eval()
    ours.load_state_dict(theirs.state_dict())
    result = []
    for tower in (ours, theirs):
        pixels = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(3)).double().requires_grad_()
        tower(pixels).square().sum().backward()
        assert pixels.grad is not None
        result.append(pixels.grad)
    assert float(result[1].abs().max()) > 0
    torch.testing.assert_close(result[0], result[1], atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("vision_config", "architecture", "tf_efficientnet_lite2"),
        ("vision_config", "do_pooling", False),
        ("vision_config", "model_args", {"drop_rate": 0.1}),
        ("text_config", "hidden_act", "relu"),
        ("text_config", "model_type", "roberta"),
        ("text_config", "position_embedding_type", "relative_key"),
    ],
)
def test_any_other_architecture_is_left_to_its_library(
    config: dict[str, Any], part: str, name: str, value: object
) -> None:
    assert compact.fits(config)
    other = copy.deepcopy(config)
    other[part][name] = value
    assert not compact.fits(other)


def test_loading_draws_from_nobodys_random_numbers() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    load("pocket", device="cpu", dtype="float32")
    torch.testing.assert_close(torch.rand(3), expected, atol=0, rtol=0)


def test_a_missing_tensor_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "cut"
    assert POCKET.folder is not None
    shutil.copytree(POCKET.folder, folder)
    index = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))
    shard = folder / index["weight_map"]["text_projection.weight"]
    state = load_file(shard)
    del state["text_projection.weight"]
    save_file(state, shard, metadata={"format": "pt"})
    with pytest.raises(WeightsRefused, match="lacks text_projection"):
        load(f"folder:{folder}", device="cpu", dtype="float32")
