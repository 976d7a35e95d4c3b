"""Attention relevance on a transformer whose class token reads one patch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_boxes import EYE, Conv, Vit, ask, noise

from workbench.attribution import Request, explain
from workbench.errors import Unsupported


@pytest.mark.parametrize("seen", [0, 2, 3, 7])
@pytest.mark.parametrize("target", [0, 1])
def test_the_patch_that_is_read_carries_the_mass(seen: int, target: int) -> None:
    pixels = noise(7)
    result = ask(Vit(seen), "attention-relevance", pixels, target)
    # by hand: one block, so relevance is the heads' mean of (slope * attention)+; a head's slope is half the value read
    values = torch.nn.functional.avg_pool2d(torch.from_numpy(pixels).float()[None] / 255, 8)[0, target]  # (3, 3)
    logits = torch.zeros(10)
    logits[1 + seen] = 20.0
    coarse = logits.softmax(dim=0)[1:].view(3, 3) * values / 2
    expected = torch.nn.functional.interpolate(coarse[None, None], (24, 24), mode="bilinear")[0, 0]
    np.testing.assert_allclose(result.map, expected, atol=1e-6)
    row, column = np.unravel_index(result.map.argmax(), (24, 24))
    assert (row // 8, column // 8) == divmod(seen, 3)
    assert (result.map >= 0).all()


def test_two_blocks_multiply_in_the_paper_s_order() -> None:
    from workbench.attribution.relevance import _rolled_out

    generator = torch.Generator().manual_seed(0)
    maps = [torch.rand(1, 2, 4, 4, generator=generator) for _ in range(2)]
    slopes = tuple(torch.randn(1, 2, 4, 4, generator=generator) for _ in range(2))
    first, second = (np.maximum(a.numpy() * g.numpy(), 0)[0].mean(axis=0) for a, g in zip(maps, slopes, strict=True))
    expected = (np.eye(4) + second) @ (np.eye(4) + first) - np.eye(4)
    np.testing.assert_allclose(_rolled_out(maps, slopes), expected, atol=1e-6)


def test_a_convolutional_tower_is_refused_with_the_reason() -> None:
    with pytest.raises(Unsupported, match="vision transformer"):
        explain(Conv(), Request("attention-relevance", noise(), EYE, 0))
