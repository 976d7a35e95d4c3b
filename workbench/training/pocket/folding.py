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
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

EVERY = 4  # pictures a weight gradient skips to
CEILING = 6.0  # where EfficientNet-Lite's rectifier ends
LAST = "conv_head"  # its map is asked for below zero too, and so it is rectified apart, and not in place
_LARGE = 5  # from this kernel size on


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
        before, after = _padding(maps.shape[-1], self.kernel, self.stride)
        if before != after:
            maps, before = functional.pad(maps, (before, after, before, after)), 0
        given: tuple[Tensor, ...] = (maps, self.weight, self.bias)
        if torch.is_autocast_enabled("cpu"):
            given = tuple(part.to(torch.bfloat16) for part in given)
        out: Tensor = _Convolved.apply(*given, self.stride, before, self.groups, self.active)  # type: ignore[no-untyped-call]
        return out


def _padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's `SAME`: as much as the output needs, the odd pixel at the end."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def _convolved(
    maps: Tensor, weight: Tensor, bias: Tensor, *, stride: int, padding: int, groups: int, active: bool
) -> Tensor:
    """Convolve and rectify; in bfloat16 on a CPU in one pass, since maps are as slow to read again as to make."""
    if maps.dtype == torch.bfloat16 and maps.device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        form = ("hardtanh", [0.0, CEILING]) if active else ("none", [])
        sides = [padding] * 2, [stride] * 2, [1, 1], groups
        done: Tensor = torch.ops.mkldnn._convolution_pointwise(maps, weight, bias, *sides, *form, "")
        return done
    out = functional.conv2d(maps, weight, bias, stride, padding, 1, groups)
    return out.clamp_(0, CEILING) if active else out


class _Convolved(torch.autograd.Function):
    """A convolution and its rectifier; the weight gradient of slow depthwise ones is an estimate."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        maps, weight, bias, stride, padding, groups, active = given
        out = _convolved(maps, weight, bias, stride=stride, padding=padding, groups=groups, active=active)
        ctx.save_for_backward(maps, weight, out if active else None)
        ctx.stride, ctx.padding, ctx.groups = stride, padding, groups
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        maps, weight, out = ctx.saved_tensors
        grad = grads[0].contiguous(memory_format=torch.channels_last)
        if out is not None:
            grad = torch.ops.aten.hardtanh_backward(grad, out, 0.0, CEILING)
        form = ([weight.shape[0]], [ctx.stride] * 2, [ctx.padding] * 2, [1, 1], False, [0, 0], ctx.groups)
        slow = ctx.groups > 1 and (weight.shape[-1] >= _LARGE or ctx.stride > 1) and maps.device.type == "cpu"
        if not slow:
            wanted = list(ctx.needs_input_grad[:3])
            return (*torch.ops.aten.convolution_backward(grad, maps, weight, *form, wanted), None, None, None, None)
        inner = _spread(grad, weight, ctx.stride, ctx.padding) if ctx.needs_input_grad[0] else None
        some = grad[::EVERY].float(), maps[::EVERY].float(), weight.float()
        outer = torch.ops.aten.convolution_backward(*some, None, *form[1:], [False, True, False])[1]
        outer = (outer * (len(grad) / len(some[0]))).to(weight.dtype)
        return inner, outer, grad.float().sum((0, 2, 3)).to(weight.dtype), None, None, None, None


def _spread(grad: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """The gradient towards the maps of a depthwise convolution, itself a convolution; zeros stand for skipped rows."""
    channels, wide = grad.shape[1], grad
    if stride > 1:
        sides = [(side - 1) * stride + 1 for side in grad.shape[2:]]
        wide = torch.zeros_like(grad[:, :, :1, :1]).expand(-1, -1, *sides)
        wide = wide.contiguous(memory_format=torch.channels_last)
        wide[:, :, ::stride, ::stride] = grad
    return functional.conv2d(wide, weight.flip(2, 3), None, 1, weight.shape[-1] - 1 - padding, 1, channels)
