"""Remedies as changes of a model's towers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from workbench.errors import WeightsRefused

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend, TowerParts


def linear(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Map unit rows of images, of texts or of both linearly.

    Args:
        base: the model.
        settings: none.
        tensors: `image` and `text`, or one of them: (dim, dim + 1), the matrix and the shift as its last column.

    Raises:
        WeightsRefused: neither, another tensor, another shape, or a number that is not finite.
    """
    wanted = (base.dim, base.dim + 1)
    wrong = [
        name for name, one in tensors.items()
        if name not in ("image", "text") or one.shape != wanted or not bool(torch.isfinite(one).all())
    ]  # fmt: skip
    if wrong or not tensors:
        raise WeightsRefused(
            f"A linear change holds `image` or `text`, {wanted[0]} x {wanted[1]} finite numbers; "
            f"got {', '.join(f'{name} {tuple(tensors[name].shape)}' for name in sorted(wrong)) or 'neither'}."
        )
    parts = base.towers
    if "image" in tensors:  # the last step is no longer known: what follows it is mapped
        parts = replace(parts, image=_mapped(parts.image, tensors["image"]), anatomy=replace(parts.anatomy, head=None))
    if "text" in tensors:
        parts = replace(parts, text=_mapped(parts.text, tensors["text"]))
    return parts


def _mapped(tower: Callable[..., Tensor], packed: Tensor) -> Callable[..., Tensor]:
    def mapped(*given: Tensor) -> Tensor:
        rows = functional.normalize(tower(*given).float(), dim=-1)
        own = packed.to(rows)
        return rows @ own[:, :-1].T + own[:, -1]

    return mapped
