"""Tiny models of seeded weights in diffusers' own format, and a toy that sees mean colours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

CHANNELS = 32


def unet(folder: Path, **given: Any) -> Path:
    """A U-Net over 16 pixels with its scheduler."""
    from diffusers import DDIMScheduler, UNet2DModel

    torch.manual_seed(0)
    network = UNet2DModel(
        sample_size=16, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(CHANNELS, CHANNELS),
        down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
        norm_num_groups=8, add_attention=False, **given,
    )  # fmt: skip
    network.save_pretrained(folder / "unet")
    scheduler = DDIMScheduler(num_train_timesteps=100)
    scheduler.save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "DDIMPipeline"}))
    return folder


def autoencoder(folder: Path, kind: str) -> Path:
    """An autoencoder that halves the side once."""
    import diffusers

    torch.manual_seed(1)
    common: dict[str, Any] = {"in_channels": 3, "out_channels": 3}
    if kind == "AutoencoderTiny":
        module: Any = diffusers.AutoencoderTiny(
            **common, encoder_block_out_channels=(8, 8), decoder_block_out_channels=(8, 8), latent_channels=4,
            num_encoder_blocks=(1, 1), num_decoder_blocks=(1, 1),
        )  # fmt: skip
    else:
        blocks = {
            "down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2,
            "block_out_channels": (8, 8), "norm_num_groups": 4, "latent_channels": 4,
        }  # fmt: skip
        extra = {"num_vq_embeddings": 16} if kind == "VQModel" else {}
        module = getattr(diffusers, kind)(**common, **blocks, **extra)
    module.save_pretrained(folder)
    return folder


def stable_diffusion(folder: Path) -> Path:
    """A pipeline of Stable Diffusion's shape: U-Net, autoencoder, scheduler, text encoder and tokenizer."""
    from diffusers import PNDMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(2)
    UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(CHANNELS, CHANNELS),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16, attention_head_dim=8, norm_num_groups=8,
    ).save_pretrained(folder / "unet")  # fmt: skip
    PNDMScheduler(num_train_timesteps=100, skip_prk_steps=True).save_pretrained(folder / "scheduler")
    autoencoder(folder / "vae", "AutoencoderKL")
    letters = [*"abcdefghijklmnopqrstuvwxyz"]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = folder / "letters"
    vocabulary.mkdir(parents=True)
    (vocabulary / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (vocabulary / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(vocabulary / "vocab.json"), str(vocabulary / "merges.txt"))
    tokenizer.save_pretrained(folder / "tokenizer")
    config = CLIPTextConfig(
        vocab_size=len(tokens), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=16, bos_token_id=len(tokens) - 2, eos_token_id=len(tokens) - 1,
    )  # fmt: skip
    CLIPTextModel(config).save_pretrained(folder / "text_encoder")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    return folder
