"""A small ViT of seeded weights in which one head looks at things and one, known, reads words.

A thing is a red or green ground; a word is a patch of blue with the other colour in it. Head 0 of block 0 takes the
mean over all patches; head 2 of block 1 looks at blue patches alone, and what it carries outweighs the thing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from workbench.backend import Reading, Tokens
from workbench.checkpoints.shipped import FAKE
from workbench.loading.anatomy import anatomy, attention
from workbench.loading.last_step import of_open_clip
from workbench.loading.torch_backend import TorchBackend, TowerParts
from workbench.preprocessing import Preprocessing
from workbench.typographic.measuring import AttackedSet

PATCH, HEAD_WIDTH = 16, 8
READER = (1, 2)  # block, head
NAMES = ("green", "red")
THING, WORD = 16, 5.0  # first dimension of the names in the residual stream; how much louder a word is


def planted_reader(*, width: int = 32, layers: int = 3, side: int = 64) -> TorchBackend:
    from dataclasses import replace

    from open_clip.model import CLIP

    torch.manual_seed(0)
    vision = {"image_size": side, "layers": layers, "width": width, "patch_size": PATCH, "head_width": HEAD_WIDTH}
    model = CLIP(24, vision, {"context_length": 8, "vocab_size": 12, "width": 16, "heads": 2, "layers": 1})
    model.eval().requires_grad_(False)
    tower = model.visual
    for part in tower.transformer.resblocks.parameters():
        if part.ndim > 1:
            part.mul_(0.05)
    tower.conv1.weight.zero_()
    for channel in range(3):
        tower.conv1.weight[channel, channel] = 1 / PATCH**2
    tower.class_embedding.zero_()
    tower.class_embedding[8] = 1
    tower.positional_embedding.zero_()
    _plant(tower.transformer.resblocks[0].attn, 0, looks=0.0, loudness=1.0)
    _plant(tower.transformer.resblocks[READER[0]].attn, READER[1], looks=3.0, loudness=WORD)
    tower.proj.zero_()
    tower.proj[THING, 1] = tower.proj[THING + 1, 0] = 1  # red, green
    towers = TowerParts(
        module=model,
        image=model.encode_image,
        text=lambda ids, mask: torch.eye(24)[ids[:, 0]],
        tokenize=_tokenize,
        preprocessing=Preprocessing(side, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
        anatomy=replace(anatomy(tower, side), head=of_open_clip(model)),
        dim=24,
        logit_scale=10.0,
        attention=attention(tower, model.encode_image),
    )
    return TorchBackend(FAKE, towers, "reader")


def pictures(*, side: int = 64, each: int = 8) -> AttackedSet:
    """Red and green grounds of several shades, each with the other's name in two patches of one row."""
    rng, clean, written, truth = np.random.default_rng(0), [], [], []
    for number in range(2 * each):
        name = NAMES[number % 2]
        ground = np.zeros((side, side, 3), np.uint8)
        ground[..., 0 if name == "red" else 1] = rng.integers(180, 256)
        row, column = PATCH * rng.integers(side // PATCH), PATCH * rng.integers(side // PATCH - 1)
        marked = ground.copy()
        marked[row : row + PATCH, column : column + 2 * PATCH] = (0, 255, 255) if name == "red" else (255, 0, 255)
        clean.append(Image.fromarray(ground))
        written.append(Image.fromarray(marked))
        truth.append(name)
    words = tuple("green" if name == "red" else "red" for name in truth)
    return AttackedSet(tuple(clean), tuple(written), tuple(truth), words, NAMES)


def _plant(part: torch.nn.MultiheadAttention, head: int, *, looks: float, loudness: float) -> None:
    """Let a head look at blue, or at everything alike where `looks` is 0, and carry red and green to the names."""
    width, first = part.embed_dim, head * HEAD_WIDTH
    rows = part.in_proj_weight
    for at in (0, width, 2 * width):
        rows[at + first : at + first + HEAD_WIDTH] = 0
        part.in_proj_bias[at + first : at + first + HEAD_WIDTH] = 0
    part.in_proj_bias[first] = 2 * looks
    rows[width + first, 2] = looks
    rows[2 * width + first, 0] = rows[2 * width + first + 1, 1] = 1
    part.out_proj.weight[:, first : first + HEAD_WIDTH] = 0
    part.out_proj.weight[THING, first] = part.out_proj.weight[THING + 1, first + 1] = loudness


def _tokenize(texts: Sequence[str]) -> Tokens:
    ids: Tensor = torch.tensor([[NAMES.index("red" if "red" in text else "green")] for text in texts])
    return Tokens(ids, torch.ones_like(ids), tuple(Reading(text, 1, 77) for text in texts))
