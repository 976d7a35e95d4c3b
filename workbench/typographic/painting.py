"""Paint over boxes of a picture: each pixel becomes a blend of its box's four edges, the nearer ones weighing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from workbench.typographic.finding import TextBox


def cover(square: Tensor, boxes: Sequence[TextBox]) -> Tensor:
    """Return a copy with the boxes painted over; (3, height, width) uint8 -> the same. No box: the picture itself."""
    if not boxes:
        return square
    painted = square.clone()
    height, width = square.shape[1:]
    for box in boxes:
        left, top = max(0, int(box.left)), max(0, int(box.top))
        right, bottom = min(width, -int(-box.right // 1)), min(height, -int(-box.bottom // 1))
        if right > left and bottom > top:
            painted[:, top:bottom, left:right] = _blend(square.float(), (left, top, right, bottom)).to(square.dtype)
    return painted


def _blend(pixels: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """(3, height, width) -> (3, bottom - top, right - left): what lies around the box, by distance to each edge."""
    left, top, right, bottom = box
    height, width = pixels.shape[1:]
    down = torch.arange(bottom - top, dtype=torch.float32)[:, None] + 1
    across = torch.arange(right - left, dtype=torch.float32)[None, :] + 1
    total, weights = torch.zeros(3, bottom - top, right - left), torch.zeros(bottom - top, right - left)
    edges: list[tuple[Tensor, Tensor]] = []  # colours along an edge, distance to it
    if left > 0:
        edges.append((pixels[:, top:bottom, left - 1, None], across))
    if right < width:
        edges.append((pixels[:, top:bottom, right, None], right - left + 1 - across))
    if top > 0:
        edges.append((pixels[:, top - 1, None, left:right], down))
    if bottom < height:
        edges.append((pixels[:, bottom, None, left:right], bottom - top + 1 - down))
    for row, distance in edges:
        total, weights = total + row / distance, weights + 1 / distance
    if not edges:  # the box is the whole picture: its mean colour
        return pixels.mean(dim=(1, 2), keepdim=True).expand(3, bottom - top, right - left)
    return (total / weights).round()
