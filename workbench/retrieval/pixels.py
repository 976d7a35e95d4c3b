"""Embed prepared images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session


def embed_pixels(session: Session, pixels: Sequence[Any]) -> NDArray[np.float32]:
    """Embed prepared images, (3, size, size) uint8 tensors each; (n, dim) unit rows."""
    import torch

    if not pixels:
        return np.zeros((0, session.dim), np.float32)
    rows: NDArray[np.float32] = session.encode_pixels(torch.stack(list(pixels))).numpy()
    return rows
