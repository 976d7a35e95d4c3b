"""Checkpoints in transformers' format: CLIP, SigLIP and VisionTextDualEncoder, from a folder on this machine.

Knows no network: `load_folder` reads a folder and nothing else, safetensors only, no remote code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workbench.backend import Anatomy, Reading, Tokens
from workbench.errors import WeightsRefused
from workbench.images import Preprocessing
from workbench.loading.torch_backend import Towers
from workbench.text import clean

FAMILIES = ("clip", "siglip", "siglip2", "vision-text-dual-encoder")
RESAMPLING = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers


def load_folder(folder: Path, device: torch.device, dtype: torch.dtype) -> Towers:
    """Load both towers, the tokenizer and the preprocessing of a folder in the hub's format.

    Raises:
        WeightsRefused: a family that is not supported here.
    """
    from transformers import AutoModel

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    family = config.get("model_type")
    if family not in FAMILIES:
        raise WeightsRefused(f"Model families read here: {', '.join(FAMILIES)}; this folder holds {family!r}.")
    model = AutoModel.from_pretrained(
        folder,
        dtype=dtype,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        attn_implementation="sdpa",
    )
    model = model.to(device).eval().requires_grad_(False)
    return Towers(
        module=model,
        image=lambda pixels: model.get_image_features(pixel_values=pixels).pooler_output,
        text=lambda ids, mask: model.get_text_features(input_ids=ids, attention_mask=mask).pooler_output,
        tokenize=_tokenizer(folder, config),
        preprocessing=_preprocessing(folder),
        anatomy=_anatomy(model),
        dim=_dim(model),
        logit_scale=float(model.logit_scale.detach().float().exp()),
        logit_bias=float(model.logit_bias.detach().float()) if hasattr(model, "logit_bias") else 0.0,
    )


def _dim(model: Any) -> int:
    return int(getattr(model.config, "projection_dim", None) or model.config.text_config.hidden_size)


def _preprocessing(folder: Path) -> Preprocessing:
    config = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    size = config["size"]
    squash = "height" in size and not config.get("do_center_crop", False)
    side = size.get("shortest_edge") or size["height"]
    return Preprocessing(
        size=int(config.get("crop_size", {}).get("height", side)) if not squash else int(side),
        mean=tuple(config["image_mean"]),
        std=tuple(config["image_std"]),
        interpolation=RESAMPLING[config.get("resample", 3)],  # type: ignore[arg-type]
        resize="squash" if squash else "shortest",
    )


def _tokenizer(folder: Path, config: dict[str, Any]) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    positions = config.get("text_config", {}).get("max_position_embeddings", 77)
    limit = min(int(tokenizer.model_max_length), int(positions))

    def tokenize(texts: Sequence[str]) -> Tokens:
        cleaned = [clean(text) for text in texts]
        whole = tokenizer(cleaned, truncation=False, return_offsets_mapping=True)
        kept = tokenizer(cleaned, truncation=True, max_length=limit, padding=True, return_tensors="pt")
        mask = kept["attention_mask"]
        readings = []
        for text, offsets, row in zip(cleaned, whole["offset_mapping"], mask, strict=True):
            used = int(row.sum())
            cut = text[offsets[limit - 1][0] :] if len(offsets) > limit else ""
            readings.append(Reading(text, used, limit, cut))
        return Tokens(kept["input_ids"], mask, tuple(readings))

    return tokenize


def _anatomy(model: nn.Module) -> Anatomy:
    return Anatomy(kind="flat")
