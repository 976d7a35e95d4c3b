"""Conductance of lower layers adds up to the cosine on seeded towers of each kind, better with more steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.workbench.neurons.test_decomposition import SIDE, resnet, vit_open_clip, vit_transformers
from workbench.errors import BadInput, UnknownName
from workbench.hooks import open_blocks
from workbench.loading.torch_backend import TorchBackend
from workbench.neurons.conductance import ConductanceRequest, conductances
from workbench.neurons.decomposition import Decomposition
from workbench.progress import Progress


def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8)


def texts(model: TorchBackend) -> np.ndarray:
    rows = torch.randn(2, model.dim, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.normalize(rows, dim=1).numpy()


@pytest.mark.parametrize("made", [resnet, vit_open_clip, vit_transformers])
def test_every_layer_adds_up_to_the_cosine_and_more_steps_add_up_better(made: Callable[[], TorchBackend]) -> None:
    model = made()
    layer = list(model.anatomy.layers)[-2]
    rough, fine = ([*conductances(model, ConductanceRequest(image(), texts(model), layer, steps))] for steps in (4, 64))
    assert [type(one) for one in fine[:-1]] == [Progress] * 8
    parts, first = fine[-1], rough[-1]
    assert isinstance(parts, Decomposition)
    assert isinstance(first, Decomposition)
    embedded = model.embed_pixels(torch.from_numpy(image()[None]).float() / 255).detach()[0].numpy()
    assert parts.cosines == pytest.approx(texts(model) @ embedded, abs=1e-5)
    assert parts.parts.sum(axis=(1, 2)) + parts.constant == pytest.approx(parts.cosines, abs=2e-2)
    assert parts.error < 2e-2
    assert parts.error <= first.error + 1e-4
    assert np.abs(parts.parts).max() > 1e-6
    assert open_blocks() == 0
    assert parts.where(0, 1).shape == parts.grid
    assert (parts.parts.shape[0], parts.constant.shape, parts.cosines.shape) == (2, (2,), (2,))
    assert parts.by_unit().shape == parts.parts.shape[:2]


def test_what_cannot_be_integrated_is_refused() -> None:
    model = resnet()
    with pytest.raises(UnknownName):
        list(conductances(model, ConductanceRequest(image(), texts(model), "nosuch")))
    with pytest.raises(BadInput, match="4 steps"):
        list(conductances(model, ConductanceRequest(image(), texts(model), "last", 3)))
