"""The prior's decoder as a model of diffusers: shares of principal components become an image."""

# mypy: ignore-errors
from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn


class PriorDecoder(ModelMixin, ConfigMixin):
    """A linear map; it holds the vectors of the drawing styles as well."""

    @register_to_config
    def __init__(self, components: int = 384, side: int = 64, dim: int = 384, styles: tuple[str, ...] = ()) -> None:
        super().__init__()
        pixels = 3 * side * side
        self.mean, self.scales = nn.Parameter(torch.zeros(pixels)), nn.Parameter(torch.zeros(components))
        self.vectors = nn.Parameter(torch.zeros(components, pixels))
        self.style_vectors = nn.Parameter(torch.zeros(len(styles), dim))

    def forward(self, sample: torch.Tensor) -> torch.Tensor:
        """(n, components) -> (n, 3, side, side) in 0..1."""
        flat = (sample * self.scales) @ self.vectors + self.mean
        images: torch.Tensor = flat.reshape(-1, 3, self.config.side, self.config.side).clamp(0, 1)
        return images
