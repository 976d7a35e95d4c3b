"""How models of each kind come into memory: the table that `Engine.session` reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.model_cache import CLIP
from workbench.models import find

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend


@dataclass(frozen=True)
class Loader:
    """One kind of model."""

    load: Callable[[str, str, str], Any]  # key, device, dtype (both as `Engine` takes them) -> model; slow
    weights: Callable[[str], int]  # key -> number of weights, to make room beforehand; 0 where unknown


def _clip(key: str, device: str, dtype: str) -> TorchBackend:
    from workbench import loading

    return loading.load(key, device=device, dtype=dtype)


LOADERS: dict[str, Loader] = {CLIP: Loader(_clip, lambda key: find(key).parameters or 0)}
