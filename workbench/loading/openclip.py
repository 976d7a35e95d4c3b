"""Checkpoints in open_clip's format, from a local folder: its own towers, timm's, and borrowed text towers.

`load_folder` reads `open_clip_config.json` and safetensors, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench.backend import Tokens
from workbench.errors import WeightsRefused
from workbench.loading import tokenizers
from workbench.loading.anatomy import anatomy, attention, text_anatomy
from workbench.loading.borrowed_text import CONTEXT, with_local_configuration
from workbench.loading.folding import quicken, quicken_activations
from workbench.loading.hf import refuse_gaps
from workbench.loading.last_step import of_open_clip
from workbench.loading.torch_backend import TowerParts
from workbench.preprocessing import Preprocessing

WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")


def load_folder(folder: Path, device: torch.device, dtype: torch.dtype, *, frozen: bool = True) -> TowerParts:
    """Load both towers, the tokenizer and the preprocessing of a folder in open_clip's hub format.

    Args:
        folder: holds open_clip_config.json, safetensors and, where it is not OpenAI's, the tokenizer.
        device: where the weights go.
        dtype: what they become.
        frozen: made quick and without gradient, to answer; False leaves every weight as it is saved, to be trained.

    Raises:
        WeightsRefused: weights that are no safetensors, too few or too many; an architecture that is not read here.
    """
    config = tokenizers.read_json(folder, "open_clip_config.json")
    architecture = dict(config.get("model_cfg") or {})
    state = _state(folder)
    model = _model(folder, architecture, state)
    _fill(folder, model, state)
    model = model.to(device=device, dtype=dtype).eval()
    if frozen:
        quicken(model.visual)
        quicken_activations(model)
    model.requires_grad_(not frozen)
    size = _side(folder, model.visual.image_size)
    preprocessing = _preprocessing(folder, config.get("preprocess_cfg") or {}, size)
    return TowerParts(
        module=model,
        image=model.encode_image,
        text=_text(model),
        tokenize=_tokenizer(folder, architecture, model),
        preprocessing=preprocessing,
        anatomy=replace(anatomy(model.visual, size), head=of_open_clip(model)),
        dim=int(architecture["embed_dim"]),
        logit_scale=float(model.logit_scale.detach().float().exp()),
        logit_bias=float(model.logit_bias.detach().float()) if model.logit_bias is not None else 0.0,
        score="sigmoid" if model.logit_bias is not None else "softmax",
        attention=attention(model.visual, model.encode_image),
        text_anatomy=text_anatomy(_text_tower(model)),
        token_embedding=_token_embedding(_text_tower(model)),
    )


def _model(folder: Path, architecture: dict[str, Any], state: dict[str, Tensor]) -> Any:
    """Build the towers that the configuration describes, not yet with weights."""
    from open_clip.model import CLIP, CustomTextCLIP

    if "multimodal_cfg" in architecture:
        raise WeightsRefused(f"Models that write captions are not read here; {folder.name!r} holds one.")
    settings = {name: value for name, value in architecture.items() if name != "custom_text"}
    borrows = "hf_model_name" in (architecture.get("text_cfg") or {})
    kind = CustomTextCLIP if architecture.get("custom_text") or borrows else CLIP
    try:
        if not borrows:
            return kind(**settings)
        shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
        with with_local_configuration(settings, shapes) as local:
            return kind(**local)
    except (TypeError, ValueError, RuntimeError, KeyError, AssertionError, AttributeError) as error:
        raise WeightsRefused(
            f"The architecture in open_clip_config.json of {folder.name!r} cannot be built: {str(error)[:300]}"
        ) from None


def _state(folder: Path) -> dict[str, Tensor]:
    """Read the weights."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if file is None:
        raise WeightsRefused(f"Weights are read from {' or '.join(WEIGHTS)} only; {folder.name!r} holds neither.")
    try:
        return load_file(file)
    except (SafetensorError, OSError) as error:
        raise WeightsRefused(f"The file {file.name} of {folder.name!r} is no safetensors ({error}).") from None


def _fill(folder: Path, model: nn.Module, state: dict[str, Tensor]) -> None:
    """Copy the weights in, all of them and no others."""
    from open_clip.model import convert_to_custom_text_state_dict

    state = {name: tensor for name, tensor in state.items() if not name.endswith("position_ids")}  # 0, 1, 2, …
    if "positional_embedding" in state and not hasattr(model, "positional_embedding"):
        state = convert_to_custom_text_state_dict(state)
    own = model.state_dict()
    for name in ("logit_scale", "logit_bias"):  # one number, saved with or without a dimension
        if name in state and name in own and state[name].numel() == 1:
            state[name] = state[name].reshape(own[name].shape)
    wrong = [name for name in state if name in own and state[name].shape != own[name].shape]
    counters = {name for name in own if name.endswith("num_batches_tracked")}  # of no use after training
    refuse_gaps(folder, own.keys() - state.keys() - counters, state.keys() - own.keys(), mismatched=wrong)
    model.load_state_dict({**{name: own[name] for name in counters}, **state}, strict=True)


