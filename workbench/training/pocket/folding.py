"""An image tower that trains several times faster on a CPU, and the way back to the tower as it was.

Frozen batch normalisation is folded into the convolution before it. Depthwise convolutions get their own gradient:
oneDNN's bfloat16 weight gradient of a 5 x 5 depthwise filter takes longer than all the rest of a step, so it is taken
in float32 over every fourth picture, times four (unbiased). The gradient towards the picture is
a forward convolution, which is fast too. Knows only timm's EfficientNet-Lite.

Source:
    Jacob et al. 2018, arXiv:1712.05877, section 3.2 (folding).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

EVERY = 4  # pictures a weight gradient skips to
CEILING = 6.0  # where EfficientNet-Lite's rectifier ends
LAST = "conv_head"  # its map is asked for below zero too, and so it is rectified apart, and not in place
_LARGE = 5  # from this kernel size on
_FEW = 8192  # pixels of all maps together, up to which a matrix product is faster


def folded(net: nn.Module) -> Any:
    """A copy whose convolutions carry a bias and whose normalisation is gone; its outputs stay."""
    copied: Any = copy.deepcopy(net)
    for owner, conv_name, norm_name in _pairs(copied):
        conv, norm = getattr(owner, conv_name), getattr(owner, norm_name)
        factor = _factor(norm)
        weight = conv.weight.detach() * factor[:, None, None, None]
        bias = norm.bias.detach() - norm.running_mean * factor
        apart = owner is copied and conv_name == LAST
        active = isinstance(norm.act, nn.ReLU6) and not apart
        setattr(owner, conv_name, _Folded(conv, weight, bias, active=active))
        setattr(owner, norm_name, nn.ReLU6() if apart else nn.Identity())
    return copied


def unfolded(state: dict[str, Tensor], original: nn.Module) -> dict[str, Tensor]:
    """Weights of `original`'s form that give what the folded tower gives.

    Args:
        state: the folded tower's `state_dict`.
        original: the tower that was folded; its running means and variances are kept.
    """
    own = {key: value.clone() for key, value in original.state_dict().items()}
    names = {id(part): name for name, part in original.named_modules()}
    for owner, conv_name, norm_name in _pairs(original):
        prefix = names[id(owner)] + "." if names[id(owner)] else ""
        norm = getattr(owner, norm_name)
        factor = _factor(norm)
        own[f"{prefix}{conv_name}.weight"] = state[f"{prefix}{conv_name}.weight"] / factor[:, None, None, None]
        own[f"{prefix}{norm_name}.bias"] = state[f"{prefix}{conv_name}.bias"] + norm.running_mean * factor
    return own


def _pairs(net: Any) -> Iterator[tuple[Any, str, str]]:
    """Each convolution with the normalisation behind it."""
    yield net, "conv_stem", "bn1"
    yield net, LAST, "bn2"
    for stage in net.blocks:
        for block in stage:
            wide = hasattr(block, "conv_pwl")
            for place, name in enumerate(("conv_pw", "conv_dw", "conv_pwl") if wide else ("conv_dw", "conv_pw")):
                yield block, name, f"bn{place + 1}"


def _factor(norm: Any) -> Tensor:
    factor: Tensor = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
    return factor


class _Folded(nn.Module):
    """A convolution with bias that pads as its original does, and rectifies where the normalisation behind it did.

    Folding changes how large weights are by up to twenty times, and Adam's steps know no size: `rate` says how much
    larger or smaller a step on the folded weights must be to be the same step.
    """

    def __init__(self, conv: Any, weight: Tensor, bias: Tensor, *, active: bool) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.rate = float(weight.abs().mean() / conv.weight.detach().abs().mean())
        self.kernel, self.stride, self.groups, self.active = conv.kernel_size[0], conv.stride[0], conv.groups, active

    def forward(self, maps: Tensor) -> Tensor:
        if torch.is_autocast_enabled("cpu"):
            maps = maps.to(torch.bfloat16)
        form = Form(self.stride, *_padding(maps.shape[-1], self.kernel, self.stride), self.groups, self.active)
        out: Tensor = _Convolved.apply(maps, self.weight, self.bias, form)  # type: ignore[no-untyped-call]
        return out


def _padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's `SAME`: as much as the output needs, the odd pixel at the end."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class Form(NamedTuple):
    """What a convolution is besides its weights; `before` and `after` are pixels of padding."""

    stride: int
    before: int
    after: int
    groups: int
    active: bool  # whether it is rectified


def convolved(maps: Tensor, weight: Tensor, bias: Tensor, form: Form) -> Tensor:
    """Convolve and rectify, all in the type of the maps.

    In bfloat16 on a CPU it is one pass, since maps are as slow to read again as to make. Uneven padding is zeros in the
    kernel, which are cheaper than a padded copy of the maps.
    """
    if form.before != form.after:
        weight = functional.pad(weight, (form.after - form.before, 0) * 2)
    sides = [form.stride] * 2, [form.after] * 2
    if maps.dtype == torch.bfloat16 and maps.device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        then = ("hardtanh", [0.0, CEILING]) if form.active else ("none", [])
        done: Tensor = torch.ops.mkldnn._convolution_pointwise(
            maps, weight, bias, sides[1], sides[0], [1, 1], form.groups, *then, ""
        )
        return done
    out = functional.conv2d(maps, weight, bias, *sides, 1, form.groups)
    return out.clamp_(0, CEILING) if form.active else out


class _Convolved(torch.autograd.Function):
    """`convolved` with its gradients; those of slow depthwise weights are an estimate."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        maps, weight, bias, form = given
        kernel = weight.to(maps.dtype)
        out = convolved(maps, kernel, bias.to(maps.dtype), form)
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
        if form.groups > 1 and (kernel >= _LARGE or form.stride > 1) and maps.device.type == "cpu":
            inner = _spread(grad, weight, maps.shape[-1], form) if ctx.needs_input_grad[0] else None
            outer, shift = _estimated(grad, maps, weight, form), grad.float().sum((0, 2, 3))
        elif kernel == 1 and form.groups == 1 and form.stride == 1 and grad[:, 0].numel() <= _FEW:
            inner, outer, shift = _multiplied(grad, maps, weight)
        else:
            inner, outer, shift = _backward(grad, maps, weight, form, list(ctx.needs_input_grad[:3]))
        return inner, outer.to(ctx.dtype), shift.to(ctx.dtype), None


