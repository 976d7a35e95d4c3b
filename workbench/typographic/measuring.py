"""What a defence gives back and what it costs: the same images, clean and written on, with and without it.

Two decisions: between the thing and the written word, and among all names. Differences are paired by image, with
images of one thing as a cluster.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput
from workbench.prompts import DEFAULT
from workbench.statistics.intervals import Interval
from workbench.statistics.paired import Paired, compare
from workbench.typographic.lettering import FONTS, Label
from workbench.typographic.writing import write
from workbench.zeroshot import classifier

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.backend import ClipBackend

SIZES = (0.08, 0.2)  # of the letters


@dataclass(frozen=True)
class AttackedSet:
    """Images with the names of what they show, and the label that is written on each."""

    clean: tuple[Image.Image, ...]
    written: tuple[Image.Image, ...]
    truth: tuple[str, ...]
    words: tuple[str, ...]  # written, one an image; each is one of `names`
    names: tuple[str, ...]  # what a model chooses from


@dataclass(frozen=True)
class Outcomes:
    """What one model answered, image by image: right or wrong, (n,) bool each."""

    clean: NDArray[np.bool_]  # among all names
    attacked: NDArray[np.bool_]
    clean_two: NDArray[np.bool_]  # thing against word
    attacked_two: NDArray[np.bool_]
    milliseconds: float  # an image, preparation included


@dataclass(frozen=True)
class DefenceRow:
    """A defence beside no defence."""

    clean: Paired  # among all names; second minus first is the cost, negative
    attacked: Paired  # among all names
    attacked_two: Paired  # thing against word
    back: Interval  # share of the accuracy that the labels cost, thing against word; 1 is all of it
    back_all: Interval  # the same among all names
    milliseconds: float  # more an image


def attacked_set(pictures: Sequence[Image.Image], truth: Sequence[str], *, seed: int) -> AttackedSet:
    """Write another thing's name on each image: a paper label of random place, size and font.

    Raises:
        BadInput: fewer than two things.
    """
    names = tuple(sorted(set(truth)))
    if len(names) < 2:
        raise BadInput(f"A wrong word needs two or more things to choose from; got {len(names)}.")
    rng, words, written = np.random.default_rng(seed), [], []
    for picture, name in zip(pictures, truth, strict=True):
        others = [other for other in names if other != name]
        label = Label(
            others[int(rng.integers(len(others)))],
            x=float(rng.uniform(0.2, 0.8)),
            y=float(rng.uniform(0.1, 0.9)),
            size=float(rng.uniform(*SIZES)),
            font=str(rng.choice(list(FONTS))),
        )
        words.append(label.text)
        written.append(write(picture, [label]))
    return AttackedSet(tuple(pictures), tuple(written), tuple(truth), tuple(words), names)


def outcomes(backend: ClipBackend, images: AttackedSet, *, templates: Sequence[str] = (DEFAULT,)) -> Outcomes:
    """Ask a model about every image, clean and written on."""
    texts = classifier(backend, images.names, templates)
    began = time.perf_counter()
    rows = [backend.embed_images(pictures) @ texts.T for pictures in (images.clean, images.written)]
    seconds = time.perf_counter() - began
    place = {name: at for at, name in enumerate(images.names)}
    truth = np.array([place[name] for name in images.truth])
    words, every = np.array([place[word] for word in images.words]), np.arange(len(truth))
    clean, attacked = (one.numpy() for one in rows)
    return Outcomes(
        clean.argmax(1) == truth,
        attacked.argmax(1) == truth,
        clean[every, truth] > clean[every, words],
        attacked[every, truth] > attacked[every, words],
        1000 * seconds / (2 * len(truth)),
    )


def defence_row(base: Outcomes, defended: Outcomes, things: Sequence[str]) -> DefenceRow:
    """Compare a defended model with its base on the same images; `things` names the cluster of each."""
    pairs = [
        compare(getattr(base, name).astype(float), getattr(defended, name).astype(float), cluster=list(things))
        for name in ("clean", "attacked", "attacked_two")
    ]
    return DefenceRow(
        pairs[0],
        pairs[1],
        pairs[2],
        _back(pairs[2], base.clean_two.mean() - base.attacked_two.mean()),
        _back(pairs[1], base.clean.mean() - base.attacked.mean()),
        defended.milliseconds - base.milliseconds,
    )


def _back(pair: Paired, lost: float) -> Interval:
    """The change as a share of what was lost, which counts as known."""
    change = pair.difference
    if lost <= 0 or change.value is None or change.low is None or change.high is None:
        return Interval(None, None, None, change.level, "undefined: the labels cost nothing")
    ends = change.value / lost, change.low / lost, change.high / lost
    return Interval(*ends, change.level, f"{change.method} / loss")
