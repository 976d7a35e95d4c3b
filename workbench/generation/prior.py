"""The prior: a small diffusion model that draws 64-pixel images from an embedding of the model that steers it.

It works on a few hundred numbers an image: the shares of principal components of drawings, "eigendrawings".
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from workbench.errors import WeightsMissing, WeightsRefused
from workbench.generation.painting import Neighbour
from workbench.generation.settings import PRIOR_FOLDER
from workbench.places import NO_WEIGHTS, write_whole

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 64  # pixels
COMPONENTS = 384
FILES = ("denoiser.safetensors", "components.safetensors", "drawings.safetensors")
SHA256 = {  # of the shipped prior's files
    "denoiser.safetensors": "df80830cda2619c436d7909fb92f57a872eb7060632b8f55925fd73c472dc074",
    "components.safetensors": "e7a9508045baf860816bb9bd89b87ae95a3b7a353d028b4d1c33da69517068ad",
    "drawings.safetensors": "a764f55e6d2cc875c940822c87aa2c3a784492f80f4ba913a9d2a4bb26937450",
}
NEAREST = 96  # components that the distance to a drawing is measured in
_STYLE_WEIGHT = 0.5  # length of a style's vector beside the embedding's, which is 1
_EVENNESS = 0.35  # how far the components' spreads are evened out: 0 not at all, 0.5 to equal ones
_WIDTH, _BLOCKS, _WAVES = 640, 2, 32


class Denoiser(nn.Module):
    """A residual network from noisy components, time and condition to the velocity.

    Source:
        Li et al. 2024, arXiv:2406.11838, section 4.2 (a small diffusion network of residual layers); one shared
        modulation follows Chen et al. 2023, arXiv:2310.00426, section 2.3.
    """

    def __init__(self, dim: int, components: int = COMPONENTS) -> None:
        super().__init__()
        self.enter = nn.Linear(components, _WIDTH)
        self.condition, self.time = nn.Linear(dim, _WIDTH), nn.Linear(2 * _WAVES, _WIDTH)
        self.modulate = nn.Linear(_WIDTH, 2 * _WIDTH)
        self.own = nn.Parameter(torch.zeros(_BLOCKS, 2 * _WIDTH))  # each block's share of the modulation
        self.wide = nn.ModuleList(nn.Linear(_WIDTH, _WIDTH) for _ in range(_BLOCKS))
        self.back = nn.ModuleList(nn.Linear(_WIDTH, _WIDTH) for _ in range(_BLOCKS))
        self.leave = nn.Linear(_WIDTH, components)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, noisy: Tensor, times: Tensor, conditions: Tensor) -> Tensor:
        """(n, components), (n,) in 0..1 and (n, dim) -> (n, components)."""
        waves = times[:, None] * torch.exp(torch.linspace(0, math.log(200.0), _WAVES, device=times.device))
        known = self.condition(conditions * math.sqrt(conditions.shape[1]))
        known = functional.silu(known + self.time(torch.cat([waves.sin(), waves.cos()], dim=1)))
        shared, values = self.modulate(known), self.enter(noisy) + known
        for own, wide, back in zip(self.own, self.wide, self.back, strict=True):
            shift, scale = (shared + own).chunk(2, dim=1)
            inner = functional.layer_norm(values, (_WIDTH,)) * (1 + scale) + shift
            values = values + back(functional.silu(wide(inner)))
        out: Tensor = self.leave(functional.layer_norm(values, (_WIDTH,)))
        return out


@dataclass(frozen=True, eq=False)
class Components:
    """The first principal components of drawings, each divided by a power of its variance."""

    mean: Tensor  # (3 * 64 * 64,)
    vectors: Tensor  # (components, 3 * 64 * 64), unit rows
    scales: Tensor  # (components,)

    @classmethod
    def fit(cls, pictures: Tensor, components: int = COMPONENTS) -> Components:
        """Find them in images (n, 3, 64, 64) uint8."""
        flat = pictures.flatten(1).float() / 255
        mean = flat.mean(dim=0)
        _, lengths, vectors = torch.svd_lowrank(flat - mean, q=components, niter=2)
        spreads = lengths / math.sqrt(len(flat))
        scales = spreads ** (1 - 2 * _EVENNESS)
        scales = scales * ((spreads / scales).square().mean().sqrt())  # the mean square over all is one
        return cls(mean, vectors.T.contiguous(), scales)

    def encode(self, pictures: Tensor) -> Tensor:
        """(n, 3, 64, 64) uint8 -> (n, components)."""
        return (pictures.flatten(1).float() / 255 - self.mean) @ self.vectors.T / self.scales

    def decode(self, values: Tensor) -> Tensor:
        """(n, components) -> (n, 3, 64, 64) in 0..1, with gradient."""
        flat = (values * self.scales.to(values)) @ self.vectors.to(values) + self.mean.to(values)
        return flat.reshape(-1, 3, SIDE, SIDE).clamp(0, 1)


@dataclass(frozen=True, eq=False)
class Prior:
    """Network, components and styles."""

    denoiser: Denoiser
    components: Components
    styles: tuple[str, ...]
    style_vectors: Tensor  # (styles, dim), unit rows
    drawings: Tensor  # (m, 96): the first components of the drawings that it learned from, times their scales
    names: tuple[tuple[str, str], ...]  # (m,): name and style of each
    record: dict[str, Any]  # of the training, as the folder's config says

    def condition(self, embeddings: Tensor, styles: Sequence[int]) -> Tensor:
        """Embeddings (n, dim), unit rows, each with a style's number or -1 for none -> (n, dim)."""
        return conditioned(embeddings, styles, self.style_vectors)

    def nearest(self, values: Tensor) -> Neighbour:
        """The drawing of the training that is nearest to components (1, components)."""
        distances = (self.drawings - (values.cpu() * self.components.scales.cpu())[:, :NEAREST]).norm(dim=1)
        at = int(distances.argmin())
        return Neighbour(*self.names[at], distance=float(distances[at]) / math.sqrt(3 * SIDE * SIDE), number=at)

    def save(self, folder: Path) -> None:
        """Write float16 weights and what is known of them, whole files only."""
        from safetensors.torch import save

        def halved(tensors: dict[str, Tensor]) -> bytes:
            return save({name: tensor.detach().to(torch.float16).contiguous() for name, tensor in tensors.items()})

        parts = {"mean": self.components.mean, "vectors": self.components.vectors, "scales": self.components.scales}
        write_whole(folder / FILES[0], halved(self.denoiser.state_dict()))
        write_whole(folder / FILES[1], halved({**parts, "styles": self.style_vectors}))
        write_whole(folder / FILES[2], halved({"drawings": self.drawings}))
        config = {**self.record, "styles": self.styles, "names": self.names}
        write_whole(folder / "config.json", json.dumps(config, sort_keys=True).encode())  # with eleven thousand names


