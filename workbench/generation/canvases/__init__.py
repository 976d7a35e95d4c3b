"""Canvases: maps from parameters to pixels, so that a gradient can lead to an image that looks like one.

    canvas = Fourier(side=224)
    parameters = canvas.start(1, torch.Generator().manual_seed(0))  # tensors with gradient
    optimiser = torch.optim.Adam(parameters, lr=canvas.rate)
    pixels = canvas.pixels(parameters)  # (1, 3, 224, 224) in 0..1

Does not know about models: objectives look at the pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from workbench.errors import Unsupported
from workbench.generation.canvases.fourier import Fourier
from workbench.generation.canvases.kinds import CANVASES
from workbench.generation.canvases.latents import Latents
from workbench.generation.canvases.maco import Maco
from workbench.generation.canvases.plain import Pixels
from workbench.generation.canvases.siren import Siren
from workbench.generation.canvases.strokes import Strokes
from workbench.generation.canvases.stylegan2 import StyleGan2, Styles
from workbench.plugins import resolve

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.generation.diffusion.checkpoint import Checkpoint
    from workbench.generation.settings import Settings

__all__ = ["Canvas", "Fourier", "Latents", "Maco", "Pixels", "Siren", "Strokes", "StyleGan2", "Styles", "make_canvas"]


class Canvas(Protocol):
    """A map from parameters to pixels; frozen, so that its settings can be written beside the image."""

    @property
    def rate(self) -> float:
        """A learning rate for Adam that suits the parameters."""

    def start(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draw parameters of `count` images on the CPU, with gradient; the same seed gives the same ones."""

    def pixels(self, parameters: Sequence[Tensor]) -> Tensor:
        """Parameters, on any device -> (count, 3, height, width) in 0..1, with gradient."""


def make_canvas(
    settings: Settings, *, held: bool = True, whole: bool = False, model: Checkpoint | StyleGan2 | None = None
) -> Canvas:
    """The canvas that settings describe.

    Args:
        settings: of the image.
        held: whether a Fourier canvas keeps its contrast; one that begins with a picture must not.
        whole: at full size; while strokes are optimised, fewer pixels do.
        model: with the autoencoder of latents, or a StyleGAN2 generator.

    Raises:
        Unsupported: latents without an autoencoder.
    """
    if isinstance(model, StyleGan2):
        return Styles(model, settings.side)
    if settings.method == "latents":
        if model is None or model.autoencoder is None:
            raise Unsupported("Latents need a folder with an autoencoder of diffusers; see the setting checkpoint.")
        return Latents(model.autoencoder, settings.side)
    make = resolve(CANVASES.find(settings.method, "canvas").make)
    return cast(Canvas, make(settings, held=held, whole=whole))
