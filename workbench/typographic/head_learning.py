"""Find the attention heads of a ViT that read written words, and how many of them to switch off.

Source:
    after Hufe et al. 2025, arXiv:2508.20570 (Dyslexify): heads are ranked by how much more the class token looks at
    the patches of a written word, and as many are switched off as give most accuracy back at a bounded clean cost. The
    patches of the word are those that differ between an image and the same image written on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import Unsupported
from workbench.heads import TokenHead, without_heads
from workbench.hooks import recorded
from workbench.neurons.head_passes import token_head
from workbench.neurons.passes import unit_range
from workbench.progress import Progress
from workbench.typographic.learned import COST, Learned, prompts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.loading.torch_backend import TorchBackend

BATCH = 16  # pairs of a step
IMAGES = 160  # pairs that are looked at, at most
COUNTS = (1, 2, 3, 5, 8, 12, 20, 32, 48)  # of heads that are tried


@dataclass(frozen=True, eq=False)
class HeadLesson:
    """Pairs of images, prepared: plain data."""

    clean: NDArray[np.uint8]  # (n, 3, size, size)
    written: NDArray[np.uint8]  # the same with a label
    truth: NDArray[np.intp]  # (n,) rows of `names`
    names: tuple[str, ...]


def learn_heads(model: TorchBackend, lesson: HeadLesson) -> Iterator[Progress | Learned]:
    """Rank the heads, then switch more and more of them off; the last item is the number that gives back most.

    Among numbers that cost at most one point of clean accuracy on these images, the smallest of the best is taken.

    Raises:
        Unsupported: no ViT with a class token, labels that change no pixel, or no number that gives accuracy back.
    """
    import torch

    head = token_head(model.anatomy)
    began, starts = time.monotonic(), range(0, len(lesson.truth), BATCH)
    sizes = [count for count in COUNTS if count < sum(block.heads for block in head.blocks)]
    total, done = len(starts) * (2 + len(sizes)), 0
    extra: list[NDArray[np.float64]] = []
    for start in starts:
        extra.append(_extra_attention(model, head, lesson, slice(start, start + BATCH)))
        done += 1
        yield Progress.timed(done, total, "batches", seconds=time.monotonic() - began, computed=done)
    scores = np.concatenate(extra)
    if not np.isfinite(scores).any():
        raise Unsupported("The labels change no pixel of these images; no head can be found.")
    mean = np.nanmean(scores, axis=0)  # (blocks, heads)
    order = [divmod(int(place), mean.shape[1]) for place in np.argsort(-mean, axis=None, kind="stable")]
    texts = model.embed_texts(prompts(lesson.names))
    tried: list[tuple[float, int, float]] = []
    for count in (0, *sizes):
        right = np.zeros((2, 0), bool)
        for start in starts:
            part = slice(start, start + BATCH)
            with torch.no_grad(), without_heads(head.blocks, _by_block(order[:count])):
                rows = [model.embed_pixels(unit_range(model, one[part])) for one in (lesson.clean, lesson.written)]
            answers = np.stack([(row.float().cpu() @ texts.T).argmax(dim=1).numpy() for row in rows])
            right = np.concatenate([right, answers == lesson.truth[part]], axis=1)
            done += 1
            yield Progress.timed(done, total, "batches", seconds=time.monotonic() - began, computed=done)
        clean, attacked = right.mean(axis=1)
        tried.append((float(attacked), count, float(clean)))
        if clean < tried[0][2] - 5 * COST:
            break
    allowed = [one for one in tried if one[2] >= tried[0][2] - COST]
    _, count, _ = max(allowed, key=lambda one: (one[0], -one[1]))
    if not count:
        raise Unsupported("No number of heads gives accuracy back within one point of clean accuracy; none is off.")
    yield Learned({"heads": [list(one) for one in sorted(order[:count])]}, {})


def _extra_attention(model: TorchBackend, head: TokenHead, lesson: HeadLesson, part: slice) -> NDArray[np.float64]:
    """(pairs, blocks, heads): attention of the class token to the word's patches, beyond that on the clean image.

    NaN where the label changes no pixel.
    """
    import torch

    clean, written = lesson.clean[part], lesson.written[part]
    changed: NDArray[np.bool_] = (clean != written).max(axis=1)
    patches = _patches(changed, model.anatomy.grid)
    mass = []
    for pixels in (clean, written):
        attention = {number: block.attention for number, block in enumerate(head.blocks)}
        with torch.no_grad(), recorded(attention, inputs=True) as received:
            model.embed_pixels(unit_range(model, pixels))
            looks = [block.pattern(received[number]) for number, block in enumerate(head.blocks)]
        look = torch.stack(looks, dim=1)[..., model.anatomy.prefix_tokens :]  # (n, blocks, heads, cells)
        mass.append((look.cpu().double().numpy() * patches[:, None, None]).sum(axis=-1))
    extra: NDArray[np.float64] = np.where(patches.max(axis=1)[:, None, None], mass[1] - mass[0], np.nan)
    return extra


def _patches(changed: NDArray[np.bool_], grid: tuple[int, int]) -> NDArray[np.bool_]:
    """(n, size, size) pixels -> (n, cells): whether any pixel of a patch differs."""
    n, height, width = changed.shape
    rows, columns = grid
    tall, wide = height // rows, width // columns
    inside = changed[:, : rows * tall, : columns * wide].reshape(n, rows, tall, columns, wide)
    cells: NDArray[np.bool_] = inside.max(axis=(2, 4)).reshape(n, rows * columns)
    return cells


def _by_block(heads: list[tuple[int, int]]) -> dict[int, list[int]]:
    grouped: dict[int, list[int]] = {}
    for block, head in heads:
        grouped.setdefault(block, []).append(head)
    return grouped
