"""Checkpoints in transformers' format, from a folder on this machine.

Each family of `checkpoints.families` is stated once here. A folder is read and nothing else: safetensors only, no
remote code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from logging import CRITICAL
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, cast

import torch
from torch import Tensor

from workbench.backend import Anatomy, Tokens
from workbench.errors import WeightsRefused
from workbench.heads import Head
from workbench.loading import compact, tokenizers
from workbench.loading.anatomy import Image, anatomy, attention, map_layers, text_anatomy
from workbench.loading.folding import quicken, quicken_activations
from workbench.loading.last_step import clip_head, pooled
from workbench.loading.torch_backend import TowerParts
from workbench.preprocessing import Preprocessing

RESAMPLING = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers


@dataclass(frozen=True)
class TransformersFamily:
    """What distinguishes one of transformers' families; called, it reads a folder."""

    model: str  # "module:Class"
    tokenizer: Callable[[Path, dict[str, Any]], Callable[[Sequence[str]], Tokens]]  # folder, content of config.json
    image: Callable[[Any], Image] = lambda model: _image(model)
    text: Callable[[Any], Callable[[Tensor, Tensor], Tensor]] = lambda model: _text(model)
    head: Callable[[Any], Head | None] = lambda model: None

    def __call__(self, folder: Path, device: torch.device, dtype: torch.dtype, *, frozen: bool = True) -> TowerParts:
        """Load both towers, the tokenizer and the preprocessing of a folder in the hub's format.

        Args:
            folder: holds config.json, safetensors, tokenizer and preprocessing.
            device: where the weights go.
            dtype: what they become.
            frozen: made quick and without gradient, to answer; False leaves every weight as saved, to be trained.

        Raises:
            WeightsRefused: weights that are no safetensors, too few or too many.
        """
        model = _model(folder, self.model, dtype).to(device).eval()
        if frozen:
            quicken(model.vision_model)
            quicken_activations(model)
        model.requires_grad_(not frozen)
        preprocessing = preprocessing_of(folder, model.config.vision_config)
        image = self.image(model)
        return TowerParts(
            module=model,
            image=image,
            text=self.text(model),
            tokenize=self.tokenizer(folder, tokenizers.read_json(folder, "config.json")),
            preprocessing=preprocessing,
            anatomy=replace(anatomy(model.vision_model, preprocessing.size), head=self.head(model)),
            dim=_dim(model),
            logit_scale=float(model.logit_scale.detach().float().exp()),
            logit_bias=float(model.logit_bias.detach().float()) if hasattr(model, "logit_bias") else 0.0,
            score="sigmoid" if hasattr(model, "logit_bias") else "softmax",
            attention=attention(model.vision_model, image),
            text_anatomy=text_anatomy(model.text_model),
            token_embedding=model.text_model.get_input_embeddings(),
        )


def dual_encoder(folder: Path, device: torch.device, dtype: torch.dtype, *, frozen: bool = True) -> TowerParts:
    """Load a VisionTextDualEncoder; that of the shipped models without a model library."""
    config = tokenizers.read_json(folder, "config.json")
    if compact.fits(config):
        return _compact(folder, config, device, dtype=dtype, frozen=frozen)
    return _dual_encoder(folder, device, dtype, frozen=frozen)


def _compact(
    folder: Path, config: dict[str, Any], device: torch.device, *, dtype: torch.dtype, frozen: bool
) -> TowerParts:
    """The shipped model's architecture, read without a model library."""
    model, missing, unexpected, mismatched = compact.load(folder, config)
    refuse_gaps(folder, missing=missing, unexpected=unexpected, mismatched=mismatched)
    model = model.to(device=device, dtype=dtype).eval()
    tower = model.vision_model["timm_model"]
    if frozen:
        quicken(tower)
    model.requires_grad_(not frozen)
    preprocessing = preprocessing_of(folder)
    cells = math.ceil(preprocessing.size / compact.SHRINKS)
    return TowerParts(
        module=model,
        image=model.image,
        text=model.text,
        tokenize=_dual_tokenizer(folder, config),
        preprocessing=preprocessing,
        anatomy=Anatomy(
            "convolutional", map_layers(tower), (cells, cells), head=pooled(tower, model.visual_projection)
        ),
        dim=int(config["projection_dim"]),
        logit_scale=float(model.logit_scale.detach().float().exp()),
        text_anatomy=text_anatomy(model.text_model),
        token_embedding=cast(torch.nn.Embedding, model.text_model.embeddings["word_embeddings"]),
    )


