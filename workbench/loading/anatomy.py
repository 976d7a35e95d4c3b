"""What can be looked at inside a tower: its blocks, its token grid, and its attention with gradient.

Towers of transformers, open_clip and timm are recognised by their parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.backend import Anatomy
from workbench.hooks import recorded

Image = Callable[[Tensor], Tensor]  # normalised pixels -> embeddings
Attend = Callable[[Tensor], tuple[Tensor, list[Tensor]]]


def anatomy(tower: Any, size: int) -> Anatomy:
    """Name the blocks of an image tower, input side first.

    Args:
        tower: the image tower of transformers or open_clip.
        size: side of the square that it sees, in pixels.
    """
    tower = bare(tower)
    blocks, prefix = _token_blocks(tower)
    if blocks:
        grid = _token_grid(tower, size)
        return Anatomy("vit", blocks, grid, prefix) if grid else Anatomy("flat")
    layers = map_layers(tower)
    if not layers:
        return Anatomy("flat")
    grid = _probe(tower, list(layers.values())[-1], size)
    return Anatomy("convolutional", layers, grid) if grid else Anatomy("flat")


def text_anatomy(tower: Any) -> Anatomy:
    """Name the blocks of a text tower, input side first; "flat" where it has none that are known."""
    blocks, _ = _token_blocks(tower)
    return Anatomy("text", blocks) if blocks else Anatomy("flat")


def attention(tower: Any, image: Image) -> Attend | None:
    """Return the function that runs the tower with visible attention, or None where it has no attention blocks.

    For that one call the fused kernels, which keep no attention, are replaced by plain ones; then they are put back.
    The device has one owner at a time, so nobody else meets the tower in between.
    """
    parts = _attending(bare(tower))
    if not parts:
        return None

    def attend(pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps: list[Tensor] = []
        with ExitStack() as stack:
            for part in parts:
                stack.enter_context(_visible(part, maps))
            return image(pixels), maps

    return attend


def bare(tower: Any) -> Any:
    """Take timm's model out of what transformers or open_clip wrap around it."""
    for wrapper in ("timm_model", "trunk"):
        tower = getattr(tower, wrapper, tower)
    return tower


def _token_blocks(tower: Any) -> tuple[dict[str, nn.Module], int]:
    """Blocks that return (n, tokens, width), and how many tokens stand in front of the grid."""
    if hasattr(tower, "encoder") and hasattr(tower, "embeddings"):  # transformers
        name = "layers" if hasattr(tower.encoder, "layers") else "layer"
        has_class = hasattr(tower.embeddings, "class_embedding") or hasattr(tower.embeddings, "cls_token")
        return _numbered(name, getattr(tower.encoder, name)), int(has_class)
    if hasattr(tower, "transformer") and hasattr(tower.transformer, "resblocks"):  # open_clip
        return _numbered("resblocks", tower.transformer.resblocks), 1
    if hasattr(tower, "patch_embed") and hasattr(tower, "blocks") and hasattr(tower, "num_prefix_tokens"):  # timm
        return _numbered("blocks", tower.blocks), int(tower.num_prefix_tokens)
    return {}, 0


def _token_grid(tower: Any, size: int) -> tuple[int, int] | None:
    if hasattr(tower, "config"):  # transformers
        side = size // int(tower.config.patch_size)
        return side, side
    grid = tower.grid_size if hasattr(tower, "grid_size") else getattr(tower.patch_embed, "grid_size", None)
    return (int(grid[0]), int(grid[1])) if grid else None


def map_layers(tower: Any) -> dict[str, nn.Module]:
    """Parts that return (n, channels, rows, columns)."""
    if hasattr(tower, "layer4"):  # ResNet, OpenAI's and timm's
        return {name: getattr(tower, name) for name in ("layer1", "layer2", "layer3", "layer4")}
    if hasattr(tower, "conv_head") and hasattr(tower, "blocks"):  # EfficientNet; bn2 holds the activation
        return {**_numbered("blocks", tower.blocks), "conv_head": tower.bn2}
    if hasattr(tower, "stages"):  # FastViT (MobileCLIP), ConvNeXt and kin
        last = {"final_conv": tower.final_conv} if isinstance(getattr(tower, "final_conv", None), nn.Module) else {}
        return {**_numbered("stages", tower.stages), **last}
    return {}


def _numbered(name: str, blocks: Any) -> dict[str, nn.Module]:
    return {f"{name}.{number}": block for number, block in enumerate(blocks)}


def _probe(tower: nn.Module, layer: nn.Module, size: int) -> tuple[int, int] | None:
    """Rows and columns of a layer's output; None where it is not (n, channels, rows, columns)."""
    first = next(tower.parameters())
    with torch.inference_mode(), recorded({"last": layer}) as values:
        tower(torch.zeros(1, 3, size, size, device=first.device, dtype=first.dtype))
    shape = values["last"].shape if "last" in values else ()
    # square pictures give square maps; channels come first only where the last two sides agree
    return (int(shape[2]), int(shape[3])) if len(shape) == 4 and shape[2] == shape[3] else None


def _attending(tower: Any) -> list[Any]:
    """The attention of each block, input side first; empty where a block has none that can be made visible."""
    blocks, _ = _token_blocks(tower)
    parts = []
    for block in blocks.values():
        for name in ("self_attn", "attn", "attention"):
            part = getattr(block, name, None)
            if isinstance(part, nn.Module):
                parts.append(getattr(part, "attention", part))  # transformers' ViT nests one deeper
                break
    readable = all(
        isinstance(part, nn.MultiheadAttention) or hasattr(part, "fused_attn") or hasattr(part, "config")
        for part in parts
    )
    return parts if readable and len(parts) == len(blocks) else []


@contextmanager
def _visible(part: Any, maps: list[Tensor]) -> Iterator[None]:
    """Make one attention module keep its (n, heads, tokens, tokens) weights in `maps`."""
    if isinstance(part, nn.MultiheadAttention):
        vars(part)["forward"] = _plain_attention(part, maps)  # shadows the method
        try:
            yield
        finally:
            del vars(part)["forward"]
        return
    timm = hasattr(part, "fused_attn")
    owner, name, plain = (part, "fused_attn", False) if timm else (part.config, "_attn_implementation", "eager")
    before = getattr(owner, name)
    setattr(owner, name, plain)
    try:
        if timm:
            with part.attn_drop.register_forward_hook(lambda module, inputs, output: maps.append(output)):
                yield
        else:  # transformers returns output and weights
            with part.register_forward_hook(lambda module, inputs, output: maps.append(output[1])):
                yield
    finally:
        setattr(owner, name, before)


def _plain_attention(part: nn.MultiheadAttention, maps: list[Tensor]) -> Callable[..., tuple[Tensor, None]]:
    """Self-attention written out, so that the weights in `maps` are the ones the output was made from."""

    def forward(query: Tensor, key: Tensor, value: Tensor, **_: Any) -> tuple[Tensor, None]:
        n, tokens, width = query.shape
        joined = functional.linear(query, part.in_proj_weight, part.in_proj_bias)
        q, k, v = joined.view(n, tokens, 3, part.num_heads, part.head_dim).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-1, -2) * part.head_dim**-0.5).softmax(dim=-1)
        maps.append(weights)
        return part.out_proj((weights @ v).transpose(1, 2).reshape(n, tokens, width)), None

    return forward
