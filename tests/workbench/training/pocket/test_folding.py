"""The quick tower is the tower: same answers, same gradients, and the way back."""

from __future__ import annotations

import itertools

import pytest
import timm
import torch
from torch.nn import functional

from workbench.training.pocket import folding, towers

FORMS = [  # kernel, stride, groups: the slow ones first
    *((5, 1, 6), (5, 2, 6), (3, 2, 6)),
    *((3, 1, 6), (1, 1, 1), (3, 2, 1), (1, 1, 6)),
]
SIDES = (9, 10)  # where a stride of two is padded evenly, and unevenly


def tower() -> torch.nn.Module:
    torch.manual_seed(0)
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):  # as if trained
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.7, 1.5)
            part.weight.data.uniform_(0.7, 1.3)
            part.bias.data.uniform_(-0.1, 0.1)
    return net


def test_folding_changes_no_answer_and_unfolding_gives_the_weights_back() -> None:
    net = tower()
    quick = folding.folded(net)
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        want = towers.late(net, towers.early(net, pixels, 3), 3)
        got = towers.late(quick, towers.early(quick, pixels, 3), 3)
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)
    assert want.shape == (2, 1280)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in quick.modules())
    back = folding.unfolded(quick.state_dict(), net)
    for name, value in net.state_dict().items():
        torch.testing.assert_close(back[name], value, rtol=1e-4, atol=1e-5, msg=name)


def test_what_training_changed_survives_unfolding() -> None:
    net = tower()
    quick = folding.folded(net)
    with torch.no_grad():
        quick.blocks[5][1].conv_pw.weight.mul_(1.1)
        quick.blocks[5][1].conv_pw.bias.add_(0.05)
    other = tower()
    other.load_state_dict(folding.unfolded(quick.state_dict(), net))
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        want = towers.late(quick, towers.early(quick, pixels, 3), 3)
        got = towers.late(other, towers.early(other, pixels, 3), 3)
        before = towers.late(net, towers.early(net, pixels, 3), 3)
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)
    assert (got - before).abs().max() > 1e-3


def plainly(maps: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, form: folding.Form) -> torch.Tensor:
    padded = functional.pad(maps, (form.before, form.after) * 2)
    out = functional.conv2d(padded, weight, bias, form.stride, 0, 1, form.groups)
    return functional.relu6(out) if form.active else out


def gradients(kernel: int, form: folding.Form, *, side: int, own: bool) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    maps, bias = torch.randn(8, 6, side, side, requires_grad=True), torch.randn(6, requires_grad=True)
    weight = torch.randn(6, 6 // form.groups, kernel, kernel, requires_grad=True)
    out = folding._Convolved.apply(maps, weight, bias, form) if own else plainly(maps, weight, bias, form)
    return torch.autograd.grad((out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum(), (maps, weight, bias))


def test_the_quick_gradient_is_the_gradient(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(folding, "EVERY", 1)
    kinds = itertools.product(FORMS, SIDES, (True, False), (0, 10**6))
    for (kernel, stride, groups), side, active, few in kinds:
        monkeypatch.setattr(folding, "_FEW", few)
        form = folding.Form(stride, *folding._padding(side, kernel, stride), groups, active)
        own, other = (gradients(kernel, form, side=side, own=which) for which in (True, False))
        for got, want in zip(own, other, strict=True):
            assert got.shape == want.shape
            torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("active", [True, False])
def test_in_bfloat16_one_pass_gives_what_two_give(active: bool) -> None:
    torch.manual_seed(2)
    close = {"rtol": 1e-2, "atol": 2e-2}
    for (kernel, stride, groups), side in itertools.product(FORMS, SIDES):
        maps = (torch.randn(4, 6, side, side) * 4).bfloat16().contiguous(memory_format=torch.channels_last)
        form = folding.Form(stride, *folding._padding(side, kernel, stride), groups, active)
        weight, bias = torch.randn(6, 6 // groups, kernel, kernel).bfloat16(), torch.randn(6).bfloat16()
        got = folding.convolved(maps, weight, bias, form)
        torch.testing.assert_close(got.float(), plainly(maps.float(), weight.float(), bias.float(), form), **close)
        assert got.dtype == torch.bfloat16
        assert got.is_contiguous(memory_format=torch.channels_last)


def test_the_last_map_keeps_what_it_holds_below_zero() -> None:
    quick = folding.folded(tower())
    both = towers.Towers(quick, torch.nn.Identity(), dim=4, frozen=3)
    for dtype in (torch.float32, torch.bfloat16):
        with torch.autocast("cpu", dtype, enabled=dtype is torch.bfloat16):
            last = both.last(both.early(torch.rand(2, 3, 64, 64) * 2 - 1), 3)
            before = last.detach().clone()
            both.averaged(last).sum().backward()
        assert before.min() < 0
        assert torch.equal(last, before)


def test_early_maps_are_the_same_however_many_pictures_there_are() -> None:
    quick = folding.folded(tower())
    pixels = torch.rand(2 * towers.AT_ONCE + 3, 3, 48, 48) * 2 - 1
    together = towers.early(quick, pixels, 3)
    with torch.no_grad():
        got = towers.early(quick, pixels, 3)
    assert got.shape == (len(pixels), 40, 6, 6)
    torch.testing.assert_close(got, together.detach())


def test_over_every_fourth_picture_the_weight_gradient_is_unbiased() -> None:
    maps, grad = torch.randn(8, 6, 9, 9), torch.randn(8, 6, 9, 9)
    total, form = torch.zeros(6, 1, 5, 5), folding.Form(1, 2, 2, 6, active=False)
    for shift in range(4):  # the four ways to begin: their mean is the whole gradient
        weight = torch.zeros(6, 1, 5, 5, requires_grad=True)
        out = folding._Convolved.apply(maps.roll(shift, 0), weight, torch.zeros(6), form)
        total += torch.autograd.grad(out, weight, grad.roll(shift, 0))[0] / 4
    weight = torch.zeros(6, 1, 5, 5, requires_grad=True)
    want = torch.autograd.grad(functional.conv2d(maps, weight, None, 1, 2, 1, 6), weight, grad)[0]
    torch.testing.assert_close(total, want, rtol=1e-4, atol=1e-3)


def test_the_rate_says_how_much_folding_changed_the_weights() -> None:
    net = tower()
    with torch.no_grad():
        net.blocks[4][1].bn1.weight.mul_(8)
    quick, before = folding.folded(net), folding.folded(tower())
    assert quick.blocks[4][1].conv_pw.rate == pytest.approx(8 * before.blocks[4][1].conv_pw.rate, rel=1e-4)
