"""The device work of a Space on ZeroGPU: three functions that a borrowed GPU runs in a process of its own.

Knows no scheduler and no cache: arguments and results are plain arrays, since they are pickled on the way. Fulfils
`workbench.engine.Remote` as a module; imported only where SPACES_ZERO_GPU is set, before anything that loads torch.
"""

from __future__ import annotations

import spaces  # isort: skip  # first: it prepares torch for a GPU that is not there yet

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from apps.space_export import OFFERED
from workbench.backend import Tokens
from workbench.errors import Unsupported, WeightsMissing
from workbench.loading import load

if TYPE_CHECKING:
    from workbench.attribution import Request
    from workbench.loading.torch_backend import TorchBackend

START_SECONDS = 6.0  # to get the GPU and move there
PIXELS_PER_SECOND = 200.0  # pictures, a cautious rate
TEXTS_PER_SECOND = 1000.0
EXPLAIN_SECONDS = 20.0
MOST_SECONDS = 110.0  # a visitor's share of a day is two minutes


def _models() -> dict[str, TorchBackend]:
    """Load what the Space offers; a checkpoint that was not fetched beforehand is left out."""
    found = {}
    for key in ("pocket", OFFERED):
        try:
            found[key] = load(key)
        except WeightsMissing:
            continue
    return found


MODELS = _models()  # at module scope: moved to the GPU once, when one is lent


def _model(key: str) -> TorchBackend:
    if key not in MODELS:
        raise Unsupported(f"This Space offers {', '.join(MODELS)}; got {key!r}.")
    return MODELS[key]


def _pixels_seconds(key: str, pixels: np.ndarray) -> int:
    """Estimate `encode_pixels`, in seconds; the visitor must have that much left."""
    return _rounded(len(pixels) / PIXELS_PER_SECOND)


def _tokens_seconds(key: str, ids: np.ndarray, mask: np.ndarray) -> int:
    """Estimate `encode_tokens`, in seconds."""
    return _rounded(len(ids) / TEXTS_PER_SECOND)


def _explain_seconds(key: str, request: Request) -> int:
    """Estimate `explain`, in seconds."""
    return _rounded(EXPLAIN_SECONDS)


def _rounded(work: float) -> int:
    return math.ceil(min(START_SECONDS + work, MOST_SECONDS))


@spaces.GPU(duration=_pixels_seconds)
def encode_pixels(key: str, pixels: np.ndarray) -> np.ndarray:
    """(n, 3, size, size) uint8 -> (n, dim) float32, unit rows."""
    return _model(key).encode_pixels(torch.from_numpy(pixels)).numpy()


@spaces.GPU(duration=_tokens_seconds)
def encode_tokens(key: str, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(n, length) int64, twice -> (n, dim) float32, unit rows."""
    tokens = Tokens(torch.from_numpy(ids), torch.from_numpy(mask), ())
    return _model(key).encode_tokens(tokens).numpy()


@spaces.GPU(duration=_explain_seconds)
def explain(key: str, request: Request) -> list[Any]:
    """Run one attribution to its end; return everything it told on the way, the attribution last."""
    from workbench.attribution import explain as steps

    return [_plain(step) for step in steps(_model(key), request)]


def _plain(step: Any) -> Any:
    """Bring a map off the GPU, so that it can be pickled."""
    if isinstance(getattr(step, "map", None), torch.Tensor):
        return replace(step, map=step.map.detach().float().cpu().numpy())
    return step
