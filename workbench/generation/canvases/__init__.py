"""Canvases: maps from parameters to pixels, so that a gradient can lead to an image that looks like one.

    canvas = Fourier(side=224)
    parameters = canvas.start(1, torch.Generator().manual_seed(0))  # tensors with gradient
    optimiser = torch.optim.Adam(parameters, lr=canvas.rate)
    pixels = canvas.pixels(parameters)  # (1, 3, 224, 224) in 0..1

Does not know about models: objectives look at the pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from workbench.generation.canvases.fourier import Fourier
from workbench.generation.canvases.latents import Latents
from workbench.generation.canvases.maco import Maco
from workbench.generation.canvases.plain import Pixels
from workbench.generation.canvases.siren import Siren
from workbench.generation.canvases.strokes import Strokes
from workbench.generation.canvases.stylegan2 import StyleGan2, Styles

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["Canvas", "Fourier", "Latents", "Maco", "Pixels", "Siren", "Strokes", "StyleGan2", "Styles"]


class Canvas(Protocol):
    """A map from parameters to pixels; frozen, so that its settings can be written beside the image."""

    @property
    def rate(self) -> float:
        """A learning rate for Adam that suits the parameters."""

    def start(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draw parameters of `count` images on the CPU, with gradient; the same seed gives the same ones."""

    def pixels(self, parameters: Sequence[Tensor]) -> Tensor:
        """Parameters, on any device -> (count, 3, height, width) in 0..1, with gradient."""
