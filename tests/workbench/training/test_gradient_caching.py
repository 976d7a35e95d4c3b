"""The gradient in chunks against the plain one, with dropout replayed and batch norm frozen, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from workbench.training.gradients import EncodedBatch, TowerPair, backward
from workbench.training.losses import same, sigmoid_loss, symmetric_cross_entropy


class Two(nn.Module):
    """Two small towers with dropout and batch norm, and a scale."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.GELU(), nn.Flatten(), nn.Dropout(dropout), nn.Linear(54, 4)
        )
        self.read = nn.Sequential(nn.Embedding(9, 8), nn.Flatten(), nn.Dropout(dropout), nn.Linear(24, 4))
        self.scale = nn.Parameter(torch.tensor(5.0))
        self.bias = nn.Parameter(torch.tensor(-1.0))

    def text(self, ids: Tensor, mask: Tensor) -> Tensor:
        rows: Tensor = self.read(ids)
        return rows

    def cross_entropy(self, images: Tensor, texts: Tensor, keys: Tensor) -> Tensor:
        return symmetric_cross_entropy(images, texts, self.scale, positives=same(keys.tolist()))

    def sigmoid(self, images: Tensor, texts: Tensor, keys: Tensor) -> Tensor:
        return sigmoid_loss(images, texts, self.scale, bias=self.bias)


def model(dropout: float = 0.0) -> Two:
    torch.manual_seed(3)
    made = Two(dropout).double().train()
    with torch.no_grad():
        made.see[1].running_mean.normal_()  # type: ignore[union-attr, operator]
        made.see[1].running_var.uniform_(0.5, 2)  # type: ignore[union-attr, operator]
    made.see[1].eval()  # frozen
    return made


def batch(n: int = 7) -> EncodedBatch:
    generator = torch.Generator().manual_seed(4)
    pixels = torch.randn(n, 3, 5, 5, dtype=torch.float64, generator=generator)
    ids = torch.randint(0, 9, (n, 3), generator=generator)
    return EncodedBatch(pixels, ids, torch.ones_like(ids), torch.tensor([0, 1, 2, 0, 3, 4, 5][:n]))


def gradient(made: Two) -> dict[str, Tensor]:
    return {name: one.grad.clone() for name, one in made.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
@pytest.mark.parametrize("kind", ["cross_entropy", "sigmoid"])
def test_chunks_give_the_plain_gradient(chunk: int, kind: str) -> None:
    plain, cached = model(), model()
    first = backward(TowerPair(plain.see, plain.text), batch(), getattr(plain, kind))
    second = backward(TowerPair(cached.see, cached.text), batch(), getattr(cached, kind), chunk=chunk)
    assert first.loss == pytest.approx(second.loss, abs=1e-12)
    assert first.images.shape == first.texts.shape == (7, 4)
    torch.testing.assert_close(first.images, second.images)
    expected, result = gradient(plain), gradient(cached)
    assert expected.keys() == result.keys()
    assert "see.1.weight" in expected
    for name, one in expected.items():
        torch.testing.assert_close(result[name], one, atol=1e-6, rtol=0, msg=name)
    assert float(expected["read.0.weight"].abs().max()) > 1e-3


def test_dropout_is_replayed() -> None:
    """The reference embeds the same chunks with the same draws, but keeps the whole graph."""
    cached, plain = model(0.5), model(0.5)
    torch.manual_seed(5)
    backward(TowerPair(cached.see, cached.text), batch(), cached.cross_entropy, chunk=3)
    after = torch.rand(1)
    torch.manual_seed(5)
    towers = TowerPair(plain.see, plain.text)
    rows = [towers.embed(batch().chunk(slice(start, start + 3))) for start in (0, 3, 6)]
    images, texts = (torch.cat(side) for side in zip(*rows, strict=True))
    plain.cross_entropy(images, texts, batch().keys).backward()
    for name, one in gradient(plain).items():
        torch.testing.assert_close(gradient(cached)[name], one, atol=1e-6, rtol=0, msg=name)
    assert torch.equal(after, torch.rand(1))  # the stream of random numbers goes on as if each were drawn once


def test_a_locked_tower_gets_no_gradient_and_hinders_nothing() -> None:
    plain, cached = model(), model()
    for made in (plain, cached):
        made.see.requires_grad_(False)
    backward(TowerPair(plain.see, plain.text), batch(), plain.cross_entropy)
    backward(TowerPair(cached.see, cached.text), batch(), cached.cross_entropy, chunk=2)
    assert not any(name.startswith("see") for name in gradient(cached))
    for name, one in gradient(plain).items():
        torch.testing.assert_close(gradient(cached)[name], one, atol=1e-6, rtol=0, msg=name)


def test_autocast_keeps_its_gradient_through_chunks() -> None:
    plain, cached = model().float(), model().float()
    given = batch()
    low = EncodedBatch(given.pixels.float(), given.ids, given.mask, given.keys)
    backward(TowerPair(plain.see, plain.text, torch.bfloat16), low, plain.cross_entropy)
    backward(TowerPair(cached.see, cached.text, torch.bfloat16), low, cached.cross_entropy, chunk=3)
    for name, one in gradient(plain).items():
        result = gradient(cached)[name]
        assert result.dtype == torch.float32
        torch.testing.assert_close(result, one, atol=0.05 * float(one.abs().max()) + 1e-6, rtol=0.1, msg=name)


def test_a_scaler_scales_the_gradient_alone() -> None:
    plain, scaled = model(), model()
    backward(TowerPair(plain.see, plain.text), batch(), plain.cross_entropy)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    result = backward(TowerPair(scaled.see, scaled.text), batch(), scaled.cross_entropy, chunk=2, scaler=scaler)
    assert result.loss < 8
    for name, one in gradient(plain).items():
        torch.testing.assert_close(gradient(scaled)[name], 8 * one, atol=1e-9, rtol=1e-9, msg=name)