def _side(folder: Path, size: Any) -> int:
    sides = set(size) if isinstance(size, (tuple, list)) else {size}
    if len(sides) != 1:
        raise WeightsRefused(f"Image towers see a square; {folder.name!r} asks for {size}.")
    return int(sides.pop())


def _preprocessing(folder: Path, config: dict[str, Any], size: int) -> Preprocessing:
    from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    resize = config.get("resize_mode") or "shortest"
    interpolation = config.get("interpolation") or "bicubic"
    if resize not in ("shortest", "squash") or interpolation not in ("bicubic", "bilinear"):
        raise WeightsRefused(
            "Pictures are cropped or squashed, by bilinear or bicubic rules; "
            f"{folder.name!r} asks for {resize!r} and {interpolation!r}."
        )
    return Preprocessing(
        size=size,
        mean=tuple(config.get("mean") or OPENAI_DATASET_MEAN),
        std=tuple(config.get("std") or OPENAI_DATASET_STD),
        interpolation=interpolation,  # type: ignore[arg-type]
        resize=resize,  # type: ignore[arg-type]
    )


def _text_tower(model: Any) -> Any:
    """Return the text tower; of a borrowed one, what transformers made."""
    tower = getattr(model, "text", model)
    return getattr(tower, "transformer", tower) if hasattr(tower, "pooler") else tower


def _token_embedding(tower: Any) -> Any:
    return tower.token_embedding if hasattr(tower, "token_embedding") else tower.get_input_embeddings()


def _looks_back(model: Any) -> bool:
    """Whether a token sees only what stands before it, so that padding behind the end can be left out."""
    text = _text_tower(model)
    pool = getattr(text, "pool_type", None) or getattr(model, "text_pool_type", None)
    return (
        getattr(text, "attn_mask", None) is not None
        and pool in ("argmax", "eos")
        and getattr(text, "cls_emb", None) is None
    )


def _text(model: Any) -> Callable[[Tensor, Tensor], Tensor]:
    if not _looks_back(model):
        return lambda ids, mask: model.encode_text(ids)
    tower = getattr(model, "text", model)
    pool = getattr(model, "text_pool_type", None) or tower.pool_type
    end = getattr(model, "text_eos_id", None) or tower.eos_id

    def text(ids: Tensor, mask: Tensor) -> Any:
        """Do what `encode_text` does, which takes 77 tokens only, with as many as there are."""
        from open_clip.transformer import text_global_pool

        length = ids.shape[1]
        rows = tower.token_embedding(ids) + tower.positional_embedding[:length]
        rows = tower.transformer(rows, attn_mask=tower.attn_mask[:length, :length])
        rows = text_global_pool(tower.ln_final(rows), ids, pool, eos_token_id=end)
        projection = tower.text_projection
        if projection is None:
            return rows
        return projection(rows) if isinstance(projection, nn.Module) else rows @ projection

    return text


def _tokenizer(folder: Path, architecture: dict[str, Any], model: Any) -> Callable[[Sequence[str]], Tokens]:
    config = architecture.get("text_cfg") or {}
    borrows = "hf_model_name" in config  # such a tower leaves padding out by itself
    limit = int(config.get("context_length", CONTEXT) if borrows else model.context_length)
    whole = not borrows and not _looks_back(model)
    options = dict(config.get("tokenizer_kwargs") or {})
    unread = options.keys() - {"clean", "strip_sep_token"}
    if unread or config.get("tokenizer_mode"):
        raise WeightsRefused(f"The tokenizer of {folder.name!r} asks for options that are not read here: {unread}.")
    if not config.get("hf_tokenizer_name"):
        from open_clip import SimpleTokenizer

        shipped = SimpleTokenizer()  # OpenAI's vocabulary
        built = tokenizers.clip_tokenizer(shipped.encoder, list(shipped.bpe_ranks))
        return tokenizers.reader(built, limit=limit, pad_id=0, fold=str.lower, whole=whole)
    folds: dict[str, Callable[[str], str]] = {
        "canonicalize": tokenizers.canonical,
        "lower": str.lower,
        "whitespace": str,
    }
    tokenizer = tokenizers.from_folder(folder)
    pad_id = tokenizers.padding_id(folder, tokenizer)
    fold = folds[options.get("clean", "whitespace")]
    read = tokenizers.reader(tokenizer, limit=limit, pad_id=pad_id, fold=fold, whole=whole)
    return tokenizers.without(read, tokenizer.token_to_id("[SEP]")) if options.get("strip_sep_token") else read
