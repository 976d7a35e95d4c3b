"""Cutouts against torchvision's own crops and warps, and against the rules that they keep."""

from __future__ import annotations

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
