"""Folds an image tower, which then trains several times faster on a CPU, and unfolds it again.

Frozen batch normalisation is folded into the convolution before it, and rectifying into the same pass; for
timm's EfficientNet-Lite.

Source:
    Jacob et al. 2018, arXiv:1712.05877, section 3.2 (folding).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from workbench.loading.compact import same_padding
from workbench.training.pocket.convolution import Form, convolve

LAST = "conv_head"  # its map is asked for below zero too, and so it is rectified apart, and not in place


def folded(net: nn.Module) -> Any:
    """A copy whose convolutions carry a bias and whose normalisation is gone; its outputs stay."""
    copied: Any = copy.deepcopy(net)
    for owner, conv_name, norm_name in _pairs(copied):
        conv, norm = getattr(owner, conv_name), getattr(owner, norm_name)
        factor = _factor(norm)
        weight = conv.weight.detach() * factor[:, None, None, None]
        bias = norm.bias.detach() - norm.running_mean * factor
        apart = conv_name == LAST
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


def groups(image: Any, rate: float, *, first: dict[str, float]) -> list[dict[str, Any]]:
    """An optimiser's groups: each convolution that learns, with the `base` rate that folding asks for.

    Args:
        image: folded.
        rate: of a step on the weights as they were before folding.
        first: stages that learn less, by how their names begin, and how much of the rate they have.
    """
    every: list[dict[str, Any]] = []
    for name, part in image.named_modules():
        if hasattr(part, "rate") and part.weight.requires_grad:
            base = rate * next((share for stage, share in first.items() if name.startswith(stage)), 1.0)
            every += [{"params": [part.weight], "base": base * part.rate}, {"params": [part.bias], "base": base}]
    return every


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
        if torch.is_autocast_enabled(maps.device.type):
            maps = maps.to(torch.bfloat16)
        form = Form(self.stride, *same_padding(maps.shape[-1], self.kernel, self.stride), self.groups, self.active)
        return convolve(maps, self.weight, self.bias, form=form)
