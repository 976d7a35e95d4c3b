"""Recognises the last step of an image tower, so that what each unit adds to an answer can be told exactly."""

from __future__ import annotations

from typing import Any

from torch import nn

from workbench.heads import AttentionBlock, AttentionHead, Head, MeanHead, TokenHead
from workbench.loading.anatomy import bare


def pooled(tower: Any, projection: Any) -> Head | None:
    """The head of a convolutional tower that ends in an average over cells; None where anything stands in between."""
    inner = bare(tower)
    plain = hasattr(inner, "conv_head") and hasattr(inner, "bn2")  # EfficientNet: average, then our projection
    return MeanHead(projection) if plain and isinstance(projection, nn.Linear) else None


def of_open_clip(model: Any) -> Head | None:
    """The head of open_clip's own towers; None for timm's."""
    tower = model.visual
    if hasattr(tower, "attnpool"):
        return AttentionHead(tower.attnpool)
    if not hasattr(tower, "transformer") or not isinstance(getattr(tower, "proj", None), nn.Parameter):
        return None
    if getattr(tower, "attn_pool", None) is not None or getattr(tower, "pool_type", "") != "tok":
        return None
    blocks = []
    for block in tower.transformer.resblocks:
        part = block.attn
        scaled = any(not isinstance(getattr(block, name, None), nn.Identity | None) for name in ("ls_1", "ls_2"))
        if scaled or not isinstance(part, nn.MultiheadAttention) or part.in_proj_weight is None:
            return None
        query, key, value = zip(part.in_proj_weight.chunk(3), part.in_proj_bias.chunk(3), strict=True)
        out = (part.out_proj.weight, part.out_proj.bias)
        blocks.append(AttentionBlock(block, part, block.mlp, query, key, value, out, part.num_heads))
    return TokenHead(tower.ln_post, tower.proj.T, tuple(blocks))


def clip_head(model: Any) -> Head:
    """The head of transformers' CLIP."""
    tower = model.vision_model
    blocks = []
    for block in tower.encoder.layers:
        part = block.self_attn
        query, key, value, out = (
            (one.weight, one.bias) for one in (part.q_proj, part.k_proj, part.v_proj, part.out_proj)
        )
        blocks.append(AttentionBlock(block, part, block.mlp, query, key, value, out, part.num_heads))
    return TokenHead(tower.post_layernorm, model.visual_projection.weight, tuple(blocks))
