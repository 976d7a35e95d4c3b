"""Attacks made on another model and shown to this one, which then judges what was not optimised against it.

A surrogate that is not on this machine is left out, and the report says so. Knows no label set and no measure.

Source:
    Papernot, McDaniel and Goodfellow 2016, arXiv:1605.07277 (adversarial pictures transfer between models).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

MADE_ON = " made on "  # between an attack's name and its surrogate's


def weights_of(key: str) -> str:
    """Return the fingerprint of a surrogate's weights, "" where it is not on this machine.

    Raises:
        UnknownName: no model has that key.
    """
    from workbench.loading import hub
    from workbench.models import find

    return _loaded(key, "cpu").fingerprint if hub.presence(find(key)).here else ""


def how_to_get(key: str) -> str:
    """Return the command that brings a surrogate onto this machine."""
    from workbench.loading import hub
    from workbench.models import find

    return hub.command(find(key))


def open_surrogate(key: str, device: str) -> Surrogate:
    """Return a surrogate on a device; the last two stay loaded.

    Raises:
        WorkbenchError: it cannot be loaded.
    """
    return Surrogate(_loaded(key, device))


@dataclass(frozen=True)
class Surrogate:
    """A model whose gradients are climbed in another's place; it takes pictures of any size."""

    backend: Any

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, side, side) in 0..1 -> (n, dim) unit rows, differentiable."""
        from torch.nn.functional import interpolate

        side = self.backend.image_size
        if pixels.shape[-1] != side:
            pixels = interpolate(pixels, size=(side, side), mode="bilinear", antialias=True)
        rows: Tensor = self.backend.embed_pixels(pixels)
        return rows

    def read(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Embed texts; text -> (dim,)."""
        every = list(dict.fromkeys(texts))
        return dict(zip(every, self.backend.embed_texts(every).numpy(), strict=True))


@functools.lru_cache(maxsize=2)
def _loaded(key: str, device: str) -> Any:
    import workbench

    backend = workbench.load(key, device=device)
    if not hasattr(backend, "embed_pixels"):
        raise WorkbenchError(f"{key} gives no gradients, so that no attack can be made on it.")
    return backend
