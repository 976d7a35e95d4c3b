"""What a linear probe reads: the image tower's features before their projection into the joint space.

Source: Radford et al. 2021, arXiv:2103.00020, appendix A.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from workbench.hooks import hooked


def with_features(module: Any, image: Callable[[Tensor], Tensor], pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Run the image tower once; return its embeddings of any length, (n, dim), and the features before, (n, width).

    Towers without a linear projection (OpenAI's ResNets, whose attention pooling ends in the joint space, and SigLIP)
    have the same rows twice.

    Args:
        module: owns both towers.
        image: normalised pixels to embeddings, by that module.
        pixels: (n, 3, size, size) normalised.
    """
    tower = getattr(module, "visual", None)
    if isinstance(getattr(tower, "proj", None), nn.Parameter):  # open_clip's transformer
        with _without_projection(tower) as projection:
            features = image(pixels)
        return features @ projection, features
    head = getattr(module, "visual_projection", None) or getattr(tower, "head", None)
    if not isinstance(head, nn.Module) or not any(True for _ in head.parameters()):
        rows = image(pixels)
        return rows, rows
    before: list[Tensor] = []

    def keep(rows: Tensor) -> Tensor:
        before.append(rows)
        return rows

    with hooked([(head, keep)], inputs=True):
        rows = image(pixels)
    return rows, before[0]


@contextmanager
def _without_projection(tower: Any) -> Iterator[Tensor]:
    """Take the projection out for one call. The device has one owner at a time, so nobody else meets the tower then."""
    projection = tower.proj
    tower.proj = None
    try:
        yield projection
    finally:
        tower.proj = projection
