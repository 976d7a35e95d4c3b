"""A catalogue model in training: loaded with all its weights, and written back in the same format."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench import loading
from workbench.checkpoints.spec import ModelSpec
from workbench.errors import BadInput, OutOfResources, Unsupported
from workbench.loading import hashes, hub
from workbench.loading.torch_backend import TowerParts
from workbench.models import find
from workbench.preprocessing import normalise, prepare, unit_range

OF_IMAGES = ("vision_model", "visual")  # what the names of the image side's weights begin with, in both libraries
OF_BOTH = ("logit_scale", "logit_bias")
LOCKS = ("none", "image", "text")
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


@dataclass(frozen=True)
class Trainee:
    """A model that learns, and where it came from."""

    spec: ModelSpec
    folder: Path  # that it was loaded from
    weights: dict[str, str]  # sha256 of the weight files that it began with
    towers: TowerParts

    @property
    def module(self) -> nn.Module:
        """Both towers, with all weights, in float32."""
        return self.towers.module

    @property
    def log_scale(self) -> Tensor:
        """Logarithm of what cosines are multiplied with; learns."""
        scale: Tensor = self.towers.module.logit_scale  # type: ignore[assignment]
        return scale

    @property
    def bias(self) -> Tensor | None:
        """What is added to each logit, in sigmoid models; learns."""
        bias: Tensor | None = getattr(self.towers.module, "logit_bias", None)
        return bias

    def pixels(self, squares: Tensor) -> Tensor:
        """(n, 3, side, side) uint8 -> what the image tower takes."""
        return normalise(unit_range(squares), self.towers.preprocessing)

    def prepare(self, picture: Any) -> Tensor:
        """Resize and crop an upright RGB picture; (3, side, side) uint8."""
        return prepare(picture, self.towers.preprocessing)

    def learn(self, *, lock: str, batch_norm: bool) -> None:
        """Put the towers into training mode.

        Args:
            lock: the side that keeps its weights: none, image or text.
            batch_norm: whether batch norms go on gathering their statistics; else these stay as they are.
        """
        self.module.train()
        for part in self.module.modules():
            if isinstance(part, _NORMS) and not batch_norm:
                part.eval()
        for name, one in self.module.named_parameters():
            if name.startswith(OF_BOTH) or lock == "none":
                continue
            if name.startswith(OF_IMAGES) == (lock == "image"):
                one.requires_grad_(False)
        if lock != "none":
            for name, part in self.module.named_modules():
                if name and name.startswith(OF_IMAGES) == (lock == "image"):
                    part.eval()


def ready(key: str, device: torch.device) -> Trainee:
    """Load a checkpoint that is on this machine, to be trained.

    Raises:
        UnknownName, WeightsMissing, WeightsRefused: see `workbench.load`.
        Unsupported: a model without weights.
    """
    spec = find(key)
    if spec.loader == "fake":
        raise Unsupported(f"{spec.title} has no weights that could learn.")
    if spec.loader == "edited":
        raise Unsupported(f"{spec.title} is an edited model; train its base, {spec.base}.")
    folder = hub.locate(spec)
    weights = hashes.vet(spec, folder)
    towers = loading.towers(spec, folder, device, dtype=torch.float32, frozen=False)
    if towers.anatomy.kind == "convolutional":
        towers.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Trainee(spec, folder, weights, towers)


def export(trainee: Trainee, out: Path) -> dict[str, str]:
    """Write the model into a folder in the format that it came in; return the sha256 of its weight files.

    Files of the same names are replaced at the end, all at once but for the moment of renaming.

    Raises:
        OutOfResources: the folder cannot be written.
    """
    half = out / ".export.part"
    try:
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        for name in (hashes.main_config(trainee.spec), *hashes.CONFIGS):
            if (trainee.folder / name).is_file():
                shutil.copyfile(trainee.folder / name, half / name)
        _write_weights(trainee, half)
        for file in half.glob("*.safetensors"):  # which are written for the owner's eyes only
            shutil.copymode(half / hashes.main_config(trainee.spec), file)
        for file in sorted(half.iterdir(), key=lambda one: one.suffix == ".safetensors"):
            file.replace(out / file.name)
    except OSError as error:
        raise OutOfResources(f"The model could not be written to {out.name!r} ({error.strerror}).") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return {file.name: hashes.sha256_of(file) for file in sorted(out.glob("*.safetensors"))}


def check_out(out: Path) -> None:
    """Refuse a folder that holds a model already, before any work.

    Raises:
        BadInput: such a folder, or a file.
    """
    if out.exists() and not out.is_dir():
        raise BadInput(f"--out takes a folder; {out.name!r} is a file.")
    if out.is_dir() and (any(out.glob("*.safetensors")) or (out / "config.json").exists()):
        raise BadInput(f"The folder {out.name!r} holds a model already; give another name.")


def _write_weights(trainee: Trainee, folder: Path) -> None:
    from safetensors.torch import save_file

    save = getattr(trainee.module, "save_pretrained", None)
    if save is not None:  # transformers: names in memory and in files differ for some towers, and it knows which
        save(folder)
        return
    name = "open_clip_model.safetensors" if trainee.spec.loader == "open_clip" else "model.safetensors"
    state = {key: one.detach().cpu().clone().contiguous() for key, one in _saved(trainee.module)}
    save_file(state, folder / name, metadata={"format": "pt"})


def _saved(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return ((name, one) for name, one in module.state_dict().items() if isinstance(one, Tensor))
