"""Learn a defence from pairs of images, clean and written on: a prefix, directions to remove, units or heads to drop.

But for heads the image tower is asked once, before; what is learned is small, and the model's weights stay as they are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from workbench.errors import Unsupported
from workbench.heads import MeanHead
from workbench.progress import Progress
from workbench.typographic.edits import prefixed
from workbench.typographic.head_learning import HeadLesson, learn_heads
from workbench.typographic.learned import COST, OPENING, Learned, prompts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.loading.torch_backend import TorchBackend

STEPS, CLASSES, BATCH, RATE = 150, 48, 128, 0.02
NAMES = 192  # that learn at once
KEEP = 3.0  # weight of the clean answers' stability, as in the paper
RANK = 64  # directions that are removed
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200)  # of units that are tried


@dataclass(frozen=True, eq=False)
class DefenceLesson:
    """What a defence is learned from: plain data."""

    method: str  # prefix, projection or units
    clean: NDArray[np.float32]  # (n, dim) unit rows
    written: NDArray[np.float32]  # the same images with a label
    clean_features: NDArray[np.float32]  # (n, width) before the projection
    written_features: NDArray[np.float32]
    truth: NDArray[np.intp]  # (n,) rows of `names`
    words: NDArray[np.intp]  # (n,) written
    names: tuple[str, ...]
    seed: int


def learn(model: TorchBackend, lesson: DefenceLesson | HeadLesson) -> Iterator[Progress | Learned]:
    """Learn what the lesson is about; the last item is the result.

    Raises:
        Unsupported: the model has no table of tokens, no average as its last step, or labels do not move it.
    """
    if isinstance(lesson, HeadLesson):
        yield from learn_heads(model, lesson)
        return
    ways = {"prefix": learn_prefix, "projection": learn_projection, "units": learn_units}
    yield from ways[lesson.method](model, lesson)


def learn_prefix(
    model: TorchBackend, lesson: DefenceLesson, *, rows: int = 1, steps: int = STEPS
) -> Iterator[Progress | Learned]:
    """Learn rows so that images with labels are named by what they show, and clean ones as before.

    Names that are written and that no image shows get rows of their own besides.

    Raises:
        Unsupported: a text tower without a table of tokens.

    Source:
        Azuma and Matsui 2023, arXiv:2304.04512: cross-entropy on written-on images, and 3.0 times the divergence of
        the clean ones' answers; a frozen CLIP and one token before the class name. Rows for each class: Zhou et al.
        2022, arXiv:2109.01134 (class-specific context); here they learn from what their own name is written on.
    """
    table = model.token_table
    generator = torch.Generator().manual_seed(lesson.seed)
    clean, written, truth = (torch.from_numpy(one) for one in (lesson.clean, lesson.written, lesson.truth))
    plain = model.embed_texts(prompts(lesson.names))
    learned = (
        table.mean(dim=0).repeat(rows, 1) + 0.01 * torch.randn(rows, table.shape[1], generator=generator)
    ).detach()
    learned.requires_grad_()
    optimiser = torch.optim.Adam([learned], lr=RATE * float(table.std()) * 5)
    began = time.monotonic()
    for step in range(steps):
        classes = torch.randperm(len(lesson.names), generator=generator)[:CLASSES]
        inside = torch.isin(truth, classes).nonzero()[:, 0]
        batch = inside[torch.randperm(len(inside), generator=generator)[:BATCH]]
        tokens = model.tokenize(prompts([lesson.names[at] for at in classes]))
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
    shared = learned.detach()
    unseen = sorted(set(lesson.words.tolist()) - set(lesson.truth.tolist()))
    if not unseen:
        yield Learned({"after": OPENING}, {"prefix": shared.numpy()})
        return
    for made in _learn_names(model, lesson, shared, places=unseen, steps=steps):
        if isinstance(made, Progress):
            yield made
        else:
            settings = {"after": OPENING, "names": [lesson.names[at] for at in unseen]}
            yield Learned(settings, {"prefix": shared.numpy(), "named": made.numpy()})


def _learn_names(
    model: TorchBackend, lesson: DefenceLesson, shared: Tensor, *, places: Sequence[int], steps: int
) -> Iterator[Progress | Tensor]:
    """Learn rows for each name: where it is written it shall lose to what is shown, and stay as it was elsewhere.

    `places` are theirs among the lesson's names. The last item is (names, rows, width).
    """
    generator, scale = torch.Generator().manual_seed(lesson.seed), model.logit_scale
    clean, written, truth = (torch.from_numpy(one) for one in (lesson.clean, lesson.written, lesson.truth))
    number_of = {at: number for number, at in enumerate(places)}
    name_of = torch.tensor([number_of.get(at, -1) for at in lesson.words.tolist()])
    names = [lesson.names[at] for at in places]
    tokens, things = model.tokenize(prompts(names)), model.tokenize(prompts(lesson.names))
    with torch.no_grad():
        texts = functional.normalize(prefixed(model, shared, OPENING)(things.ids, things.mask).float(), dim=-1)
    shown = scale * (written * texts[truth]).sum(dim=1)  # (n,) of the thing in each image
    plain = model.embed_texts(prompts(names))
    own = shared.repeat(len(names), 1, 1).requires_grad_()
    optimiser = torch.optim.Adam([own], lr=RATE * float(model.token_table.std()) * 5)
    total, began = steps * math.ceil(len(names) / NAMES), time.monotonic()
    for step in range(total):
        some = torch.randperm(len(names), generator=generator)[:NAMES]
        tower = prefixed(model, shared, OPENING, names=[names[at] for at in some], own=own[some])
        rows = functional.normalize(tower(tokens.ids[some], tokens.mask[some]).float(), dim=-1)
        inside = torch.isin(name_of, some).nonzero()[:, 0]
        which = (name_of[inside][:, None] == some).int().argmax(dim=1)
        read = scale * (written[inside] @ rows.T).gather(1, which[:, None])[:, 0]  # rows[which] adds up in any order
        batch = torch.randint(len(clean), (2 * BATCH,), generator=generator)
        moved = scale * clean[batch] @ (rows - plain[some]).T
        loss = functional.softplus(read - shown[inside]).mean() + moved.square().mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        seconds = time.monotonic() - began
        yield Progress.timed(step + 1, total, "steps", seconds=seconds, computed=step + 1, stage="names")
    yield own.detach()


def learn_projection(
    model: TorchBackend, lesson: DefenceLesson, *, rank: int = RANK, steps: int = 2 * STEPS
) -> Iterator[Progress | Learned]:
    """Learn directions to remove from images and texts: written-on images shall be named as what they show.

    Raises:
        Unsupported: labels move nothing in this model.

    Source:
        after Materzynska et al. 2022, arXiv:2206.07835: an orthogonal projection; here the part that is removed is
        learned, and clean answers are held in place as for the prefix.
    """
    generator = torch.Generator().manual_seed(lesson.seed)
    clean, written, truth = (torch.from_numpy(one) for one in (lesson.clean, lesson.written, lesson.truth))
    texts = model.embed_texts(prompts(lesson.names))
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
    yield Learned({}, {"removed": torch.linalg.qr(basis.detach()).Q.T.contiguous().numpy()})


def learn_units(model: TorchBackend, lesson: DefenceLesson) -> Iterator[Progress | Learned]:
    """Choose units of the last layer to switch off: those that push a written word most over the thing where it wins.

    How many is decided on the same images: the number that gives back most, with at most one point of clean accuracy
    lost. The last step has to be an average and a projection, where a unit's part of the answer is exact.

    Raises:
        Unsupported: another last step.

    Source:
        after Dyslexify (2025), which switches attention heads off; here units of a convolutional tower.
    """
    head = model.anatomy.head
    if not isinstance(head, MeanHead):
        raise Unsupported(f"Units are switched off where a tower ends in an average; {model.spec.title} does not.")
    yield Progress.timed(0, len(COUNTS), "counts", seconds=0.0, computed=0)
    texts = model.embed_texts(prompts(lesson.names))
    added = torch.from_numpy(lesson.written_features - lesson.clean_features)
    apart = texts[torch.from_numpy(lesson.words)] - texts[torch.from_numpy(lesson.truth)]
    fooled = (torch.from_numpy(lesson.written) * apart).sum(dim=1) > 0
    if not fooled.any():
        raise Unsupported("Labels do not fool this model; no unit has to be switched off.")
    push = (added * (apart @ head.directions))[fooled].mean(dim=0)
    order = push.argsort(descending=True)
    truth, tried = torch.from_numpy(lesson.truth), []
    for count in (0, *COUNTS):
        clean, attacked = (
            _right(head, torch.from_numpy(one), order[:count], texts=texts, truth=truth)
            for one in (lesson.clean_features, lesson.written_features)
        )
        tried.append((attacked, count, clean))
    allowed = [one for one in tried if one[2] >= tried[0][2] - COST]
    _, count, _ = max(allowed, key=lambda one: (one[0], -one[1]))
    if not count:
        raise Unsupported("No number of units gives accuracy back within one point of clean accuracy; none is off.")
    changes = [{"units": sorted(order[:count].tolist()), "kind": "set", "value": 0.0}]
    yield Learned({"layer": next(reversed(model.anatomy.layers)), "changes": changes}, {})


def _right(head: MeanHead, features: Tensor, off: Tensor, *, texts: Tensor, truth: Tensor) -> float:
    """Share of images named right with some units at zero."""
    rest = features.clone()
    rest[:, off] = 0
    return float(((head.embed(rest) @ texts.T).argmax(dim=1) == truth).float().mean())


def _without(rows: Tensor, removed: Tensor) -> Tensor:
    return functional.normalize(rows - (rows @ removed.T) @ removed, dim=-1)
