"""Every method on towers as transformers and open_clip build them, small and of seeded random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tiny_boxes import hooks
from torch import Tensor, nn

from workbench.attribution import Attribution, Request, availability, explain
from workbench.attribution.score import score_of
from workbench.loading.anatomy import anatomy, attention

SIDE, DIM = 32, 16


class Tower(nn.Module):
    """A white box around an image tower, as a loaded checkpoint is one: weights frozen, unit rows."""

    device, dtype, dim, logit_scale, image_size = torch.device("cpu"), torch.float32, DIM, 20.0, SIDE

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower.eval().requires_grad_(False)
        self.anatomy = anatomy(tower, SIDE)
        self._attend = attention(tower, self.image)

    def image(self, pixels: Tensor) -> Tensor:
        out: Tensor = self.tower(pixels)
        return out

    def embed_raw(self, pixels: Tensor) -> Tensor:
        return self.image(pixels)

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        return nn.functional.normalize(self.image(pixels), dim=-1)

    def attention(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        assert self._attend is not None
        rows, maps = self._attend(pixels)
        return nn.functional.normalize(rows, dim=-1), maps


def _transformers() -> nn.Module:
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=SIDE,
        patch_size=8, projection_dim=DIM, attn_implementation="sdpa",
    )  # fmt: skip
    return CLIPVisionModelWithProjection(config)


def _open_clip(kind: str) -> nn.Module:
    from open_clip.model import ModifiedResNet, VisionTransformer

    if kind == "vit":
        return VisionTransformer(SIDE, 8, width=32, layers=2, heads=4, mlp_ratio=2.0, output_dim=DIM)
    return ModifiedResNet((1, 1, 1, 1), DIM, heads=4, image_size=SIDE, width=8)


@pytest.fixture(params=["transformers vit", "open_clip vit", "open_clip resnet"])
def box(request: pytest.FixtureRequest) -> Tower:
    torch.manual_seed(3)
    library, kind = request.param.split()
    return Tower(_Projected(_transformers()) if library == "transformers" else _open_clip(kind))


class _Projected(nn.Module):
    """transformers' tower, with the parts by which the anatomy knows it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.config = model, model.config
        inner = getattr(model, "vision_model", model)
        self.encoder, self.embeddings = inner.encoder, inner.embeddings

    def forward(self, pixels: Tensor) -> Tensor:
        out: Tensor = self.model(pixel_values=pixels).image_embeds
        return out


def test_a_score_at_fixed_length_has_the_same_values(box: Tower) -> None:
    texts = np.eye(4, DIM, dtype=np.float32)
    pixels = np.zeros((3, SIDE, SIDE), dtype=np.uint8)
    pictures = torch.rand(5, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    for objective in ("contrast", "cosine"):
        score = score_of(box, Request("grad-cam", pixels, texts, 1, objective=objective))
        values = score.at_fixed_length(pictures)
        assert values.shape == (5,)
        torch.testing.assert_close(values, score(pictures), atol=1e-5, rtol=1e-5)


def test_every_served_method_answers_and_leaves_the_tower_as_it_was(box: Tower) -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8)
    texts = np.eye(4, DIM, dtype=np.float32)
    picture = torch.from_numpy(pixels).float()[None] / 255
    with torch.inference_mode():
        before, held = box.embed_pixels(picture), len(list(hooks(box)))
    served = [key for key, reason in availability(box).items() if not reason]
    assert len(served) == (4 if box.anatomy.kind == "vit" else 3)
    for method in served:
        *_, result = explain(box, Request(method, pixels, texts, 1, steps=64))
        *_, other = explain(box, Request(method, pixels, texts, 2, steps=64))
        assert isinstance(result, Attribution)
        assert isinstance(other, Attribution)
        assert result.map.shape == (SIDE, SIDE)
        assert result.map.any(), method
        assert not np.allclose(result.map, other.map), f"{method} does not depend on the label"
        if result.relative_delta is not None:
            assert result.relative_delta < 0.1
    assert all(weight.grad is None and not weight.requires_grad for weight in box.parameters())
    with torch.inference_mode():
        torch.testing.assert_close(box.embed_pixels(picture), before, atol=0, rtol=0)
    assert len(list(hooks(box))) == held