def _model(folder: Path, place: str, dtype: torch.dtype) -> Any:
    """Load the weights into the class at a place, all of them and no others."""
    from safetensors import SafetensorError
    from transformers.utils import logging

    # bars and hints on stderr are the shell's business; what matters in them is raised here as an error
    logging.disable_progress_bar()
    before = logging.get_verbosity()
    logging.set_verbosity(CRITICAL)
    try:
        model, info = resolve_name(place).from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, ImportError, LookupError, TypeError, SafetensorError) as error:
        why = str(error).replace(str(folder), folder.name).strip().split("\n")[0][:300]
        raise WeightsRefused(
            f"A checkpoint here is a folder with config.json and safetensors; {folder.name!r} cannot be loaded: {why}"
        ) from None
    finally:
        logging.set_verbosity(before)
    refuse_gaps(folder, info["missing_keys"], info["unexpected_keys"], mismatched=info["mismatched_keys"])
    return model


def refuse_gaps(folder: Path, missing: Any, unexpected: Any, *, mismatched: Any = ()) -> None:
    """Refuse a checkpoint that does not fit its configuration to the last tensor.

    Raises:
        WeightsRefused: naming up to three tensors of each kind.
    """
    gaps = []
    for kind, names in (("lacks", missing), ("has unexpected", unexpected), ("has in another shape", mismatched)):
        if names:
            few = ", ".join(sorted(str(name[0] if isinstance(name, tuple) else name) for name in names)[:3])
            gaps.append(f"{kind} {few}{f' and {len(names) - 3} more' if len(names) > 3 else ''}")
    if gaps:
        raise WeightsRefused(
            f"The weights of {folder.name!r} do not fit its configuration: the checkpoint {'; '.join(gaps)}. "
            "Nothing is filled in at random."
        )


def _image(model: Any) -> Image:
    return lambda pixels: model.get_image_features(pixel_values=pixels).pooler_output


def _naflex_image(model: Any) -> Image:
    """SigLIP 2 with a flexible grid takes patches; the square picture is its square grid."""
    patch = int(model.config.vision_config.patch_size)

    def image(pixels: Tensor) -> Tensor:
        n, channels, height, width = pixels.shape
        rows, columns = height // patch, width // patch
        cut = pixels.reshape(n, channels, rows, patch, columns, patch).permute(0, 2, 4, 3, 5, 1)
        patches = cut.reshape(n, rows * columns, patch * patch * channels)
        mask = torch.ones(n, rows * columns, dtype=torch.int32, device=pixels.device)
        shapes = torch.tensor([[rows, columns]] * n, device=pixels.device)
        features: Tensor = model.get_image_features(
            pixel_values=patches, pixel_attention_mask=mask, spatial_shapes=shapes
        ).pooler_output
        return features

    return image


def _text(model: Any) -> Callable[[Tensor, Tensor], Tensor]:
    # CLIP looks backwards only and SigLIP was trained to see its padding: neither needs a mask
    return lambda ids, mask: model.get_text_features(input_ids=ids).pooler_output


def _masked_text(model: Any) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda ids, mask: model.get_text_features(input_ids=ids, attention_mask=mask).pooler_output


def _dim(model: Any) -> int:
    text = model.config.text_config
    return int(getattr(model.config, "projection_dim", None) or getattr(text, "projection_size", text.hidden_size))


def preprocessing_of(folder: Path, vision: Any = None) -> Preprocessing:
    """Read how a model folder wants pictures prepared.

    Args:
        folder: in the hub's format.
        vision: the image tower's configuration, where the folder gives a number of patches instead of a size.

    Raises:
        WeightsRefused: a file is missing or no JSON object, or it asks for what `Preprocessing` cannot say.
    """
    if (folder / "preprocessor_config.json").is_file():
        config = tokenizers.read_json(folder, "preprocessor_config.json")
    else:
        config = tokenizers.read_json(folder, "processor_config.json").get("image_processor", {})
    if "image_mean" not in config or "image_std" not in config:
        raise WeightsRefused(f"The preprocessing of {folder.name!r} names no image_mean and image_std.")
    resample = config.get("resample", 3)
    if resample not in RESAMPLING:
        raise WeightsRefused(f"Pictures are resized by bilinear or bicubic rules; {folder.name!r} asks for {resample}.")
    squash, side = _square(folder, config, vision)
    return Preprocessing(
        size=side,
        mean=tuple(config["image_mean"]),
        std=tuple(config["image_std"]),
        interpolation=RESAMPLING[resample],  # type: ignore[arg-type]
        resize="squash" if squash else "shortest",
    )


