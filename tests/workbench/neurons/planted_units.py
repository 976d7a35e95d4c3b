"""A white box with planted units: what each channel responds to is known, so every method can be checked.

An image is 32 x 32 pixels: the upper left quarter's red says which concept, its green which form, the lower half's
blue is noise of its own. The channels are made from these by arithmetic, and the embedding is their average.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from workbench.backend import Anatomy, Reading, Tokens
from workbench.checkpoints.shipped import FAKE
from workbench.heads import MeanHead
from workbench.loading.torch_backend import TorchBackend, TowerParts
from workbench.neurons.corpus import CorpusItem
from workbench.preprocessing import Preprocessing

SIDE = 32
CONCEPTS = ("cat", "dog", "car", "tree", "house", "ball", "moon", "fish", "lamp", "shoe", "cup", "key")
FORMS = ("photo", "drawing", "word")
WORD_ONLY, NOISE, CONSTANT, NEGATIVE = len(CONCEPTS), len(CONCEPTS) + 1, len(CONCEPTS) + 2, len(CONCEPTS) + 3
UNITS = len(CONCEPTS) + 4
OTHERS = tuple(f"other{number}" for number in range(40))  # words that no unit responds to


class PlantedLayer(nn.Module):
    """(n, 3, 32, 32) -> (n, units, 4, 4)."""

    def forward(self, pixels: Tensor) -> Tensor:
        concept = (pixels[:, 0, :16, :16].mean(dim=(1, 2)) * 255 / 10).round()
        form = (pixels[:, 1, :16, :16].mean(dim=(1, 2)) * 255 / 50).round()
        noise = pixels[:, 2, 16:].mean(dim=(1, 2))
        rows = [(concept == number).float() * 4 for number in range(len(CONCEPTS))]
        rows.append(((concept == 0) & (form == FORMS.index("word"))).float() * 4)
        rows += [noise, torch.ones_like(noise), -noise]
        grid = torch.zeros(len(pixels), UNITS, 4, 4)
        grid[:, :, :2, :2] = 4 * torch.stack(rows, dim=1)[:, :, None, None]
        return grid


class PlantedTower(nn.Module):
    """The layer, the average, and a projection in which the unit of a concept moves towards its word."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = PlantedLayer()
        self.projection = nn.Linear(UNITS, 64, bias=False)
        weight = torch.zeros(64, UNITS)
        weight[: len(CONCEPTS), : len(CONCEPTS)] = torch.eye(len(CONCEPTS))
        weight[0, WORD_ONLY] = 1.0
        generator = torch.Generator().manual_seed(3)
        weight[:, NOISE:] = 0.05 * torch.randn(64, UNITS - NOISE, generator=generator)
        self.projection.weight = nn.Parameter(weight, requires_grad=False)

    def forward(self, pixels: Tensor) -> Tensor:
        rows: Tensor = self.projection(self.layer(pixels).mean(dim=(2, 3)))
        return rows


def planted() -> TorchBackend:
    tower = PlantedTower().eval()
    towers = TowerParts(
        module=tower,
        image=tower,
        text=lambda ids, mask: _rows(ids),
        tokenize=_tokenize,
        preprocessing=Preprocessing(SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
        anatomy=Anatomy("convolutional", {"planted": tower.layer}, (4, 4), head=MeanHead(tower.projection)),
        dim=64,
        logit_scale=10.0,
    )
    return TorchBackend(FAKE, towers, "planted")


def pictures(folder: Path, *, each: int = 2) -> tuple[CorpusItem, ...]:
    """Images of every concept in every form, and as many again of things that no unit responds to."""
    generator = np.random.default_rng(0)
    items = []
    for form in FORMS:
        shown = [(number, name) for number, name in enumerate(CONCEPTS)] * each
        shown += [(20, name) for name in OTHERS]
        for place, (number, name) in enumerate(shown):
            image = np.zeros((SIDE, SIDE, 3), np.uint8)
            image[:16, :16] = (10 * number, 50 * FORMS.index(form), 0)
            image[16:, :, 2] = generator.integers(20, 250)
            path = folder / f"{form}-{place}.png"
            Image.fromarray(image).save(path)
            items.append(CorpusItem(str(path), form, name))  # type: ignore[arg-type]
    return tuple(items)


def _tokenize(texts: Sequence[str]) -> Tokens:
    words = [text.removeprefix("a photo of a ").removesuffix(".") for text in texts]
    ids = [CONCEPTS.index(word) if word in CONCEPTS else 100 + zlib.crc32(word.encode()) % 9000 for word in words]
    result = torch.tensor(ids)[:, None]
    return Tokens(result, torch.ones_like(result), tuple(Reading(text, 1, 77) for text in texts))


def _rows(ids: Tensor) -> Tensor:
    rows = torch.zeros(len(ids), 64)
    for row, number in zip(rows, ids[:, 0].tolist(), strict=True):
        if number < len(CONCEPTS):
            row[number] = 1.0
        else:
            row[len(CONCEPTS) :] = torch.randn(64 - len(CONCEPTS), generator=torch.Generator().manual_seed(number))
    return rows
