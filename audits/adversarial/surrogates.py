"""Attacks made on another model and shown to this one, which then judges what was not optimised against it.

A surrogate that is not on this machine is left out, and the report says so. It shares the memory limit of the cache
that holds the attacked model; planning reads its files' hashes and loads nothing.

Source:
    Papernot, McDaniel and Goodfellow 2016, arXiv:1605.07277 (adversarial images transfer between models).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import WorkbenchError
from workbench.model_cache import CLIP, ModelCache, ModelRef, cache_of

if TYPE_CHECKING:
    from torch import Tensor

MADE_ON = " made on "  # between an attack's name and its surrogate's


def weights_of(key: str) -> str:
    """Return the fingerprint of a surrogate's weights in float32, "" where it is not on this machine.

    Raises:
        UnknownName: no model has that key.
        WeightsRefused: its files are not what was recorded.
    """
    from workbench.loading import fingerprint, hub
    from workbench.models import find

    return fingerprint(key) if hub.presence(find(key)).here else ""


def how_to_get(key: str) -> str:
    """Return the command that brings a surrogate onto this machine."""
    from workbench.loading import hub
    from workbench.models import find

    return hub.command(find(key))


@dataclass(frozen=True)
class Surrogate:
    """A model whose gradients are followed in another's place; it takes images of any size."""

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


@contextmanager
def surrogate(key: str, box: Any) -> Iterator[Surrogate]:
    """Lease a surrogate beside the attacked model, for the length of a `with` block.

    Args:
        key: of the surrogate.
        box: the attacked model; its cache is used, or one of the same limit where it was loaded without one.

    Raises:
        OutOfResources, Busy: see `ModelCache.lease`.
        WorkbenchError: it cannot be loaded, or gives no gradients.
    """
    cache = cache_of(box) or _cache(str(box.device))
    with cache.lease(ModelRef(CLIP, key)) as (loaded,):
        backend = loaded.ready.result()
        if not hasattr(backend, "embed_pixels"):
            raise WorkbenchError(f"{key} gives no gradients, so that no attack can be made on it.")
        yield Surrogate(backend)


@functools.cache
def _cache(device: str) -> ModelCache:
    from workbench.loading import load

    return ModelCache(lambda ref: load(ref.key, device=device), device=lambda: device)