def _square(folder: Path, config: dict[str, Any], vision: Any) -> tuple[bool, int]:
    """Whether the shape is squashed, and the side of the square."""
    if "max_num_patches" in config:
        return True, math.isqrt(int(config["max_num_patches"])) * int(config.get("patch_size", vision.patch_size))
    sides = {name: config.get(name) for name in ("size", "crop_size")}
    edges = {name: _edges(value) for name, value in sides.items() if value}
    crops = bool(config.get("do_center_crop", False))
    squash = not crops and isinstance(sides["size"], dict) and "height" in sides["size"]
    wanted = set(edges["size"]) | (set(edges["crop_size"]) if crops and "crop_size" in edges else set())
    if len(wanted) != 1:
        raise WeightsRefused(
            f"Pictures become one square, resized and cropped to the same side; {folder.name!r} asks for {sides}."
        )
    return squash, wanted.pop()


def _edges(value: Any) -> list[int]:
    return [int(side) for side in value.values() if side] if isinstance(value, dict) else [int(value)]


def _clip_tokenizer(folder: Path, config: dict[str, Any]) -> Callable[[Sequence[str]], Tokens]:
    built = tokenizers.clip_from_folder(folder)
    return tokenizers.reader(built, limit=_limit(config, 77), pad_id=0, fold=str.lower)


def _siglip_tokenizer(folder: Path, config: dict[str, Any]) -> Callable[[Sequence[str]], Tokens]:
    settings, built = tokenizers.read_json(folder, "tokenizer_config.json"), tokenizers.from_folder(folder)
    fold = tokenizers.canonical if settings.get("tokenizer_class") == "SiglipTokenizer" else str.lower
    pad_id = tokenizers.padding_id(folder, built)
    return tokenizers.reader(built, limit=_limit(config, 64), pad_id=pad_id, fold=fold, whole=True)


def _dual_tokenizer(folder: Path, config: dict[str, Any]) -> Callable[[Sequence[str]], Tokens]:
    settings, built = tokenizers.read_json(folder, "tokenizer_config.json"), tokenizers.from_folder(folder)
    limit = _limit(config, 77)
    limit = min(limit, int(settings.get("model_max_length", limit)))
    return tokenizers.reader(built, limit=limit, pad_id=tokenizers.padding_id(folder, built))


def _xlm_tokenizer(folder: Path, config: dict[str, Any]) -> Callable[[Sequence[str]], Tokens]:
    """Sentence pieces of XLM-RoBERTa, or of another vocabulary in its place; cut to 77 tokens as in training."""
    built = tokenizers.from_folder(folder)
    return tokenizers.reader(built, limit=77, pad_id=tokenizers.padding_id(folder, built))


def _chinese_tokenizer(folder: Path, config: dict[str, Any]) -> Callable[[Sequence[str]], Tokens]:
    """BERT's word pieces, 52 of them. Source: Yang et al. 2022, arXiv:2211.01335, and its repository."""
    built = tokenizers.bert_from_folder(folder)
    return tokenizers.reader(built, limit=52, pad_id=built.token_to_id("[PAD]") or 0)


def _limit(config: dict[str, Any], default: int) -> int:
    """Return the context length in tokens."""
    return int(config.get("text_config", {}).get("max_position_embeddings", default))


clip = TransformersFamily("transformers.models.clip.modeling_clip:CLIPModel", _clip_tokenizer, head=clip_head)
siglip = TransformersFamily("transformers.models.siglip.modeling_siglip:SiglipModel", _siglip_tokenizer)
siglip2 = TransformersFamily(
    "transformers.models.siglip2.modeling_siglip2:Siglip2Model", _siglip_tokenizer, image=_naflex_image
)
altclip = TransformersFamily(
    "transformers.models.altclip.modeling_altclip:AltCLIPModel", _xlm_tokenizer, text=_masked_text, head=clip_head
)
chinese_clip = TransformersFamily(
    "transformers.models.chinese_clip.modeling_chinese_clip:ChineseCLIPModel",
    _chinese_tokenizer,
    text=_masked_text,
    head=clip_head,
)
metaclip_2 = TransformersFamily(
    "transformers.models.metaclip_2.modeling_metaclip_2:MetaClip2Model", _xlm_tokenizer, head=clip_head
)
_dual_encoder = TransformersFamily(
    "transformers.models.vision_text_dual_encoder.modeling_vision_text_dual_encoder:VisionTextDualEncoderModel",
    _dual_tokenizer,
    text=_masked_text,
    head=lambda model: pooled(model.vision_model, model.visual_projection),
)
