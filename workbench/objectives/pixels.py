"""Objectives of the pixels alone, to be subtracted: what an image should not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.objectives.algebra import Forward, Objective

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class TotalVariation(Objective):
    """How much neighbouring pixels differ: the mean absolute difference, down plus across.

    Source:
        Rudin, Osher and Fatemi 1992, doi:10.1016/0167-2789(92)90242-F; on images of networks: Mahendran and Vedaldi
        2015, arXiv:1412.0035, section 3.
    """

    def score(self, forward: Forward) -> Tensor:
        """0..2; 0 for an image of one colour."""
        pixels = forward.pixels.float()
        down = (pixels[:, :, 1:] - pixels[:, :, :-1]).abs().mean(dim=(1, 2, 3))
        across = (pixels[..., 1:] - pixels[..., :-1]).abs().mean(dim=(1, 2, 3))
        return down + across

    def __str__(self) -> str:
        return "total variation"


@dataclass(frozen=True)
class Asymmetry(Objective):
    """How much the left half differs from the right half in a mirror: the mean absolute difference."""

    def score(self, forward: Forward) -> Tensor:
        """0..1; 0 for an image that equals its mirror image."""
        pixels = forward.pixels.float()
        return (pixels - pixels.flip(-1)).abs().mean(dim=(1, 2, 3))

    def __str__(self) -> str:
        return "asymmetry"


@dataclass(frozen=True)
class OutsideRange(Objective):
    """How far pixels lie outside a range of values: the mean squared excess, against colours that burn out."""

    low: float = 0.05
    high: float = 0.95

    def score(self, forward: Forward) -> Tensor:
        """0 upwards; 0 where all pixels lie within the range."""
        pixels = forward.pixels.float()
        return (pixels - pixels.clamp(self.low, self.high)).square().mean(dim=(1, 2, 3))

    def __str__(self) -> str:
        return f"pixels outside {self.low:g} to {self.high:g}"


@dataclass(frozen=True, eq=False)
class Distance(Objective):
    """How far images are from a given one: the mean squared difference of pixels."""

    image: Tensor  # (3, height, width) in 0..1

    def score(self, forward: Forward) -> Tensor:
        """0..1; 0 for the image itself."""
        return (forward.pixels.float() - self.image.to(forward.pixels.device)).square().mean(dim=(1, 2, 3))

    def __str__(self) -> str:
        return "distance from the start image"