def load_prior(folder: Path = PRIOR_FOLDER, *, device: str | torch.device = "cpu") -> Prior:
    """Read a prior; the shipped one has to be the one that was recorded.

    Raises:
        WeightsMissing: a file is not there.
        WeightsRefused: a file of the shipped prior was changed.
    """
    from safetensors.torch import load_file

    if folder == PRIOR_FOLDER and not folder.is_dir():
        raise WeightsMissing(NO_WEIGHTS.format("The drawing model") + ".")
    if missing := [name for name in (*FILES, "config.json") if not (folder / name).is_file()]:
        raise WeightsMissing(f"The prior's folder {folder.name!r} lacks {', '.join(missing)}.")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if folder == PRIOR_FOLDER:
        _check(folder)
    weights, parts, known = (
        {name: part.float().to(device) for name, part in load_file(folder / file).items()} for file in FILES
    )
    denoiser = Denoiser(parts["styles"].shape[1], len(parts["scales"]))
    denoiser.load_state_dict(weights)
    denoiser.eval().requires_grad_(False).to(device)
    components = Components(parts["mean"], parts["vectors"], parts["scales"])
    names = tuple((name, style) for name, style in config.pop("names"))
    styles = tuple(config.pop("styles"))
    return Prior(denoiser, components, styles, parts["styles"], known["drawings"].cpu(), names, config)


def _check(folder: Path) -> None:
    for name, digest in SHA256.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise WeightsRefused(
                f"The prior's file {name} is not the one that was recorded; restore it from the package."
            )


def conditioned(embeddings: Tensor, styles: Sequence[int], vectors: Tensor) -> Tensor:
    """Add to embeddings (n, dim) the vector of a style, or none where its number is -1; vectors are (styles, dim)."""
    at = torch.tensor(styles, device=embeddings.device)
    return embeddings + _STYLE_WEIGHT * vectors.to(embeddings)[at.clamp_min(0)] * (at >= 0)[:, None]


def levels(times: Tensor) -> tuple[Tensor, Tensor]:
    """Signal and noise at times in 0..1, by a cosine; their squares sum to 1."""
    angles = (0.008 + times * 0.984) * torch.pi / 2
    return angles.cos(), angles.sin()
