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
_LARGE = 5  # from this kernel size on


def folded(net: nn.Module) -> Any:
    """A copy whose convolutions carry a bias and whose normalisation is gone; its outputs stay."""
    copied: Any = copy.deepcopy(net)
    for owner, conv_name, norm_name in _pairs(copied):
        conv, norm = getattr(owner, conv_name), getattr(owner, norm_name)
        factor = _factor(norm)
        weight = conv.weight.detach() * factor[:, None, None, None]
        bias = norm.bias.detach() - norm.running_mean * factor
        setattr(owner, conv_name, _Folded(conv, weight, bias))
        setattr(owner, norm_name, norm.act)
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
    yield net, "conv_head", "bn2"
    for stage in net.blocks:
        for block in stage:
            wide = hasattr(block, "conv_pwl")
            for place, name in enumerate(("conv_pw", "conv_dw", "conv_pwl") if wide else ("conv_dw", "conv_pw")):
                yield block, name, f"bn{place + 1}"


def _factor(norm: Any) -> Tensor:
    factor: Tensor = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
    return factor


class _Folded(nn.Module):
    """A convolution with bias that pads as its original does.

    Folding changes how large weights are by up to twenty times, and Adam's steps know no size: `rate` says how much
    larger or smaller a step on the folded weights must be to be the same step.
    """

    def __init__(self, conv: Any, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.rate = float(weight.abs().mean() / conv.weight.detach().abs().mean())
        self.kernel, self.stride, self.groups = conv.kernel_size[0], conv.stride[0], conv.groups

    def forward(self, maps: Tensor) -> Tensor:
        before, after = _padding(maps.shape[-1], self.kernel, self.stride)
        if before != after:
            maps, before = functional.pad(maps, (before, after, before, after)), 0
        weight: Tensor = self.weight
        bias: Tensor = self.bias
        if torch.is_autocast_enabled("cpu"):
            weight, bias, maps = (part.to(torch.bfloat16) for part in (weight, bias, maps))
        slow = self.kernel >= _LARGE or self.stride > 1
        if self.groups > 1 and slow and maps.device.type == "cpu":
            out: Tensor = _Depthwise.apply(maps, weight, bias, self.stride, before)  # type: ignore[no-untyped-call]
            return out
        return functional.conv2d(maps, weight, bias, self.stride, before, 1, self.groups)


def _padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's `SAME`: as much as the output needs, the odd pixel at the end."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class _Depthwise(torch.autograd.Function):
    """A depthwise convolution whose weight gradient is an estimate over every fourth picture."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        maps, weight, bias, stride, padding = given
        ctx.save_for_backward(maps, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(maps, weight, bias, stride, padding, 1, maps.shape[1])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor, Tensor, None, None]:
        (grad,) = grads
        maps, weight = ctx.saved_tensors
        grad, channels = grad.contiguous(memory_format=torch.channels_last), maps.shape[1]
        shape = ([ctx.stride] * 2, [ctx.padding] * 2, [1, 1], False, [0, 0], channels)
        back = torch.ops.aten.convolution_backward
        spread = grad
        if ctx.stride > 1:  # zeros between the rows: a strided gradient is a plain convolution of these
            high, wide = ((side - 1) * ctx.stride + 1 for side in grad.shape[2:])
            spread = torch.zeros_like(grad[:, :, :1, :1]).expand(-1, -1, high, wide)
            spread = spread.contiguous(memory_format=torch.channels_last)
            spread[:, :, :: ctx.stride, :: ctx.stride] = grad
        margin = weight.shape[-1] - 1 - ctx.padding
        inner = functional.conv2d(spread, weight.flip(2, 3), None, 1, margin, 1, channels)
        some = grad[::EVERY].float(), maps[::EVERY].float(), weight.float()
        outer = back(*some, None, *shape, [False, True, False])[1] * (len(grad) / len(some[0]))
        return inner, outer.to(weight.dtype), grad.float().sum((0, 2, 3)).to(weight.dtype), None, None
