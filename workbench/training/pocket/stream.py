"""The stream of stage two: photos, photos with a word on them, words, drawings, colours, counts and pairs.

Each batch depends on seed and step alone, so a run that was interrupted goes on with the very pictures it would have
had. Nothing here knows a model.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import IterableDataset

from workbench.training.pocket.painting import Material, made
from workbench.training.pocket.spelling import letters
from workbench.training.pocket.writing import Spot

KINDS = {
    "photo": 10,
    "attacked": 5,
    "word": 10,
    "drawing": 9,
    "colour": 2,
    "count": 2,
    "pair": 2,
}  # pictures in a batch


@dataclass(frozen=True)
class Batch:
    """What one step trains on.

    Attributes:
        pixels: (n, 3, size, size) uint8; the photos first, then the attacked ones, and so on as in `KINDS`.
        target: (n, names) over the bank, rows sum to 1.
        captions: one a picture.
        false: captions that no picture of the batch is meant to match.
        soft: (n,) how much of the target the locked classifier decides, 0..1.
        label: (n,) the class of a photo without writing, -1 for all else.
        shown: for each picture the names that it shows; two pictures that share one are no negatives of each other.
        letters: (n, `spelling.WIDTH`) of the word that is written on each; zeros where none is.
        spots: where these letters lie; () where none are.
    """

    pixels: Tensor
    target: Tensor
    captions: list[str]
    false: list[str]
    soft: Tensor
    label: Tensor
    shown: list[frozenset[str]]
    letters: Tensor
    spots: list[tuple[Spot, ...]]


class Stream(IterableDataset[Batch]):
    """Batches from a step on, for ever.

    Args:
        material: what is drawn from.
        seed: decides everything.
        start: the first step.
        steps: of the whole run; words become rarer and pictures larger along it.
        sizes: pixels at the beginning, and in the last part.
    """

    def __init__(
        self, material: Material, *, seed: int, start: int, steps: int, sizes: tuple[tuple[int, ...], ...]
    ) -> None:
        self.material, self.seed, self.start, self.steps, self.sizes = material, seed, start, steps, sizes

    def __iter__(self) -> Iterator[Batch]:
        step = self.start
        while True:
            yield batch(self.material, step / self.steps, sizes=self.sizes, rng=random.Random(f"{self.seed}/{step}"))
            step += 1


def batch(material: Material, done: float, *, sizes: tuple[tuple[int, ...], ...], rng: random.Random) -> Batch:
    """Draw one batch.

    Args:
        material: what is drawn from.
        done: part of the run that is over, 0..1.
        sizes: pixels for each equal part of the run, one of which is chosen.
        rng: decides everything else.
    """
    size = rng.choice(sizes[min(int(done * len(sizes)), len(sizes) - 1)])
    every = [made(material, kind, size=size, done=done, rng=rng) for kind, count in KINDS.items() for _ in range(count)]
    return Batch(
        torch.from_numpy(np.stack([np.asarray(one.picture) for one in every])).permute(0, 3, 1, 2),
        torch.stack([material.bank.target(one.weights) for one in every]),
        [one.caption for one in every],
        sorted({text for one in every for text in one.false}),
        torch.tensor([one.soft for one in every]),
        torch.tensor([one.label for one in every]),
        [frozenset(one.weights) for one in every],
        torch.stack([letters(one.written) for one in every]),
        [one.spots for one in every],
    )


def sheet(material: Material, file: Path, *, seed: int) -> None:
    """Write one batch as a picture, to look at."""
    shown = batch(material, 0.5, sizes=((144,),), rng=random.Random(seed)).pixels.permute(0, 2, 3, 1).numpy()
    whole = Image.new("RGB", (8 * 144, 8 * 144))
    for number, picture in enumerate(shown[:64]):
        whole.paste(Image.fromarray(picture), (number % 8 * 144, number // 8 * 144))
    whole.save(file)