def _backward(grad: Tensor, maps: Tensor, weight: Tensor, form: Form, wanted: list[bool]) -> Any:
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


def _estimated(grad: Tensor, maps: Tensor, weight: Tensor, form: Form) -> Tensor:
    """A depthwise weight's gradient from every fourth picture, in float32."""
    some = grad[::EVERY].float(), maps[::EVERY].float(), weight.float()
    outer: Tensor = _backward(*some, form, [False, True, False])[1]
    return outer * (len(grad) / len(some[0]))


def _spread(grad: Tensor, weight: Tensor, side: int, form: Form) -> Tensor:
    """The gradient towards the maps of a depthwise convolution, itself a convolution; zeros stand for skipped rows."""
    channels, wide, margin = grad.shape[1], grad, weight.shape[-1] - 1
    if form.stride > 1:
        sides = [(count - 1) * form.stride + 1 for count in grad.shape[2:]]
        wide = torch.zeros_like(grad[:, :, :1, :1]).expand(-1, -1, *sides)
        wide = wide.contiguous(memory_format=torch.channels_last)
        wide[:, :, :: form.stride, :: form.stride] = grad
    even = form.before == form.after
    found = functional.conv2d(wide, weight.flip(2, 3), None, 1, margin - form.before * even, 1, channels)
    return found if even else found[..., form.before : form.before + side, form.before : form.before + side]
