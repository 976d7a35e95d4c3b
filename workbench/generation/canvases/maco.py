"""A canvas whose frequencies are as strong as those of photos: only their phases can change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.generation.canvases.kinds import CanvasKind
from workbench.generation.canvases.photos import colour_basis, spectrum

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.generation.settings import Settings


@dataclass(frozen=True)
class Maco:
    """Magnitudes averaged over photos, phases free.

    Source:
        Fel et al. 2023, arXiv:2306.06805 (MACO), section 3.
    """

    side: int = 224  # pixels
    contrast: float = 1.0  # standard deviation before the sigmoid
    rate: float = 1.0  # for NAdam or Adam: phases are angles

    def start(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draw phases of `count` images, (count, 3, side, side // 2 + 1), in radians."""
        import torch

        phases = torch.rand((count, 3, self.side, self.side // 2 + 1), generator=generator)
        return [(2 * torch.pi * (phases - 0.5)).requires_grad_()]

    def pixels(self, parameters: Sequence[Tensor]) -> Tensor:
        """(count, 3, side, side // 2 + 1) radians -> (count, 3, side, side) in 0..1."""
        import torch

        (phases,) = parameters
        magnitudes = spectrum(self.side, self.side).to(phases)
        axes = torch.fft.irfft2(torch.polar(magnitudes.expand_as(phases), phases), s=(self.side, self.side))
        axes = axes - axes.mean(dim=(2, 3), keepdim=True)
        axes = axes * (self.contrast / axes.std(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6))
        basis = 2.0 * colour_basis().to(axes)
        return torch.sigmoid((basis @ axes.flatten(2)).reshape(axes.shape))


def make(settings: Settings, *, held: bool, whole: bool) -> Maco:
    """Return the canvas that settings describe."""
    return Maco(settings.side)


MACO = CanvasKind("maco", "MACO: a photo's frequencies, free phases", f"{__name__}:make", for_units=f"{__name__}:Maco")
