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
