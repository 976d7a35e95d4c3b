"""Cutouts against torchvision's own crops and warps, and against the rules that they keep."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torchvision.transforms.v2 import functional

from workbench.generation.cutouts import Cutouts, shrunk


def canvas(side: int = 64) -> torch.Tensor:
    line = torch.linspace(0, 1, side)
    return torch.stack([line.expand(side, -1), line[:, None].expand(-1, side), 0.5 * torch.ones(side, side)])[None]


def test_the_first_cutout_is_the_whole_canvas() -> None:
    cutouts = Cutouts(4, 32)
    ways = cutouts.draw(torch.Generator().manual_seed(0))
    squares = cutouts.cut(canvas(63), ways, torch.Generator().manual_seed(1))
    whole = torch.nn.functional.interpolate(canvas(63), size=(32, 32), mode="bilinear")
    assert torch.allclose(squares[:1], whole, atol=1e-5)


def test_a_crop_equals_torchvision_s() -> None:
    half = torch.diag(torch.tensor([0.5, 0.5, 1.0]))[None]
    half[0, 0, 2] = -0.5  # the middle of the left half
    square = Cutouts(1, 16, augment=False).cut(canvas(32)[..., :32, :32], half, torch.Generator())
    wanted = functional.crop(canvas(32), top=8, left=0, height=16, width=16)
    assert torch.allclose(square, wanted, atol=1e-5)


def test_a_turn_equals_torchvision_s() -> None:
    angle = torch.tensor(torch.pi / 2)
    turned = torch.tensor([[angle.cos(), -angle.sin(), 0], [angle.sin(), angle.cos(), 0], [0, 0, 1]])[None]
    square = Cutouts(1, 32, augment=False).cut(canvas(32), turned, torch.Generator())
    assert torch.allclose(square, functional.rotate(canvas(32), 90), atol=1e-5)


def test_without_augmentation_cutouts_are_parallel_to_the_canvas() -> None:
    ways = Cutouts(50, 32, augment=False).draw(torch.Generator().manual_seed(0))
    assert torch.equal(ways[:, 2], torch.tensor([0.0, 0, 1]).expand(50, -1))
    assert torch.equal(ways[:, 0, 1], torch.zeros(50))
    assert (ways[:, 0, 0] > 0).all()
    sides = ways[1:, 0, 0]
    assert sides.min() < 0.6
    assert (sides > 0.9).float().mean() > 0.2


def test_gradients_reach_every_pixel_of_a_large_canvas() -> None:
    big = canvas(200).requires_grad_()
    cutouts = Cutouts(1, 16)
    ways = cutouts.draw(torch.Generator().manual_seed(0))
    cutouts.cut(big, ways, torch.Generator()).sum().backward()  # type: ignore[no-untyped-call]
    assert big.grad is not None
    assert (big.grad[..., :192, :192].abs() > 0).float().mean() > 0.9
    assert shrunk(torch.zeros(1, 3, 512, 512), 128).shape[-1] == 256


def test_values_stay_within_bounds_and_follow_the_seed() -> None:
    cutouts = Cutouts(16, 24)
    one, two, other = (
        cutouts.cut(canvas(), cutouts.draw(generator), generator)
        for generator in (torch.Generator().manual_seed(seed) for seed in (1, 1, 2))
    )
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_the_share_of_wide_cutouts_is_the_one_that_is_set() -> None:
    for share in (0.0, 0.3, 1.0):
        ways = Cutouts(2000, 32, wide=share, augment=False).draw(torch.Generator().manual_seed(0))
        assert abs(float((ways[1:, 0, 0] >= 0.9).float().mean()) - share) < 0.04


@pytest.mark.parametrize("count", [1, 3, 4])
def test_cutouts_together_are_those_of_each_alone(count: int) -> None:
    cutouts = Cutouts(count, 24, augment=False)
    ways = replace(cutouts, augment=True).draw(torch.Generator().manual_seed(3))
    together, alone = (torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0)) for _ in range(2))
    together.requires_grad_(), alone.requires_grad_()
    weights = torch.rand(count, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    squares = cutouts.cut(together, ways, torch.Generator())
    (squares * weights).sum().backward()  # type: ignore[no-untyped-call]
    line = (torch.arange(24) + 0.5) / 12 - 1
    points = torch.stack([*torch.meshgrid(line, line, indexing="xy"), torch.ones(24, 24)], -1)
    for way, square, weight in zip(ways, squares, weights, strict=True):
        moved = points @ way.T
        grid = (moved[..., :2] / moved[..., 2:].clamp_min(0.2))[None]
        wanted = torch.nn.functional.grid_sample(alone, grid, padding_mode="reflection", align_corners=False)[0]
        assert torch.allclose(square, wanted, atol=1e-5)
        (wanted * weight).sum().backward()  # type: ignore[no-untyped-call]
    assert together.grad is not None
    assert alone.grad is not None
    assert torch.allclose(together.grad, alone.grad, atol=1e-4)


def test_noise_is_as_strong_as_it_is_drawn_and_another_one_on_each_cutout() -> None:
    still = torch.diag(torch.tensor([0.999, 1.0, 1.0])).expand(64, -1, -1)  # a change, so that it is tinted and noisy
    squares = Cutouts(64, 96).cut(torch.full((1, 3, 96, 96), 0.5), still, torch.Generator().manual_seed(0))
    noise = squares - squares.mean(dim=(2, 3), keepdim=True)
    strengths = noise.std(dim=(1, 2, 3))
    assert 0 < strengths.min() < 0.01
    assert strengths.max() == pytest.approx(0.06, abs=0.006)
    assert strengths.mean() == pytest.approx(0.03, abs=0.006)
    directions = torch.nn.functional.normalize(noise[:8].flatten(1), dim=1)
    assert (directions @ directions.T - torch.eye(8)).abs().max() < 0.1
