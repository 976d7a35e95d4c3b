"""What an attention head of a ViT is about: the few texts that span what it adds to embeddings, beside chance.

A head's outputs on many images stand in the joint space (see `head_passes`). Texts are chosen greedily: the next one is
that along which the outputs still vary most; what lies along it is then taken away from outputs and texts. Chance is
the same with texts whose numbers are in another order.

Source:
    Gandelsman et al. 2024, arXiv:2310.05916, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput
from workbench.neurons.vocabulary import WordTable

COUNT = 10  # texts of a head
RANK = 80  # of a head's outputs, that texts are brought into
SHUFFLES = 5  # shuffled vocabularies that a head is compared with
FEWEST = 20  # images
EMPTY = 1e-3  # length of a text, share of its own, below which nothing of it is left


@dataclass(frozen=True)
class SpanText:
    """One text of a head's span."""

    text: str
    explained: float  # share of the outputs' variance along this text and those before it, 0..1
    by_chance: float  # the same for shuffled texts, mean
    strongest: tuple[int, ...]  # numbers of the images that the head moves most towards it


@dataclass(frozen=True)
class HeadSpan:
    """One head."""

    block: int
    head: int
    spread: float  # standard deviation of the outputs, in units of unit embeddings: how much the head does at all
    texts: tuple[SpanText, ...]


def text_span(
    outputs: NDArray[np.float32], table: WordTable, *, block: int, head: int, count: int = COUNT, seed: int = 0
) -> HeadSpan:
    """Describe one head by texts.

    Args:
        outputs: (n, dim) of one head, on n images.
        table: texts to choose from.
        block: its number.
        head: its number in the block.
        count: texts to choose.
        seed: of the shuffled texts.

    Raises:
        BadInput: fewer than 20 images.
    """
    if len(outputs) < FEWEST:
        raise BadInput(f"A head is described from at least {FEWEST} images; got {len(outputs)}.")
    centred = (outputs - outputs.mean(axis=0)).astype(np.float64)
    rows = table.centred.astype(np.float64)
    chosen, shares, along = _greedy(centred, rows, count)
    generator = np.random.default_rng(seed)
    chance = np.zeros((SHUFFLES, len(chosen)))
    for number in range(SHUFFLES):
        mixed = _greedy(centred, generator.permuted(rows, axis=1), len(chosen))[1]
        chance[number] = [*mixed, *[mixed[-1] if mixed else 0.0] * (len(chosen) - len(mixed))]
    by_chance = chance.mean(axis=0)
    texts = tuple(
        SpanText(
            table.words[place],
            share,
            float(by_chance[rank]),
            tuple(np.argsort(-along[rank], kind="stable")[:6].tolist()),
        )
        for rank, (place, share) in enumerate(zip(chosen, shares, strict=True))
    )
    return HeadSpan(block, head, float(np.sqrt((centred**2).sum(axis=1).mean())), texts)


def _greedy(
    outputs: NDArray[np.float64], rows: NDArray[np.float64], count: int
) -> tuple[list[int], list[float], list[NDArray[np.float64]]]:
    """Choose texts one after the other; returns places, cumulated shares of the variance, and (n,) along each."""
    _, values, axes = np.linalg.svd(outputs, full_matrices=False)
    axes = axes[: min(RANK, int((values > values[0] * 1e-6).sum()))] if values[0] > 0 else axes[:0]
    points, texts = outputs @ axes.T, rows @ axes.T  # in the head's own span
    whole, first = float((outputs**2).sum()), np.linalg.norm(texts, axis=1)
    chosen: list[int] = []
    shares: list[float] = []
    along: list[NDArray[np.float64]] = []
    explained = 0.0
    for _ in range(min(count, len(axes))):
        lengths = np.linalg.norm(texts, axis=1)
        left = lengths > EMPTY * first.clip(1e-12)
        unit = np.where(left[:, None], texts / lengths.clip(1e-12)[:, None], 0)
        spread = ((points @ unit.T) ** 2).sum(axis=0)
        spread[chosen] = -1
        best = int(spread.argmax())
        if spread[best] <= 0:
            break
        direction = unit[best]
        along.append(points @ direction)
        points = points - np.outer(along[-1], direction)
        texts = texts - np.outer(texts @ direction, direction)
        explained += float(spread[best]) / whole
        chosen.append(best)
        shares.append(explained)
    return chosen, shares, along
