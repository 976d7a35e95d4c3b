"""How far an attack may go: balls around an image, in the largest change of a value or in Euclidean length.

Images are (n, 3, h, w) in 0..1; a ball is always cut with 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Norm = Literal["linf", "l2"]
_TINY = 1e-12  # keeps a division by a zero gradient finite; the step is zero then


@dataclass(frozen=True)
class Ball:
    """All images at most `radius` away from a centre."""

    norm: Norm
    radius: float  # of a value in 0..1 for linf; of all values together for l2

    def project(self, points: Tensor, centres: Tensor) -> Tensor:
        """Return the nearest points of the ball within 0..1; (n, 3, h, w)."""
        import torch

        change = points - centres
        if self.norm == "linf":
            return (centres + change.clamp(-self.radius, self.radius)).clamp(0, 1)
        length = change.flatten(1).norm(dim=1).clamp_min(_TINY)[:, None, None, None]
        return (centres + change * torch.clamp(self.radius / length, max=1.0)).clamp(0, 1)

    def ascent(self, gradient: Tensor) -> Tensor:
        """Return the direction of steepest ascent, of size 1 in this norm; zero where the gradient is zero."""
        if self.norm == "linf":
            return gradient.sign()
        unit: Tensor = gradient / gradient.flatten(1).norm(dim=1).clamp_min(_TINY)[:, None, None, None]
        return unit

    def surface(self, noise: Tensor) -> Tensor:
        """Scale noise to the size of the radius."""
        flat = noise.flatten(1)
        size = flat.abs().amax(dim=1) if self.norm == "linf" else flat.norm(dim=1)
        return self.radius * noise / size.clamp_min(_TINY)[:, None, None, None]

    def size(self, change: Tensor) -> Tensor:
        """Measure changes (n, 3, h, w) in this norm; (n,)."""
        flat = change.flatten(1)
        return flat.abs().amax(dim=1) if self.norm == "linf" else flat.norm(dim=1)
