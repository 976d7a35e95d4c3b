"""Learn a defence from pairs of images, clean and written on: a prefix of prompts, or directions to remove.

The image tower is asked once; what is learned is small, and the model's weights stay as they are.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from workbench.errors import Unsupported
from workbench.progress import Progress
from workbench.prompts import fill
from workbench.typographic.edits import prefixed

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend
    from workbench.typographic.measuring import AttackedSet

OPENING = "a photo of a"  # what a prompt begins with where the prefix stands before the class name
STEPS, CLASSES, BATCH, RATE = 150, 48, 128, 0.02
KEEP = 3.0  # weight of the clean answers' stability, as in the paper
RANK = 64  # directions that are removed


@dataclass(frozen=True)
class LearnedPrefix:
    """Rows for the text tower, (rows, width)."""

    rows: Tensor
    after: str = OPENING


@dataclass(frozen=True)
class LearnedProjection:
    """Directions to remove, (directions, dim), orthonormal."""

    removed: Tensor


def learn_prefix(
    model: TorchBackend, images: AttackedSet, *, seed: int, rows: int = 1, steps: int = STEPS
) -> Iterator[Progress | LearnedPrefix]:
    """Learn rows so that images with labels are named by what they show, and clean ones as before.

    Raises:
        Unsupported: a text tower without a table of tokens.

    Source:
        Azuma and Matsui 2023, arXiv:2304.04512: cross-entropy on written-on images, and 3.0 times the divergence of
        the clean ones' answers; a frozen CLIP and one token before the class name.
    """
    generator = torch.Generator().manual_seed(seed)
    clean, written = (model.embed_images(list(one)) for one in (images.clean, images.written))
    truth = torch.tensor([images.names.index(name) for name in images.truth])
    plain = model.embed_texts([fill(f"{OPENING} {{}}.", name) for name in images.names])
    table = model.token_table
    learned = (
        table.mean(dim=0).repeat(rows, 1) + 0.01 * torch.randn(rows, table.shape[1], generator=generator)
    ).detach()
    learned.requires_grad_()
    optimiser = torch.optim.Adam([learned], lr=RATE * float(table.std()) * 5)
    began = time.monotonic()
    for step in range(steps):
        classes = torch.randperm(len(images.names), generator=generator)[:CLASSES]
        inside = torch.isin(truth, classes).nonzero()[:, 0]
        batch = inside[torch.randperm(len(inside), generator=generator)[:BATCH]]
        tokens = model.tokenize([fill(f"{OPENING} {{}}.", images.names[at]) for at in classes])
        texts = functional.normalize(prefixed(model, learned, OPENING)(tokens.ids, tokens.mask).float(), dim=-1)
        wanted = (truth[batch][:, None] == classes).int().argmax(dim=1)
        scale = model.logit_scale
        loss = functional.cross_entropy(scale * written[batch] @ texts.T, wanted)
        before = (scale * clean[batch] @ plain[classes].T).softmax(dim=-1)
        after = (scale * clean[batch] @ texts.T).log_softmax(dim=-1)
        loss = loss + KEEP * functional.kl_div(after, before, reduction="batchmean")
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        yield Progress.timed(step + 1, steps, "steps", seconds=time.monotonic() - began, computed=step + 1)
    yield LearnedPrefix(learned.detach())


def learn_projection(
    model: TorchBackend, images: AttackedSet, *, seed: int, rank: int = RANK, steps: int = 2 * STEPS
) -> Iterator[Progress | LearnedProjection]:
    """Learn directions to remove from images and texts: written-on images shall be named as what they show.

    Raises:
        Unsupported: labels move nothing in this model.

    Source:
        after Materzynska et al. 2022, arXiv:2206.07835: an orthogonal projection; here the part that is removed is
        learned, and clean answers are held in place as for the prefix.
    """
    generator = torch.Generator().manual_seed(seed)
    clean, written = (model.embed_images(list(one)) for one in (images.clean, images.written))
    texts = model.embed_texts([fill(f"{OPENING} {{}}.", name) for name in images.names])
    truth = torch.tensor([images.names.index(name) for name in images.truth])
    if float((written - clean).abs().max()) == 0:
        raise Unsupported("Labels do not move this model's embeddings; there is nothing to remove.")
    before = (model.logit_scale * clean @ texts.T).softmax(dim=-1)
    basis = 0.05 * torch.randn(model.dim, min(rank, model.dim // 2), generator=generator)
    basis.requires_grad_()
    optimiser = torch.optim.Adam([basis], lr=2e-3)
    began = time.monotonic()
    for step in range(steps):
        removed = torch.linalg.qr(basis).Q.T
        names = _without(texts, removed)
        batch = torch.randint(len(truth), (2 * BATCH,), generator=generator)
        attacked = model.logit_scale * _without(written[batch], removed) @ names.T
        after = (model.logit_scale * _without(clean[batch], removed) @ names.T).log_softmax(dim=-1)
        loss = functional.cross_entropy(attacked, truth[batch])
        loss = loss + KEEP * functional.kl_div(after, before[batch], reduction="batchmean")
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        yield Progress.timed(step + 1, steps, "steps", seconds=time.monotonic() - began, computed=step + 1)
    yield LearnedProjection(torch.linalg.qr(basis.detach()).Q.T.contiguous())


def _without(rows: Tensor, removed: Tensor) -> Tensor:
    return functional.normalize(rows - (rows @ removed.T) @ removed, dim=-1)
