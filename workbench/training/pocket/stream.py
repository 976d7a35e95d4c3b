"""The stream of stage two: photos, photos with a word on them, words, drawings, colours, counts and pairs.

Each batch depends on seed and step alone, so a resumed run sees the same images as one that was never interrupted.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from workbench.training.pocket.material import Material
from workbench.training.pocket.painting import example
from workbench.training.pocket.spelling import letters
from workbench.training.pocket.writing import Spot


@dataclass(frozen=True)
class Mix:
    """How many pictures of each kind a batch has; photos come first.

    Small letters are none, so words are larger. What was always small or always large is known at that size alone.
    """

    smaller: dict[str, int]
    larger: dict[str, int]


READING = Mix(  # letters take longest, and so they come first
    {"photo": 5, "drawing": 13, "colour": 1, "count": 2},
    {"photo": 4, "drawing": 3, "colour": 1, "count": 1}
    | {"attacked": 2, "noted": 3, "blank": 1, "penned": 3, "word": 7, "pair": 3},
)
DRAWING = Mix(
    {"photo": 5, "drawing": 18, "colour": 1, "count": 3},
    {"photo": 4, "drawing": 5, "colour": 1, "count": 2}
    | {"attacked": 2, "noted": 3, "blank": 1, "penned": 2, "word": 5, "pair": 4},
)
ENDINGS = (
    Mix(  # words again, and drawings
        {"photo": 5, "drawing": 18, "colour": 1, "count": 2},
        {"photo": 4, "drawing": 5, "colour": 1, "count": 1}
        | {"attacked": 2, "noted": 4, "blank": 1, "penned": 3, "word": 6, "pair": 5},
    ),
    Mix(  # photos and words, which the drawings have taken from
        {"photo": 6, "drawing": 15, "colour": 2, "count": 2},
        {"photo": 7, "drawing": 4, "colour": 1, "count": 1}
        | {"attacked": 4, "noted": 9, "blank": 3, "penned": 5, "word": 9, "pair": 5},
    ),
)
TURN = 0.4  # of the run, where the second mix begins; the others follow it
TIMES, LARGEST, STEP = 1.5, 224, 16  # the larger ones have so many times the side, in steps of so many pixels


@dataclass(frozen=True)
class Batch:
    """What one step trains on.

    Attributes:
        pixels: (smaller, 3, size, size) uint8, photos come first.
        large: (larger, 3, side, side) uint8, photos come first. All else is for `pixels`, then these.
        target: (n, names) over the bank; a row sums to 1, or to 0 where no name is asked for.
        captions: one a picture.
        false: captions that no picture of the batch is meant to match.
        soft: (n,) how much of the target the locked classifier decides, 0..1.
        clean: (covered, 3, side, side) uint8, the photos under words and labels, which it is asked about.
        covered: (covered,) which pictures these lie under.
        label: (n,) the class of a photo without writing, -1 for all else.
        shown: for each picture the names that it shows.
        claims: for each caption the names in it; it is no negative of a picture that shows them all.
        letters: (larger, `spelling.WIDTH`) of the word on each; zeros where none is.
        spots: (larger,) where these letters lie.
    """

    pixels: Tensor
    large: Tensor
    target: Tensor
    captions: list[str]
    false: list[str]
    soft: Tensor
    clean: Tensor
    covered: Tensor
    label: Tensor
    shown: list[frozenset[str]]
    claims: list[frozenset[str]]
    letters: Tensor
    spots: list[tuple[Spot, ...]]

    def to(self, device: torch.device) -> Batch:
        """The same with its tensors on a device."""
        parts: dict[str, Any] = {name: one.to(device) for name, one in vars(self).items() if isinstance(one, Tensor)}
        return replace(self, **parts)


class Stream(IterableDataset[Batch]):
    """Batches from a step on, for ever; where several processes draw, they take turns.

    Args:
        material: what is drawn from.
        seed: decides everything.
        start: the first step.
        ends: where the run ends, along which words become rarer and pictures larger; then its endings.
        sizes: pixels at the beginning, and in the last part.
    """

    def __init__(
        self, material: Material, *, seed: int, start: int, ends: tuple[int, ...], sizes: tuple[tuple[int, ...], ...]
    ) -> None:
        self.material, self.seed, self.start, self.ends, self.sizes = material, seed, start, ends, sizes

    def __iter__(self) -> Iterator[Batch]:
        turn = get_worker_info()
        first, by = (turn.id, turn.num_workers) if turn is not None else (0, 1)
        for step in itertools.count(self.start + first, by):
            done = part_done(step, self.ends)
            yield batch(self.material, done, sizes=self.sizes, rng=random.Random(f"{self.seed}/{step}"))


def part_done(step: int, ends: tuple[int, ...]) -> float:
    """How much of the run is over before that step, 0..1; 1 in its first ending, 2 in its second, and so on.

    A run that goes on from a checkpoint has none but its last ending: those before have no steps.
    """
    return (min(step / ends[0], 1) if ends[0] else 1) + sum(step >= end for end in ends[1:])


def mix(done: float) -> Mix:
    """What a batch is made of when so much of the run is over, as `part_done` gives it."""
    if done < 1:
        return READING if done < TURN else DRAWING
    return ENDINGS[min(int(done), len(ENDINGS)) - 1]


def batch(material: Material, done: float, *, sizes: tuple[tuple[int, ...], ...], rng: random.Random) -> Batch:
    """Draw one batch.

    Args:
        material: what is drawn from.
        done: as `part_done` gives it.
        sizes: pixels for each equal part of the run, one of which is chosen.
        rng: decides everything else.
    """
    size = rng.choice(sizes[min(int(done * len(sizes)), len(sizes) - 1)])
    side = min(LARGEST, int(TIMES * size / STEP) * STEP)
    draw = functools.partial(example, material, done=done, rng=rng)
    chosen = mix(done)
    smaller = [draw(kind, size=size) for kind, count in chosen.smaller.items() for _ in range(count)]
    larger = [draw(kind, size=side) for kind, count in chosen.larger.items() for _ in range(count)]
    every = [*smaller, *larger]
    return Batch(
        _stacked([one.picture for one in smaller], size),
        _stacked([one.picture for one in larger], side),
        torch.stack([material.bank.target(one.weights) * one.named for one in every]),
        [one.caption for one in every],
        sorted({text for one in every for text in one.false}),
        torch.tensor([one.soft for one in every]),
        _stacked([one.clean for one in larger if one.clean is not None], side),
        torch.tensor([place for place, one in enumerate(every) if one.clean is not None], dtype=torch.long),
        torch.tensor([one.label for one in every]),
        [frozenset(one.weights) for one in every],
        [one.claims for one in every],
        torch.stack([letters(one.written) for one in larger]),
        [one.spots for one in larger],
    )


def _stacked(images: list[Image.Image], side: int) -> Tensor:
    pixels = [np.asarray(image) for image in images]
    return torch.from_numpy(np.array(pixels, np.uint8).reshape(-1, side, side, 3)).permute(0, 3, 1, 2)


def sheet(material: Material, file: Path, *, seed: int) -> None:
    """Write one batch as a picture, to look at."""
    drawn, whole = batch(material, 0.5, sizes=((144,),), rng=random.Random(seed)), Image.new("RGB", (8 * 144, 5 * 144))
    pictures = [picture.permute(1, 2, 0).numpy() for part in (drawn.pixels, drawn.large) for picture in part]
    for number, picture in enumerate(pictures[:40]):
        whole.paste(Image.fromarray(picture).resize((144, 144)), (number % 8 * 144, number // 8 * 144))
    whole.save(file)
