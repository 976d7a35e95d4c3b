"""Full-size towers of seeded random weights in OpenAI's own implementation, saved as folders in the hub's formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn


def randomised(model: nn.Module, seed: int) -> nn.Module:
    """Give BatchNorm statistics and scales of its own: at rest they are 0 and 1, and zero scales silence blocks."""
    generator = torch.Generator().manual_seed(seed)

    def around(tensor: Tensor, middle: float, spread: float) -> None:
        tensor.copy_(middle + spread * (torch.rand(tensor.shape, generator=generator) - 0.5))

    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                around(part.running_mean, 0.0, 0.4)  # type: ignore[arg-type]
                around(part.running_var, 1.0, 0.8)  # type: ignore[arg-type]
                around(part.weight, 0.7, 0.6)
                around(part.bias, 0.0, 0.4)
            elif isinstance(part, nn.LayerNorm):
                around(part.weight, 1.0, 0.4)
                around(part.bias, 0.0, 0.2)
    return model.float().eval()


@pytest.fixture(scope="session")
def vit(openai: Any) -> Any:
    """ViT-B/32 as OpenAI built it."""
    torch.manual_seed(7)
    return randomised(openai.model.CLIP(512, 224, 12, 768, 32, 77, 49408, 512, 8, 12), 1)


@pytest.fixture(scope="session")
def resnet(openai: Any) -> Any:
    """RN50 as OpenAI built it."""
    torch.manual_seed(8)
    return randomised(openai.model.CLIP(1024, 224, (3, 4, 6, 3), 64, None, 77, 49408, 512, 8, 12), 2)


def transformers_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """OpenAI's tensors under transformers' names."""
    result = {"logit_scale": state["logit_scale"]}
    result["visual_projection.weight"] = state["visual.proj"].T.contiguous()
    result["text_projection.weight"] = state["text_projection"].T.contiguous()
    result["vision_model.embeddings.class_embedding"] = state["visual.class_embedding"]
    result["vision_model.embeddings.patch_embedding.weight"] = state["visual.conv1.weight"]
    result["vision_model.embeddings.position_embedding.weight"] = state["visual.positional_embedding"]
    result["text_model.embeddings.token_embedding.weight"] = state["token_embedding.weight"]
    result["text_model.embeddings.position_embedding.weight"] = state["positional_embedding"]
    norms = {
        "visual.ln_pre": "vision_model.pre_layrnorm",
        "visual.ln_post": "vision_model.post_layernorm",
        "ln_final": "text_model.final_layer_norm",
    }
    parts = {"attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
    parts |= {"ln_1": "layer_norm1", "ln_2": "layer_norm2"}
    for old, new in norms.items():
        for kind in ("weight", "bias"):
            result[f"{new}.{kind}"] = state[f"{old}.{kind}"]
    for old, new in (("visual.transformer", "vision_model"), ("transformer", "text_model")):
        for number in range(12):
            block, layer = f"{old}.resblocks.{number}", f"{new}.encoder.layers.{number}"
            for kind in ("weight", "bias"):
                for part, name in parts.items():
                    result[f"{layer}.{name}.{kind}"] = state[f"{block}.{part}.{kind}"]
                joined = state[f"{block}.attn.in_proj_{kind}"].chunk(3)
                for letter, piece in zip("qkv", joined, strict=True):
                    result[f"{layer}.self_attn.{letter}_proj.{kind}"] = piece.contiguous()
    return result


@pytest.fixture(scope="session")
def vit_transformers(vit: Any, vocabulary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ViT-B/32 as a folder in transformers' format."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    folder = tmp_path_factory.mktemp("vit-transformers")
    text = {"projection_dim": 512, "hidden_act": "quick_gelu", "eos_token_id": 49407, "bos_token_id": 49406}
    config = CLIPConfig(projection_dim=512, text_config=text, vision_config={"hidden_act": "quick_gelu"})
    with torch.device("meta"):
        model = CLIPModel(config)
    model.load_state_dict(transformers_names(vit.state_dict()), strict=True, assign=True)
    model.save_pretrained(folder)
    CLIPImageProcessor().save_pretrained(folder)
    for name in ("vocab.json", "merges.txt"):
        (folder / name).write_bytes((vocabulary / name).read_bytes())
    return folder


@pytest.fixture(scope="session")
def open_clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Save tensors as a folder in open_clip's format."""

    def save(architecture: str, state: dict[str, Tensor], **preprocess: Any) -> Path:
        import open_clip
        from safetensors.torch import save_file

        folder = tmp_path_factory.mktemp(architecture)
        config = {"model_cfg": open_clip.get_model_config(architecture), "preprocess_cfg": preprocess}
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        save_file({name: part.contiguous() for name, part in state.items()}, folder / "open_clip_model.safetensors")
        return folder

    return save
