"""A canvas of pixels: coarse squares of colour, each on its own, or mixed from a palette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import BadInput
from workbench.generation.canvases.kinds import CanvasKind

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.generation.settings import Settings

PALETTES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "free": (),
    "poster": ((0.91, 0.26, 0.21), (1.0, 0.76, 0.03), (0.13, 0.35, 0.67), (0.10, 0.54, 0.27), (1, 1, 1), (0, 0, 0)),
    "grey": ((0, 0, 0), (0.33, 0.33, 0.33), (0.67, 0.67, 0.67), (1, 1, 1)),
}
_SHARPNESS = 4.0  # of the choice among the palette's colours


@dataclass(frozen=True)
class Pixels:
    """A grid of `cells` x `cells` squares, enlarged to `side` pixels.

    With a palette, each square mixes its colours by a softmax, which sharpens to one of them.
    """

    side: int = 224  # pixels
    cells: int = 56  # squares in a row
    palette: tuple[tuple[float, float, float], ...] = ()  # red, green, blue in 0..1; empty for free colours
    rate: float = 0.1

    def __post_init__(self) -> None:
        if not 1 <= self.cells <= self.side:
            raise BadInput(f"A canvas of {self.side} pixels has 1 to {self.side} squares in a row; got {self.cells}.")

    def start(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draw values of `count` images, (count, 3 or colours of the palette, cells, cells)."""
        import torch

        shape = (count, len(self.palette) or 3, self.cells, self.cells)
        return [(0.3 * torch.randn(shape, generator=generator)).requires_grad_()]

    def start_from(self, pixels: Tensor) -> list[Tensor]:
        """Find the values of images (n, 3, side, side) in 0..1.

        Raises:
            BadInput: with a palette.
        """
        import torch

        if self.palette:
            raise BadInput("A canvas with a palette cannot begin with an image; choose free colours.")
        small = torch.nn.functional.interpolate(pixels.cpu().float(), size=(self.cells, self.cells), mode="area")
        return [torch.logit(small, eps=0.02).requires_grad_()]

    def pixels(self, parameters: Sequence[Tensor]) -> Tensor:
        """(count, 3 or colours, cells, cells) -> (count, 3, side, side) in 0..1."""
        import torch

        (values,) = parameters
        if self.palette:
            shares = torch.softmax(_SHARPNESS * values, dim=1)
            colours = torch.einsum("nkhw,kc->nchw", shares, torch.tensor(self.palette).to(values))
        else:
            colours = torch.sigmoid(values)
        return torch.nn.functional.interpolate(colours, size=(self.side, self.side), mode="nearest")


def make(settings: Settings, *, held: bool, whole: bool) -> Pixels:
    """Return the canvas that settings describe."""
    return Pixels(settings.side, min(settings.cells, settings.side), PALETTES[settings.palette])


PIXELS = CanvasKind("pixels", "Pixels: coarse squares", f"{__name__}:make", editable=True)
