"""The prior's network as a model of diffusers: noisy components, a time step and a condition become a velocity."""

# mypy: ignore-errors
from __future__ import annotations

import math

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn
from torch.nn import functional


class PriorDenoiser(ModelMixin, ConfigMixin):
    """Residual layers under one modulation by time and condition, which each block shifts by its own share."""

    @register_to_config
    def __init__(
        self, dim: int = 384, components: int = 384, width: int = 640, blocks: int = 2, train_timesteps: int = 960
    ) -> None:
        super().__init__()
        self.enter = nn.Linear(components, width)
        self.condition, self.time = nn.Linear(dim, width), nn.Linear(64, width)
        self.modulate = nn.Linear(width, 2 * width)
        self.own = nn.Parameter(torch.zeros(blocks, 2 * width))
        self.wide = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.back = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.leave = nn.Linear(width, components)

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor | int, condition: torch.Tensor) -> torch.Tensor:
        """(n, components), a time step of the scheduler, (n, dim) -> (n, components)."""
        times = torch.as_tensor(timestep, device=sample.device).to(sample.dtype).expand(len(sample))
        times = (times + 1) / self.config.train_timesteps
        waves = times[:, None] * torch.exp(torch.linspace(0, math.log(200.0), 32, device=sample.device))
        known = self.condition(condition * math.sqrt(condition.shape[1]))
        known = functional.silu(known + self.time(torch.cat([waves.sin(), waves.cos()], dim=1)))
        shared, values = self.modulate(known), self.enter(sample) + known
        for own, wide, back in zip(self.own, self.wide, self.back, strict=True):
            shift, scale = (shared + own).chunk(2, dim=1)
            inner = functional.layer_norm(values, values.shape[1:]) * (1 + scale) + shift
            values = values + back(functional.silu(wide(inner)))
        velocity: torch.Tensor = self.leave(functional.layer_norm(values, values.shape[1:]))
        return velocity
