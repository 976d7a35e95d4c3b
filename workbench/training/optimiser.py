"""AdamW as CLIP uses it, and its learning rate: linear warm-up, then cosine decay; moving averages of weights.

Sources:
    Loshchilov & Hutter 2019, arXiv:1711.05101 (decoupled weight decay) and 2017, arXiv:1608.03983 (cosine).
    Radford et al. 2021, arXiv:2103.00020, section 2.5 (no decay on gains and biases) and table 20 (betas, epsilon).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

BETAS = (0.9, 0.98)
EPSILON = 1e-6


def adamw(
    parameters: Iterable[tuple[str, nn.Parameter]],
    *,
    decay: float,
    betas: tuple[float, float] = BETAS,
    epsilon: float = EPSILON,
) -> torch.optim.AdamW:
    """Return AdamW in two groups: what has fewer than two dimensions (gains, biases, scale) does not decay.

    The rate is zero until `set_rate`.
    """
    learning = [one for _, one in parameters if one.requires_grad]
    groups = [
        {"params": [one for one in learning if one.ndim >= 2], "weight_decay": decay},
        {"params": [one for one in learning if one.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=0.0, betas=betas, eps=epsilon)


def rate_at(step: int, steps: int, *, peak: float, warmup: int) -> float:
    """Return the learning rate of a step.

    Args:
        step: 0 for the first one.
        steps: in all.
        peak: the highest rate, reached in step `warmup - 1`.
        warmup: steps on the way up; 0 for none.

    Returns:
        peak x (step + 1) / warmup on the way up; then peak x (1 + cos(pi x t)) / 2, with t from 0 to just under 1.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))) / 2


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give all groups this learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


@torch.no_grad()
def follow(average: nn.Module, learning: nn.Module, keep: float) -> None:
    """Move an average's weights a little towards those that learn; `keep` of it, 0..1, stays."""
    pairs = [
        (own, new) for own, new in zip(average.parameters(), learning.parameters(), strict=True) if new.requires_grad
    ]
    torch._foreach_lerp_([own for own, _ in pairs], [new.detach() for _, new in pairs], 1 - keep)


def restore(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load Adam's state in the order in memory that the weights have: its fused step walks memory."""
    optimiser.load_state_dict(state)
    for part, kept in optimiser.state.items():
        for name in ("exp_avg", "exp_avg_sq"):
            kept[name] = torch.empty_like(part).copy_(kept[name])
