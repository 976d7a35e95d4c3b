"""How models of each kind come into memory: the table that `Engine.session` reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.model_cache import CLIP, ModelRef
from workbench.models import find

if TYPE_CHECKING:
    from workbench.generation.canvases.stylegan2 import StyleGan2
    from workbench.generation.diffusion.checkpoint import Checkpoint
    from workbench.generation.prior import Prior
    from workbench.loading.torch_backend import TorchBackend
    from workbench.loading.vision import VisionBackbone


@dataclass(frozen=True)
class Loader:
    """One kind of model."""

    load: Callable[[str, str, str], Any]  # key, device, dtype (both as `Engine` takes them) -> model; slow
    weights: Callable[[str], int]  # key -> number of weights, to make room beforehand; 0 where unknown


def _clip(key: str, device: str, dtype: str) -> TorchBackend:
    from workbench import loading

    return loading.load(key, device=device, dtype=dtype)


def _prior(key: str, device: str, dtype: str) -> Prior:
    from workbench.generation.prior import load_prior
    from workbench.loading.device import choose_device

    return load_prior(device=choose_device(device))


def _vision(key: str, device: str, dtype: str) -> VisionBackbone:
    from workbench.loading.vision import load_backbone

    return load_backbone(key, device, dtype)


def _diffusion(key: str, device: str, dtype: str) -> Checkpoint | StyleGan2:
    from workbench.generation.canvases.stylegan2 import load_stylegan2
    from workbench.generation.diffusion.checkpoint import load_checkpoint
    from workbench.loading.device import choose_device

    path, place = Path(key), choose_device(device)
    return load_stylegan2(path, device=place) if path.suffix else load_checkpoint(path, device=place)


DIFFUSION = "diffusion"  # folders in diffusers' format, and StyleGAN2 generators
VISION = "vision"  # image towers without a text tower
PRIOR = ModelRef("prior", "prior")  # the shipped one
LOADERS: dict[str, Loader] = {
    CLIP: Loader(_clip, lambda key: find(key).parameters or 0),
    PRIOR.kind: Loader(_prior, lambda key: 8_000_000),
    DIFFUSION: Loader(
        _diffusion, lambda key: sum(file.stat().st_size for file in Path(key).rglob("*.safetensors")) // 4
    ),
    VISION: Loader(_vision, lambda key: 0),
}
