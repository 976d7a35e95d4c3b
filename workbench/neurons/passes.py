"""What runs on the device: the outputs of one layer, a unit's map, embeddings under interventions, exact terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.hooks import Intervention, recorded

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import Anatomy, WhiteBox


@dataclass(frozen=True, eq=False)
class LayerRows:
    """One batch."""

    pooled: NDArray[np.float32]  # (n, units) activations
    embeddings: NDArray[np.float32]  # (n, dim) unit rows


def layer_rows(box: WhiteBox, payload: tuple[NDArray[np.uint8], str]) -> Iterator[LayerRows]:
    """Run one batch; payload: (n, 3, size, size) uint8 and the name of a layer."""
    yield _layer_rows(box, *payload)


def unit_maps(box: WhiteBox, payload: tuple[NDArray[np.uint8], str, int]) -> Iterator[NDArray[np.float32]]:
    """Run one batch and return one unit's cells; (n, rows, columns)."""
    yield _unit_maps(box, *payload)


def intervened_rows(
    box: WhiteBox, payload: tuple[NDArray[np.uint8], Sequence[Intervention]]
) -> Iterator[NDArray[np.float32]]:
    """Embed one batch with some units changed; (n, dim) unit rows."""
    yield _intervened_rows(box, *payload)


def pooled(values: Tensor, anatomy: Anatomy) -> Tensor:
    """(n, units, rows, columns) or (n, tokens, width) -> (n, units): each unit's activation on each image."""
    if values.ndim == 4:
        return values.float().mean(dim=(2, 3))
    return values[:, 0].float() if anatomy.prefix_tokens else values.float().mean(dim=1)


def cells(values: Tensor, anatomy: Anatomy, unit: int) -> Tensor:
    """One unit's values at each cell, (n, rows, columns); tokens in front of the grid are left out."""
    if values.ndim == 4:
        return values[:, unit].float()
    tokens = values[:, anatomy.prefix_tokens :, unit].float()
    return tokens.reshape(len(tokens), *anatomy.grid)


def _layer_rows(box: WhiteBox, pixels: NDArray[np.uint8], layer: str) -> LayerRows:
    import torch

    batches = []
    with torch.inference_mode(), recorded(box.anatomy.pick([layer])) as values:
        for part in box.passes(torch.from_numpy(pixels)):
            embeddings = box.embed_pixels(part)
            batches.append((pooled(values[layer], box.anatomy).cpu().numpy(), embeddings.float().cpu().numpy()))
    rows, embedded = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return LayerRows(rows, embedded)


def _unit_maps(box: WhiteBox, pixels: NDArray[np.uint8], layer: str, number: int) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode(), recorded(box.anatomy.pick([layer])) as values:
        box.embed_pixels(unit_range(box, pixels))
        maps = cells(values[layer], box.anatomy, number)
    return maps.cpu().numpy().copy()


def _intervened_rows(box: WhiteBox, pixels: NDArray[np.uint8], changes: Sequence[Intervention]) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode(), box.intervened(*changes):
        rows = box.embed_pixels(unit_range(box, pixels))
    return rows.float().cpu().numpy().copy()


def unit_range(box: WhiteBox, pixels: NDArray[np.uint8]) -> Tensor:
    """(n, 3, size, size) uint8 -> 0..1 on the box's device."""
    import torch

    return torch.from_numpy(pixels).to(box.device).float() / 255.0
