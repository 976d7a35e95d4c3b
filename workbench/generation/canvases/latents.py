"""A canvas in the latent space of an autoencoder of diffusers: AutoencoderTiny, AutoencoderKL or VQModel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput
from workbench.generation.diffusion.checkpoint import decode, encode, shrinking

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Latents:
    """Latents of (channels, side / shrinking, side / shrinking), decoded to pixels.

    Source:
        Crowson et al. 2022, arXiv:2204.08583 (VQGAN-CLIP), section 2.
    """

    autoencoder: nn.Module
    side: int = 224  # pixels
    rate: float = 0.1

    def __post_init__(self) -> None:
        step = shrinking(self.autoencoder)
        if self.side % step:
            raise BadInput(f"The autoencoder needs a side that {step} divides; got {self.side}.")

    def start(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draw standard noise for `count` images."""
        import torch

        config: Any = self.autoencoder.config
        cells = self.side // shrinking(self.autoencoder)
        return [torch.randn((count, config["latent_channels"], cells, cells), generator=generator).requires_grad_()]

    def start_from(self, pixels: Tensor) -> list[Tensor]:
        """Encode images (n, 3, side, side) in 0..1."""
        import torch

        with torch.no_grad():
            device = next(self.autoencoder.parameters()).device
            latents = encode(self.autoencoder, pixels.float().to(device) * 2 - 1)
        return [latents.requires_grad_()]

    def pixels(self, parameters: Sequence[Tensor]) -> Tensor:
        """(count, channels, cells, cells) -> (count, 3, side, side) in 0..1."""
        (latents,) = parameters
        return (decode(self.autoencoder, latents) / 2 + 0.5).clamp(0, 1)
