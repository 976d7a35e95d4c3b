"""A canvas drawn by a small network of sines from coordinates to colours: smooth, and of any size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.generation.canvases.kinds import CanvasKind

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.generation.settings import Settings


@dataclass(frozen=True)
class Siren:
    """Sine layers over the coordinates.

    Source:
        Sitzmann et al. 2020, arXiv:2006.09661, sections 3 and 3.2 (how weights begin).
    """

    side: int = 224  # pixels
    width: int = 48
    layers: int = 3
    frequency: float = 24.0  # of the first layer
    rate: float = 0.004

    def start(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draw weights (count, in, out) and biases (count, 1, out), layer by layer."""
        import torch

        sizes = [2, *(self.width,) * self.layers, 3]
        parameters = []
        for layer, (wide, out) in enumerate(itertools.pairwise(sizes)):
            bound = 1 / wide if layer == 0 else math.sqrt(6 / wide)
            weights = bound * (2 * torch.rand((count, wide, out), generator=generator) - 1)
            biases = (2 * torch.rand((count, 1, out), generator=generator) - 1) / math.sqrt(wide)
            parameters += [weights.requires_grad_(), biases.requires_grad_()]
        return parameters

    def pixels(self, parameters: Sequence[Tensor]) -> Tensor:
        """Weights and biases -> (count, 3, side, side) in 0..1."""
        import torch

        line = ((torch.arange(self.side) + 0.5) / self.side * 2 - 1).to(parameters[0])
        down, across = torch.meshgrid(line, line, indexing="ij")
        values = torch.stack([across, down], -1).reshape(1, -1, 2)
        for layer in range(self.layers):
            values = values @ parameters[2 * layer] + parameters[2 * layer + 1]
            values = torch.sin(self.frequency * values if layer == 0 else values)
        colours = torch.sigmoid(values @ parameters[-2] + parameters[-1])
        return colours.transpose(1, 2).reshape(-1, 3, self.side, self.side)


def make(settings: Settings, *, held: bool, whole: bool) -> Siren:
    """Return the canvas that settings describe."""
    return Siren(settings.side)


SIREN = CanvasKind("siren", "SIREN: a network of sines", f"{__name__}:make")
