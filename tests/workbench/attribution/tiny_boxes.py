"""Three models small enough to work out on paper: linear, convolutional, and a transformer of one block."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.attribution import Attribution, Request, explain
from workbench.backend import Anatomy

SIDE = 24
EYE = np.eye(3, dtype=np.float32)  # labels: the score "cosine" of label t is the embedding's number t


class Box(nn.Module):
    """What the three have in common; embeddings are not normalised, so that hand computation stays short."""

    device, dtype, dim, logit_scale, image_size = torch.device("cpu"), torch.float32, 3, 10.0, SIDE
    anatomy = Anatomy("flat")

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        return self(pixels)

    embed_raw = embed_pixels


class Linear(Box):
    """Number t of the embedding is sum(weight[t] * pixels); label 0 looks at the top left, 1 at the bottom right."""

    def __init__(self) -> None:
        super().__init__()
        values = torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) + 0.1
        mask = torch.zeros(3, 1, SIDE, SIDE)
        mask[0, :, :6, 2:12] = 1
        mask[1, :, 15:, 12:] = 1
        mask[2] = -1
        self.weight = nn.Parameter(values * mask)

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.einsum("nchw,tchw->nt", pixels, self.weight)


class Curved(Linear):
    """Not linear, and so a case where the points on the path count."""

    def forward(self, pixels: Tensor) -> Tensor:
        return (super().forward(pixels) / 20).tanh() + (pixels**3).mean(dim=(1, 2, 3))[:, None]


class Conv(Box):
    """Cells of 4 x 4 pixels; channel 0 fires on red, an activation in place follows, label 0 is red's mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 4, stride=4, bias=False)
        nn.init.zeros_(self.conv.weight)
        with torch.no_grad():
            self.conv.weight[0, 0], self.conv.weight[0, 1:] = 1 / 16, -1 / 16
        self.act = nn.ReLU6(inplace=True)
        self.anatomy = Anatomy("convolutional", {"conv": self.conv}, (6, 6))

    def forward(self, pixels: Tensor) -> Tensor:
        mean = self.act(self.conv(pixels)).mean(dim=(2, 3))
        return torch.stack([mean[:, 0], -mean[:, 0], mean[:, 1]], dim=1)


class Block(nn.Module):
    """Attention of two heads that does not look at the tokens: the class token reads patch `seen` alone."""

    def __init__(self, seen: int) -> None:
        super().__init__()
        logits = torch.zeros(1, 2, 10, 10)
        logits[:, :, 0, 1 + seen] = 20.0
        self.logits = nn.Parameter(logits)
        self.maps: list[Tensor] = []

    def forward(self, hidden_states: Tensor) -> Tensor:
        attention = (self.logits + 0 * hidden_states.sum()).softmax(dim=-1)
        self.maps = [attention]
        return (attention @ hidden_states[:, None]).mean(dim=1)


class Vit(Box):
    """Nine patches of 8 x 8 pixels behind a class token of zeros; a token is its patch's mean colour."""

    def __init__(self, seen: int) -> None:
        super().__init__()
        self.block = Block(seen)
        self.anatomy = Anatomy("vit", {"block": self.block}, (3, 3), 1)

    def forward(self, pixels: Tensor) -> Tensor:
        patches = nn.functional.avg_pool2d(pixels, 8).flatten(2).transpose(1, 2)
        tokens = torch.cat([torch.zeros_like(patches[:, :1]), patches], dim=1)
        return self.block(hidden_states=tokens)[:, 0]

    def attention(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        return self(pixels), self.block.maps


def noise(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8)


def ask(box: Box, method: str, pixels: NDArray[np.uint8], target: int = 0, **options: object) -> Attribution:
    options = {"objective": "cosine", **options}
    *_, result = explain(box, Request(method, pixels, EYE, target, **options))
    assert isinstance(result, Attribution)
    assert result.map.shape == (SIDE, SIDE)
    assert result.map.dtype == np.float32
    return result


def hooks(box: nn.Module) -> Iterator[Callable[..., object]]:
    for module in box.modules():
        yield from module._forward_hooks.values()
        yield from module._forward_pre_hooks.values()
