"""A canvas of frequencies: strong low ones and weak high ones, on colour axes that vary independently."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.generation.canvases.kinds import CanvasKind
from workbench.generation.canvases.photos import colour_basis

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.generation.settings import Settings


@dataclass(frozen=True)
class Fourier:
    """Real frequencies, weighted by 1 / frequency to the power of `decay`.

    Source:
        Olah, Mordvintsev and Schubert 2017, doi:10.23915/distill.00007, "Preconditioning and parameterization".
    """

    side: int = 224  # pixels
    decay: float = 1.0  # of the weights with the frequency; higher is smoother
    contrast: float = 1.0  # standard deviation before the sigmoid, held in each step; 0 lets it go
    saturation: float = 1.0  # of the colour axes beside brightness
    rate: float = 0.05

    def start(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draw the frequencies of `count` images, (count, 3, side, side // 2 + 1, 2)."""
        import torch

        shape = (count, 3, self.side, self.side // 2 + 1, 2)
        return [(0.01 * torch.randn(shape, generator=generator)).requires_grad_()]

    def start_from(self, pixels: Tensor) -> list[Tensor]:
        """Find the frequencies of images (n, 3, side, side) in 0..1, for a canvas with `contrast=0`."""
        import torch

        axes = self._basis().inverse() @ torch.logit(pixels.cpu().float(), eps=0.02).flatten(2)
        weights = frequency_weights(self.side, self.decay)
        waves = torch.fft.rfft2(axes.reshape(pixels.shape), norm="ortho") / weights
        return [torch.view_as_real(waves).contiguous().requires_grad_()]

    def pixels(self, parameters: Sequence[Tensor]) -> Tensor:
        """(count, 3, side, side // 2 + 1, 2) -> (count, 3, side, side) in 0..1."""
        import torch

        (waves,) = parameters
        weighted = torch.view_as_complex(waves) * frequency_weights(self.side, self.decay).to(waves.device)
        axes = torch.fft.irfft2(weighted, s=(self.side, self.side), norm="ortho")
        if self.contrast:
            axes = axes * (self.contrast / axes.std(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6))
        return torch.sigmoid((self._basis().to(axes) @ axes.flatten(2)).reshape(axes.shape))

    def _basis(self) -> Tensor:
        basis = colour_basis().clone()
        basis[:, 1:] *= self.saturation
        return 2.0 * basis


@functools.lru_cache(maxsize=8)
def frequency_weights(side: int, decay: float) -> Tensor:
    """Weights that fall with the frequency to the power of `decay`, (side, side // 2 + 1); `side` at the lowest."""
    import torch

    with torch.inference_mode(False):  # kept for those who need gradients, too
        down, across = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None]
        lowest = 1.0 / side
        weights: Tensor = side * (lowest / (down**2 + across**2).sqrt().clamp_min(lowest)) ** decay
    return weights


def make(settings: Settings, *, held: bool, whole: bool) -> Fourier:
    """Return the canvas that settings describe; one that begins with an image does not hold its contrast."""
    return Fourier(settings.side, settings.decay, contrast=1.0 if held else 0.0, saturation=settings.saturation)


def for_units(side: int) -> Fourier:
    """Return a canvas that is smoother and paler than the default, for feature visualisation."""
    return Fourier(side, 1.3, contrast=0.8)


FOURIER = CanvasKind(
    "fourier",
    "Fourier: painted from frequencies",
    f"{__name__}:make",
    editable=True,
    for_units=f"{__name__}:for_units",
)
