"""A diffusers checkpoint in a local folder: its network, scheduler, autoencoder and text encoder.

Only safetensors are read, only classes of the tables below are made, and nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import BadInput, Unsupported, WeightsMissing, WeightsRefused

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

NETWORKS = ("UNet2DModel", "UNet2DConditionModel", "DiTTransformer2DModel")
AUTOENCODERS = ("AutoencoderTiny", "AutoencoderKL", "VQModel")
Condition = Literal["none", "class", "embedding", "text"]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a folder holds."""

    name: str
    fingerprint: str  # SHA-256 of the configurations and of the weights
    network: nn.Module | None = None
    scheduler: Any = None
    autoencoder: nn.Module | None = None
    text_encoder: nn.Module | None = None
    tokenizer: Any = field(default=None, repr=False)
    labels: tuple[str, ...] = ()  # of the classes, where the folder names them

    @property
    def condition(self) -> Condition:
        """What the network is told beside the time: nothing, a class, an embedding, or the tokens of a text."""
        config: Any = getattr(self.network, "config", {})
        kind = type(self.network).__name__
        if kind == "UNet2DConditionModel":
            return "embedding" if self.text_encoder is None else "text"
        if kind == "DiTTransformer2DModel" or config.get("num_class_embeds"):
            return "class"
        return "embedding" if config.get("class_embed_type") == "identity" else "none"

    @property
    def classes(self) -> int:
        """How many classes the network knows; 0 for none."""
        config: Any = getattr(self.network, "config", {})
        count = config.get("num_embeds_ada_norm") or config.get("num_class_embeds") or 0
        return int(count)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a sample, as the network was trained."""
        config: Any = getattr(self.network, "config", {})
        size = config.get("sample_size") or 64
        height, width = (size, size) if isinstance(size, int) else size
        return int(config["in_channels"]), int(height), int(width)

    def decode(self, values: Tensor) -> Tensor:
        """Clean samples -> images (n, 3, height, width) in 0..1, with gradient."""
        if self.autoencoder is not None:
            values = decode(self.autoencoder, values)
        images: Tensor = values.expand(-1, 3, -1, -1) if values.shape[1] == 1 else values
        return (images / 2 + 0.5).clamp(0, 1)

    def encode(self, images: Tensor) -> Tensor:
        """Images (n, 3, height, width) in 0..1 -> clean samples."""
        values = images * 2 - 1
        return values if self.autoencoder is None else encode(self.autoencoder, values)


def decode(autoencoder: nn.Module, latents: Tensor) -> Tensor:
    """Scaled latents -> images in -1..1, with gradient."""
    config: Any = autoencoder.config
    values = latents / float(config.get("scaling_factor") or 1.0) + float(config.get("shift_factor") or 0.0)
    images: Tensor = autoencoder.decode(values).sample  # type: ignore[operator]
    return images


def encode(autoencoder: nn.Module, images: Tensor) -> Tensor:
    """Images in -1..1 -> scaled latents; the middle of the distribution where there is one."""
    config: Any = autoencoder.config
    out = autoencoder.encode(images)  # type: ignore[operator]
    latents = out.latent_dist.mode() if hasattr(out, "latent_dist") else out.latents
    values: Tensor = (latents - float(config.get("shift_factor") or 0.0)) * float(config.get("scaling_factor") or 1.0)
    return values


def shrinking(autoencoder: nn.Module) -> int:
    """How many pixels a side one latent stands for."""
    config: Any = autoencoder.config
    blocks = config.get("block_out_channels") or config["encoder_block_out_channels"]
    return int(2 ** (len(blocks) - 1))


def load_checkpoint(folder: Path, *, device: str | torch.device = "cpu") -> Checkpoint:
    """Read a folder in diffusers' format: a pipeline, or one network or autoencoder alone.

    Raises:
        WeightsMissing: no such folder, or one without a network and an autoencoder.
        WeightsRefused: weights that are no safetensors.
        Unsupported: a class that is in no table here.
    """
    if not folder.is_dir():
        raise WeightsMissing(f"There is no folder {str(folder)!r}; give a folder in diffusers' format.")
    index = _json(folder / "model_index.json")
    parts: dict[str, Any] = {}
    for place in (folder, *(folder / name for name in ("unet", "transformer", "vae", "vqvae", "text_encoder"))):
        config = _json(place / "config.json")
        kind = str(config.get("_class_name") or next(iter(config.get("architectures") or []), ""))
        if not kind:
            continue
        if kind in NETWORKS:
            parts["network"] = _module(place, kind, device)
        elif kind in AUTOENCODERS:
            parts["autoencoder"] = _module(place, kind, device)
        elif kind in ("CLIPTextModel", "CLIPTextModelWithProjection") and place.name == "text_encoder":
            parts |= _text_tower(folder, device)
        else:
            raise Unsupported(
                f"{place.name!r} is a {kind}; {', '.join((*NETWORKS, *AUTOENCODERS))} can be used, with CLIPTextModel."
            )
    if "network" in parts:
        parts["scheduler"] = _scheduler(folder)
    elif "autoencoder" not in parts:
        raise WeightsMissing(f"The folder {folder.name!r} holds no network or autoencoder in diffusers' format.")
    labels = index.get("id2label") or {}
    names = tuple(str(labels[key]) for key in sorted(labels, key=int))
    return Checkpoint(folder.name, _fingerprint(folder), labels=names, **parts)


def class_numbers(checkpoint: Checkpoint, texts: Sequence[str]) -> list[int]:
    """Numbers of classes from numbers or names.

    Raises:
        BadInput: neither a number in range nor a name of the folder.
    """
    names = {name.casefold(): number for number, name in enumerate(checkpoint.labels)}
    for number, name in enumerate(checkpoint.labels):  # ImageNet's names are lists of synonyms
        names |= {part.strip().casefold(): number for part in name.split(",") if part.strip().casefold() not in names}
    numbers = []
    for text in texts:
        number = int(text) if text.isdigit() else names.get(text.casefold(), -1)
        if not 0 <= number < checkpoint.classes:
            known = f", or one of {', '.join(checkpoint.labels[:5])} …" if checkpoint.labels else ""
            raise BadInput(f"A class is a number from 0 to {checkpoint.classes - 1}{known}; got {text!r}.")
        numbers.append(number)
    return numbers


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise WeightsRefused(f"{file.name} in {file.parent.name!r} is no JSON.") from None
    if not isinstance(content, dict):
        raise WeightsRefused(f"{file.name} in {file.parent.name!r} holds no table.")
    return content


def _module(place: Path, kind: str, device: str | torch.device) -> nn.Module:
    import diffusers

    _only_safetensors(place)
    module = getattr(diffusers, kind).from_pretrained(place, use_safetensors=True, local_files_only=True)
    module.requires_grad_(False).train(False)
    ready: nn.Module = module.to(device)
    return ready


def _text_tower(folder: Path, device: str | torch.device) -> dict[str, Any]:
    from transformers import AutoTokenizer, CLIPTextModel

    _only_safetensors(folder / "text_encoder")
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", use_safetensors=True, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    return {"text_encoder": encoder.requires_grad_(False).train(False).to(device), "tokenizer": tokenizer}


def _only_safetensors(place: Path) -> None:
    if not any(place.glob("*.safetensors")):
        raise WeightsRefused(f"{place.name!r} holds no safetensors; other formats can run code and are not read.")


def _scheduler(folder: Path) -> Any:
    import diffusers

    config = _json(folder / "scheduler" / "scheduler_config.json") or _json(folder / "scheduler_config.json")
    kind = getattr(diffusers, str(config.get("_class_name", "DDIMScheduler")), None)
    if not (isinstance(kind, type) and issubclass(kind, diffusers.SchedulerMixin)):
        raise Unsupported(f"There is no scheduler {config.get('_class_name')!r} in diffusers.")
    values = {name: value for name, value in config.items() if name != "_class_name"}
    return kind.from_config(values)  # type: ignore[attr-defined]


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted((*folder.rglob("*.safetensors"), *folder.rglob("*.json"))):
        digest.update(file.relative_to(folder).as_posix().encode())
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()
