"""A convolution and its rectifier in one pass, with gradients that are quick on a CPU.

oneDNN's bfloat16 weight gradient of a 5 x 5 depthwise filter takes longer than all the rest of a step, so it is taken
in float32 over every fourth picture, times four (unbiased). A depthwise gradient towards the maps is a forward
convolution, and that of a 1 x 1 filter over small maps a matrix product.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

EVERY = 4  # pictures that the estimate skips to
CEILING = 6.0  # where EfficientNet-Lite's rectifier ends
LARGE = 5  # from this kernel size on a depthwise weight's gradient is slow
FEW = 8192  # pixels of all maps together, up to which a matrix product is faster


class Form(NamedTuple):
    """What a convolution is besides its weights; `before` and `after` are pixels of padding."""

    stride: int
    before: int
    after: int
    groups: int
    active: bool  # whether it is rectified


@functools.lru_cache
def _quick() -> bool:
    """Whether this build and this processor have the one pass."""
    here: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return here and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def convolve(maps: Tensor, weight: Tensor, bias: Tensor, *, form: Form) -> Tensor:
    """Convolve and rectify with gradients, all in the type of the maps.

    Args:
        maps: (n, channels, side, side), channels last.
        weight: (wide, channels / groups, kernel, kernel), of any floating type.
        bias: (wide,).
        form: the rest of it.
    """
    out: Tensor = _Convolved.apply(maps, weight, bias, form)  # type: ignore[no-untyped-call]
    return out


def convolved(maps: Tensor, weight: Tensor, bias: Tensor, *, form: Form) -> Tensor:
    """The pass alone; all are of one type.

    In bfloat16 on a CPU it is one pass, since maps are as slow to read again as to make. Uneven padding is zeros in the
    kernel, which are cheaper than a padded copy of the maps.
    """
    if form.before != form.after:
        weight = functional.pad(weight, (form.after - form.before, 0) * 2)
    stride, padding = [form.stride] * 2, [form.after] * 2
    if maps.dtype == torch.bfloat16 and maps.device.type == "cpu" and _quick():
        then = ("hardtanh", [0.0, CEILING]) if form.active else ("none", [])
        done: Tensor = torch.ops.mkldnn._convolution_pointwise(
            maps, weight, bias, padding, stride, [1, 1], form.groups, *then, ""
        )
        return done
    out = functional.conv2d(maps, weight, bias, stride, padding, 1, form.groups)
    return out.clamp_(0, CEILING) if form.active else out


class _Convolved(torch.autograd.Function):
    """`convolved` with its gradients; those of slow depthwise weights are an estimate."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        maps, weight, bias, form = given
        kernel = weight.to(maps.dtype)
        out = convolved(maps, kernel, bias.to(maps.dtype), form=form)
        ctx.save_for_backward(maps, kernel, out if form.active else None)
        ctx.form, ctx.dtype = form, weight.dtype
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        maps, weight, out = ctx.saved_tensors
        form: Form = ctx.form
        grad = grads[0].contiguous(memory_format=torch.channels_last)
        if out is not None:
            grad = torch.ops.aten.hardtanh_backward(grad, out, 0.0, CEILING)
        kernel, inner = weight.shape[-1], None
        if form.groups > 1 and (kernel >= LARGE or form.stride > 1) and maps.device.type == "cpu":
            inner = _spread(grad, weight, side=maps.shape[-1], form=form) if ctx.needs_input_grad[0] else None
            outer, shift = _estimated(grad, maps, weight, form=form), grad.float().sum((0, 2, 3))
        elif kernel == 1 and form.groups == 1 and form.stride == 1 and grad[:, 0].numel() <= FEW:
            inner, outer, shift = _multiplied(grad, maps, weight)
        else:
            inner, outer, shift = _backward(grad, maps, weight, form=form, wanted=list(ctx.needs_input_grad[:3]))
        return inner, outer.to(ctx.dtype), shift.to(ctx.dtype), None


def _backward(grad: Tensor, maps: Tensor, weight: Tensor, *, form: Form, wanted: list[bool]) -> Any:
    """The library's gradients towards maps, weight and bias."""
    padding, side = form.before, maps.shape[-1]
    if form.before != form.after:
        maps, padding = functional.pad(maps, (form.before, form.after) * 2), 0
    how = ([len(weight)], [form.stride] * 2, [padding] * 2, [1, 1], False, [0, 0], form.groups)
    inner, outer, shift = torch.ops.aten.convolution_backward(grad, maps, weight, *how, wanted)
    if inner is not None and form.before != form.after:
        inner = inner[..., form.before : form.before + side, form.before : form.before + side]
    return inner, outer, shift


def _multiplied(grad: Tensor, maps: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same of a convolution that is a matrix: small maps are multiplied faster than they are convolved."""
    (many, wide, *sides), thin = grad.shape, maps.shape[1]
    rows, seen = (part.permute(0, 2, 3, 1).reshape(-1, part.shape[1]) for part in (grad, maps))
    inner = (rows @ weight.view(wide, thin)).view(many, *sides, thin).permute(0, 3, 1, 2)
    return inner, (rows.T @ seen).view_as(weight), rows.sum(0)


def _estimated(grad: Tensor, maps: Tensor, weight: Tensor, *, form: Form) -> Tensor:
    """A depthwise weight's gradient from every fourth picture, in float32."""
    some = grad[::EVERY].float(), maps[::EVERY].float(), weight.float()
    outer: Tensor = _backward(*some, form=form, wanted=[False, True, False])[1]
    return outer * (len(grad) / len(some[0]))


def _spread(grad: Tensor, weight: Tensor, *, side: int, form: Form) -> Tensor:
    """The gradient towards the maps of a depthwise convolution, itself a convolution; zeros stand for skipped rows."""
    channels, wide, margin = grad.shape[1], grad, weight.shape[-1] - 1
    if form.stride > 1:
        sides = [(count - 1) * form.stride + 1 for count in grad.shape[2:]]
        wide = torch.zeros_like(grad[:, :, :1, :1]).expand(-1, -1, *sides)
        wide = wide.contiguous(memory_format=torch.channels_last)
        wide[:, :, :: form.stride, :: form.stride] = grad
    even = form.before == form.after
    gradient = functional.conv2d(wide, weight.flip(2, 3), None, 1, margin - form.before * even, 1, channels)
    return gradient if even else gradient[..., form.before : form.before + side, form.before : form.before + side]
