"""Cutouts: the canvas as a model sees it, once whole and many times in part, warped, tinted and noisy.

One grid of sampling points serves all cutouts of a pass, so that their number costs no Python loop.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_SMALLEST = 0.45  # side of a cutout, as a share of the canvas
_PERSPECTIVE, _TURN = 0.25, 0.35  # how far corners move, and radians
_COLOUR, _NOISE = 0.12, 0.06


@dataclass(frozen=True)
class Cutouts:
    """How many cutouts a step sees, and of which size.

    Source:
        The mix of wide and close cutouts follows aphantasia and pixray; perspective follows Frans et al. 2021,
        arXiv:2106.14843 (CLIPDraw), section 3.
    """

    count: int = 8
    size: int = 224  # pixels that the model gets
    wide: float = 0.8  # share of cutouts that show nearly the whole canvas, which keeps the composition
    augment: bool = True  # warps, colours and noise; without them only places and sizes vary

    def draw(self, generator: torch.Generator) -> Tensor:
        """Draw homographies from cutout to canvas, both in -1..1, (count, 3, 3); the first shows the whole canvas."""
        import torch

        def uniform(*shape: int) -> Tensor:
            return torch.rand(shape, generator=generator)

        count = self.count
        wide = uniform(count) < self.wide
        side = torch.where(wide, 0.9 + 0.25 * uniform(count), _SMALLEST + (0.9 - _SMALLEST) * uniform(count))
        room = (1 - side).clamp_min(0.05)[:, None]
        middle = room * (2 * uniform(count, 2) - 1)
        turn = _TURN * (2 * uniform(count) - 1) * (uniform(count) < 0.5) * self.augment
        tilt = _PERSPECTIVE * (2 * uniform(count, 2) - 1) * (uniform(count, 1) < 0.5) * self.augment
        zero, one = torch.zeros(count), torch.ones(count)
        flip = torch.where(uniform(count) < 0.5, -one, one) if self.augment else one
        rows = [
            torch.stack([flip * side * turn.cos(), -side * turn.sin(), middle[:, 0]], 1),
            torch.stack([flip * side * turn.sin(), side * turn.cos(), middle[:, 1]], 1),
            torch.stack([tilt[:, 0], tilt[:, 1], one + zero], 1),
        ]
        homographies = torch.stack(rows, 1)
        homographies[0] = torch.eye(3)
        return homographies

    def cut(self, pixels: Tensor, homographies: Tensor, generator: torch.Generator) -> Tensor:
        """Sample k cutouts of one canvas.

        Args:
            pixels: (1, 3, height, width) in 0..1.
            homographies: (k, 3, 3) of `draw`; an identity is neither tinted nor noisy.
            generator: of colours and noise.

        Returns:
            (k, 3, size, size) in 0..1; beyond the edge the canvas is mirrored.
        """
        import torch

        count, at = len(homographies), pixels.device
        line = (torch.arange(self.size) + 0.5) / self.size * 2 - 1
        across, down, place = (homographies[:, :, column, None, None] for column in range(3))
        moved = across * line + down * line[:, None] + place  # (k, 3, size, size): the points, up to a scale
        grid = (moved[:, :2] / moved[:, 2:].clamp_min(0.2)).movedim(1, -1).to(pixels)
        squares = _sampled(shrunk(pixels, self.size), grid)
        if not self.augment:
            return squares
        changed = (homographies - torch.eye(3)).abs().amax(dim=(1, 2)) > 0
        amount = changed.to(pixels)[:, None, None, None]
        tint = 1 + _COLOUR * (2 * torch.rand((count, 3, 1, 1), generator=generator).to(at) - 1) * amount
        strength = _NOISE * torch.rand((count, 1, 1, 1), generator=generator).to(at) * amount
        corners = torch.randint(0, self.size + 1, (count, 2), generator=generator).tolist()
        grain = _grain(self.size).to(squares)
        noise = torch.stack([grain[:, y : y + self.size, x : x + self.size] for y, x in corners])
        return torch.addcmul(noise.mul_(strength), squares, tint).clamp(0, 1)


@functools.lru_cache(maxsize=4)
def _grain(size: int) -> Tensor:
    """Standard normal noise, (3, 2 size, 2 size): each cutout gets a part of it, which costs less than noise anew."""
    import torch

    with torch.inference_mode(False):
        return torch.randn(3, 2 * size, 2 * size, generator=torch.Generator().manual_seed(0))


def _sampled(pixels: Tensor, grid: Tensor) -> Tensor:
    """Sample (1, 3, h, w) at (k, size, size, 2) -> (k, 3, size, size).

    Half of the cutouts below each other count as one image: two cores have one each, and the gradient is that of two
    canvases, not of k.
    """
    import torch

    count, size = grid.shape[:2]
    tall = grid.reshape(2 - count % 2, -1, size, 2)
    columns = torch.nn.functional.grid_sample(
        pixels.expand(len(tall), -1, -1, -1), tall, padding_mode="reflection", align_corners=False
    )
    squares: Tensor = columns.reshape(len(tall), 3, -1, size, size).transpose(1, 2).flatten(0, 1)
    return squares


def shrunk(pixels: Tensor, size: int) -> Tensor:
    """Halve a canvas by area until it is at most twice `size`: points then miss no pixel of it."""
    import torch

    while min(pixels.shape[-2:]) > 2 * size:
        pixels = torch.nn.functional.avg_pool2d(pixels, 2)
    return pixels
