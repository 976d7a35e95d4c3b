"""Cosines as sums: towers against their own cosine, against hand computation, and against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.workbench.neurons.planted_units import CONCEPTS, UNITS, pictures, planted
from workbench.checkpoints.shipped import FAKE
from workbench.errors import Unsupported
from workbench.fake import FakeBackend
from workbench.heads import AttentionHead, MeanHead
from workbench.hooks import ablate, add, open_blocks
from workbench.loading import load
from workbench.loading.anatomy import anatomy, attention
from workbench.loading.last_step import clip_head, of_open_clip
from workbench.loading.torch_backend import TorchBackend, TowerParts
from workbench.neurons.corpus import open_item
from workbench.neurons.decomposition import Decomposition, decompositions
from workbench.neurons.passes import intervened_rows, layer_rows
from workbench.preprocessing import Preprocessing

SIDE = 64
TEXT = {"context_length": 8, "vocab_size": 12, "width": 16, "heads": 2, "layers": 1}


def box_of(model: Any, image: Callable[..., Any], visual: Any, *, head: Any, dim: int) -> TorchBackend:
    model.eval().requires_grad_(False)
    towers = TowerParts(
        module=model,
        image=image,
        text=lambda ids, mask: ids,
        tokenize=lambda texts: None,  # type: ignore[arg-type,return-value]
        preprocessing=Preprocessing(SIDE, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        anatomy=replace(anatomy(visual, SIDE), head=head),
        dim=dim,
        logit_scale=10.0,
        attention=attention(visual, image),
    )
    return TorchBackend(FAKE, towers, "seeded")


def resnet() -> TorchBackend:
    from open_clip.model import CLIP

    torch.manual_seed(1)
    model = CLIP(24, {"image_size": SIDE, "layers": (1, 1, 1, 1), "width": 8}, TEXT)
    return box_of(model, model.encode_image, model.visual, head=of_open_clip(model), dim=24)


def vit_open_clip() -> TorchBackend:
    from open_clip.model import CLIP

    torch.manual_seed(2)
    vision = {"image_size": SIDE, "layers": 3, "width": 32, "patch_size": 16, "head_width": 8}
    model = CLIP(24, vision, TEXT)
    return box_of(model, model.encode_image, model.visual, head=of_open_clip(model), dim=24)


def vit_transformers() -> TorchBackend:
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(3)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    text = {**size, "vocab_size": 12, "max_position_embeddings": 8}
    vision = {**size, "image_size": SIDE, "patch_size": 16}
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
    head = clip_head(model)
    for block in model.vision_model.encoder.layers:  # biases are 0 in a fresh model, and would hide a mistake
        for part in (block.self_attn.v_proj, block.self_attn.out_proj, block.mlp.fc2):
            torch.nn.init.normal_(part.bias, std=0.3)
    torch.nn.init.normal_(model.vision_model.post_layernorm.bias, std=0.3)
    return box_of(
        model,
        lambda pixels: model.get_image_features(pixel_values=pixels).pooler_output,
        model.vision_model,
        head=head,
        dim=24,
    )


def random_pixels(n: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 3, side, side), dtype=np.uint8)


def random_texts(k: int, dim: int) -> np.ndarray:
    rows = np.random.default_rng(1).normal(size=(k, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("make", [resnet, vit_open_clip, vit_transformers], ids=lambda make: make.__name__)
def test_the_sum_is_the_cosine(make: Callable[[], TorchBackend]) -> None:
    box = make()
    pixels, texts = random_pixels(4, SIDE), random_texts(3, 24)
    cosines = box.encode_pixels(torch.from_numpy(pixels)).numpy() @ texts.T
    for result, expected in zip(decompositions(box, (pixels, texts)), cosines, strict=True):
        total = result.parts.astype(np.float64).sum(axis=(1, 2)) + result.constant
        assert np.abs(total - expected).max() < 1e-6
        assert result.error < 1e-6
        terms, cells = result.parts.shape[1:]
        assert result.parts.shape[0] == result.constant.shape[0] == result.cosines.shape[0] == 3
        assert cells == result.prefix + result.grid[0] * result.grid[1]
        assert len(result.names) in (0, terms)
    assert open_blocks() == 0
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in box.towers.module.modules())


def test_on_pocket_the_sum_is_the_cosine() -> None:
    box = load("pocket")
    pixels = random_pixels(3, box.image_size)
    texts = box.embed_texts(["a photo of a cat.", "a photo of a dog."]).numpy()
    assert max(result.error for result in decompositions(box, (pixels, texts))) < 1e-6


def test_a_units_part_by_hand(tmp_path: Path) -> None:
    box = planted()
    items = pictures(tmp_path, each=1)[:2]  # a cat and a dog
    pixels = np.stack([box.prepare(open_item(item)).numpy() for item in items])
    texts = box.embed_texts([f"a photo of a {CONCEPTS[0]}.", f"a photo of a {CONCEPTS[1]}."]).numpy()
    cat, dog = decompositions(box, (pixels, texts))
    rows = next(iter(layer_rows(box, (pixels, "planted"))))
    assert (rows.pooled.shape, rows.embeddings.shape) == ((2, UNITS), (2, box.dim))
    values = rows.pooled
    length = np.linalg.norm(values @ box.anatomy.head.directions.numpy().T, axis=1)  # type: ignore[union-attr]
    assert cat.by_unit()[0, 0] == pytest.approx(4 / length[0], abs=1e-6)  # activation 4, direction 1
    assert cat.by_unit()[1, 1] == 0
    assert dog.by_unit()[1, 1] == pytest.approx(4 / length[1], abs=1e-6)
    assert np.allclose(cat.where(0, 0)[2:], 0)  # the layer is silent in the lower half
    assert cat.where(0, 0)[:2, :2].sum() == pytest.approx(cat.by_unit()[0, 0], abs=1e-6)
    assert cat.parts.shape == (2, UNITS, 16)
    assert (cat.constant.shape, cat.cosines.shape, cat.by_unit().shape) == ((2,), (2,), (2, UNITS))
    assert cat.where(0, 0).shape == cat.grid == (4, 4)


def test_a_part_is_the_slope_of_the_unscaled_product() -> None:
    """Finite differences: adding a little to one channel everywhere moves text · embedding · length by its weight."""
    box = load("pocket")
    pixels, texts = random_pixels(1, box.image_size), box.embed_texts(["a photo of a cat."]).numpy()
    head = box.anatomy.head
    rows = next(iter(layer_rows(box, (pixels, "conv_head"))))
    unit, step = int(rows.pooled[0].argmax()), 0.5
    changed = next(iter(intervened_rows(box, (pixels, [add("conv_head", [unit], step)]))))
    pooled = torch.from_numpy(rows.pooled).clone()
    before = head.embed(pooled).norm()  # type: ignore[union-attr]
    pooled[0, unit] += step
    after = head.embed(pooled).norm()  # type: ignore[union-attr]
    slope = (
        float((changed @ texts.T)[0, 0]) * float(after) - float((rows.embeddings @ texts.T)[0, 0]) * float(before)
    ) / step
    result = next(iter(decompositions(box, (pixels, texts))))
    weight = result.by_unit()[0, unit] * float(before) / rows.pooled[0, unit]
    assert slope == pytest.approx(float(weight), abs=1e-4)


@pytest.mark.parametrize("make", [resnet, planted], ids=lambda make: make.__name__)
def test_terms_of_convolutional_towers_have_the_stated_shapes(make: Callable[[], TorchBackend]) -> None:
    box = make()
    texts = torch.from_numpy(random_texts(3, box.dim))
    head, name = box.anatomy.head, next(reversed(box.anatomy.layers))
    assert isinstance(head, MeanHead | AttentionHead)
    side = box.image_size
    values = box.activations(torch.from_numpy(random_pixels(2, side)).float() / 255, [name])[name]
    n, units, rows, columns = values.shape
    terms = head.terms(values, texts)
    assert terms.parts.shape == (n, 3, units, rows * columns)
    assert (terms.constant.shape, terms.length.shape, terms.cosines.shape) == ((n, 3), (n,), (n, 3))
    assert head.directions.shape == (box.dim, units)
    if isinstance(head, AttentionHead):
        assert head.pattern(values).shape == (n, head.pool.num_heads, 1 + rows * columns)
    else:
        assert head.embed(values.mean(dim=(2, 3))).shape == (n, box.dim)


def test_without_a_known_last_step_there_is_no_sum() -> None:
    box = FakeBackend()
    with pytest.raises(Unsupported, match="last step"):
        next(decompositions(box, (random_pixels(1, box.image_size), random_texts(1, box.dim))))


def test_hooks_are_gone_after_an_error() -> None:
    box = resnet()
    with pytest.raises(RuntimeError):
        next(iter(intervened_rows(box, (random_pixels(1, SIDE), [_Broken()]))))  # type: ignore[list-item]
    assert open_blocks() == 0
    assert not any(part._forward_hooks for part in box.towers.module.modules())


class _Broken:
    layer = "layer4"

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("planted")


def test_ablating_a_channel_takes_its_part_away() -> None:
    box = load("pocket")
    pixels, texts = random_pixels(2, box.image_size), box.embed_texts(["a photo of a cat."]).numpy()
    rows = next(iter(layer_rows(box, (pixels, "conv_head"))))
    unit = int(rows.pooled.sum(axis=0).argmax())
    changed = next(iter(intervened_rows(box, (pixels, [ablate("conv_head", [unit])]))))
    assert changed.shape == (2, box.dim)
    pooled = rows.pooled.copy()
    pooled[:, unit] = 0
    by_hand = box.anatomy.head.embed(torch.from_numpy(pooled)).numpy()  # type: ignore[union-attr]
    by_hand /= np.linalg.norm(by_hand, axis=1, keepdims=True)
    assert np.abs(changed - by_hand).max() < 1e-5
    assert isinstance(next(iter(decompositions(box, (pixels, texts)))), Decomposition)
