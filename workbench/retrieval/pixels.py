"""From an opened image to what an index keeps of it: the vector and a thumbnail."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.engine.tasks import EMBED_PIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.engine import Session

THUMBNAIL = 224  # pixels of the longer side


def embed_pixels(session: Session, pixels: Sequence[Any]) -> NDArray[np.float32]:
    """Embed prepared images, (3, size, size) uint8 tensors each, in one pass; (n, dim) unit rows."""
    import torch

    if not pixels:
        return np.zeros((0, session.dim), np.float32)
    rows: NDArray[np.float32] = next(iter(session.stream(EMBED_PIXELS, torch.stack(list(pixels)).numpy())))
    return rows


def thumbnail(picture: Image.Image) -> bytes:
    """Return a small JPEG of an upright RGB image."""
    from PIL import Image

    small = picture.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BILINEAR, reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
