"""One pass and quick gradients give what the library's own give."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch.nn import functional

from workbench.training.pocket import convolution
from workbench.training.pocket.convolution import Form

FORMS = [  # kernel, stride, groups: the slow ones first
    *((5, 1, 6), (5, 2, 6), (3, 2, 6)),
    *((3, 1, 6), (1, 1, 1), (3, 2, 1), (1, 1, 6)),
]
SIDES = (9, 10)  # where a stride of two is padded evenly, and unevenly


def padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """As TensorFlow's `SAME` has it: the outputs cover every pixel, and the odd one of padding comes last."""
    total = max(((side + stride - 1) // stride - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def plainly(maps: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, form: Form) -> torch.Tensor:
    padded = functional.pad(maps, (form.before, form.after) * 2)
    out = functional.conv2d(padded, weight, bias, form.stride, 0, 1, form.groups)
    return functional.relu6(out) if form.active else out


def gradients(kernel: int, form: Form, *, side: int, own: bool) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    maps, bias = torch.randn(8, 6, side, side, requires_grad=True), torch.randn(6, requires_grad=True)
    weight = torch.randn(6, 6 // form.groups, kernel, kernel, requires_grad=True)
    out = convolution.convolve(maps, weight, bias, form=form) if own else plainly(maps, weight, bias, form)
    return torch.autograd.grad((out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum(), (maps, weight, bias))


def test_the_quick_gradient_is_the_gradient(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(convolution, "EVERY", 1)
    kinds = itertools.product(FORMS, SIDES, (True, False), (0, 10**6))
    for (kernel, stride, groups), side, active, few in kinds:
        monkeypatch.setattr(convolution, "FEW", few)
        form = Form(stride, *padding(side, kernel, stride), groups, active)
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
        form = Form(stride, *padding(side, kernel, stride), groups, active)
        weight, bias = torch.randn(6, 6 // groups, kernel, kernel).bfloat16(), torch.randn(6).bfloat16()
        got = convolution.convolved(maps, weight, bias, form=form)
        torch.testing.assert_close(got.float(), plainly(maps.float(), weight.float(), bias.float(), form), **close)
        assert got.dtype == torch.bfloat16
        assert got.is_contiguous(memory_format=torch.channels_last)


def test_over_every_fourth_picture_the_weight_gradient_is_unbiased() -> None:
    maps, grad = torch.randn(8, 6, 9, 9), torch.randn(8, 6, 9, 9)
    total, form = torch.zeros(6, 1, 5, 5), Form(1, 2, 2, 6, active=False)
    for shift in range(4):  # the four ways to begin: their mean is the whole gradient
        weight = torch.zeros(6, 1, 5, 5, requires_grad=True)
        out = convolution.convolve(maps.roll(shift, 0), weight, torch.zeros(6), form=form)
        total += torch.autograd.grad(out, weight, grad.roll(shift, 0))[0] / 4
    weight = torch.zeros(6, 1, 5, 5, requires_grad=True)
    want = torch.autograd.grad(functional.conv2d(maps, weight, None, 1, 2, 1, 6), weight, grad)[0]
    torch.testing.assert_close(total, want, rtol=1e-4, atol=1e-3)
