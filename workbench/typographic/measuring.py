"""What a defence gives back and what it costs: the same images, clean and written on, with and without it.

Two decisions: between the thing and the written word, and among all names. Differences are paired by image, with
images of one thing as a cluster.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from workbench.errors import BadInput
from workbench.progress import Progress
from workbench.prompts import DEFAULT
from workbench.statistics.intervals import Interval
from workbench.statistics.paired import Paired, compare
from workbench.typographic.lettering import FONTS, Label
from workbench.typographic.writing import checked, write
from workbench.zeroshot import classifier

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.backend import ClipBackend

SIZES = (0.08, 0.2)  # of the letters
CHUNK = 32  # images between two reports
TIMED = 32  # images whose time is taken


@dataclass(frozen=True)
class AttackedSet:
    """Images with the names of what they show, and the label that is written on each."""

    clean: Sequence[Image.Image]
    written: Sequence[Image.Image]
    truth: tuple[str, ...]
    words: tuple[str, ...]  # written, one an image; each is one of `names`
    names: tuple[str, ...]  # what a model chooses from
    sources: tuple[str, ...] = ()  # of the clean images, where one stands beside several written ones; else empty

    @property
    def distinct(self) -> NDArray[np.intp]:
        """(m,) numbers of the clean images, each once."""
        if not self.sources:
            return np.arange(len(self.truth))
        return np.sort(np.unique(self.sources, return_index=True)[1])

    def chunks(self) -> Iterator[Sequence[Image.Image]]:
        """Yield all clean images, then all written ones, up to 32 at a time."""
        for part in (self.clean, self.written):
            for start in range(0, len(part), CHUNK):
                yield part[start : start + CHUNK]


@dataclass(frozen=True)
class Outcomes:
    """What one model answered, image by image: right or wrong, (n,) bool each."""

    clean: NDArray[np.bool_]  # among all names
    attacked: NDArray[np.bool_]
    clean_two: NDArray[np.bool_]  # thing against word
    attacked_two: NDArray[np.bool_]
    milliseconds: float  # an image, preparation included
    distinct: NDArray[np.intp] | None = None  # numbers of the clean images, each once; None: all differ


@dataclass(frozen=True)
class DefenceRow:
    """A defence beside no defence."""

    clean: Paired  # of distinct clean images, among all names; second minus first is the cost, negative
    attacked: Paired  # among all names
    attacked_two: Paired  # thing against word
    back: Interval  # share of the accuracy that the labels cost, thing against word; 1 is all of it
    back_all: Interval  # the same among all names
    milliseconds: float  # more an image


@dataclass(frozen=True)
class _Written(Sequence["Image.Image"]):
    """Images with a label each; one is written when it is asked for, so that few are in memory."""

    pictures: Sequence[Image.Image]
    labels: Sequence[Label]

    def __len__(self) -> int:
        return len(self.pictures)

    @overload
    def __getitem__(self, at: int) -> Image.Image: ...
    @overload
    def __getitem__(self, at: slice) -> list[Image.Image]: ...
    def __getitem__(self, at: int | slice) -> Image.Image | list[Image.Image]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        return write(self.pictures[at], [self.labels[at]])


def attacked_set(
    pictures: Sequence[Image.Image], truth: Sequence[str], *, seed: int, words: Sequence[str] = ()
) -> AttackedSet:
    """Write another thing's name on each image: a paper label of random place, size and font.

    Args:
        pictures: upright RGB.
        truth: what each shows.
        seed: of words, places, sizes and fonts.
        words: to choose from; none for the names of all that is shown.

    Raises:
        BadInput: fewer than two names, or one that cannot be written.
    """
    names = tuple(sorted({*truth, *words}))
    if len(names) < 2:
        raise BadInput(f"A wrong word needs two or more things to choose from; got {len(names)}.")
    rng, pool, labels = np.random.default_rng(seed), sorted(set(words)) or names, []
    for name in truth:
        others = [other for other in pool if other != name]
        label = Label(
            others[int(rng.integers(len(others)))],
            x=float(rng.uniform(0.2, 0.8)),
            y=float(rng.uniform(0.1, 0.9)),
            size=float(rng.uniform(*SIZES)),
            font=str(rng.choice(list(FONTS))),
        )
        labels.append(checked(label))
    written = _Written(tuple(pictures), tuple(labels))
    return AttackedSet(written.pictures, written, tuple(truth), tuple(label.text for label in labels), names)


def outcomes(backend: ClipBackend, images: AttackedSet, *, templates: Sequence[str] = (DEFAULT,)) -> Outcomes:
    """Ask a model about every image, clean and written on."""
    *_, last = outcome_steps(backend, images, templates=templates)
    assert isinstance(last, Outcomes)
    return last


def outcome_steps(
    backend: ClipBackend, images: AttackedSet, *, templates: Sequence[str] = (DEFAULT,)
) -> Iterator[Progress | Outcomes]:
    """Ask a model chunk by chunk; the last item is the result."""
    texts = classifier(backend, images.names, templates)
    scores, done, total, began = list["NDArray[np.float32]"](), 0, 2 * len(images.truth), time.monotonic()
    for pictures in images.chunks():
        scores.append((backend.embed_images(pictures) @ texts.T).numpy())
        done += len(pictures)
        seconds = time.monotonic() - began
        yield Progress.timed(done, total, "images", seconds=seconds, computed=done, stage="measure")
    place = {name: at for at, name in enumerate(images.names)}
    truth = np.array([place[name] for name in images.truth])
    words, every = np.array([place[word] for word in images.words]), np.arange(len(truth))
    clean, attacked = np.split(np.concatenate(scores), 2)
    yield Outcomes(
        clean.argmax(1) == truth,
        attacked.argmax(1) == truth,
        clean[every, truth] > clean[every, words],
        attacked[every, truth] > attacked[every, words],
        _milliseconds(backend, images.written[:TIMED]),
        images.distinct,
    )


def _milliseconds(backend: ClipBackend, pictures: Sequence[Image.Image]) -> float:
    """Time of an image; one pixel of each is changed first, since an image that was seen before costs no pass."""
    rng, fresh = np.random.default_rng(), []
    for picture in pictures:
        copy = picture.copy()
        red, green, blue = (int(one) for one in rng.integers(256, size=3))
        copy.putpixel((int(rng.integers(copy.width)), int(rng.integers(copy.height))), (red, green, blue))
        fresh.append(copy)
    began = time.perf_counter()
    backend.embed_images(fresh)
    return 1000 * (time.perf_counter() - began) / len(fresh)


def defence_row(base: Outcomes, defended: Outcomes, things: Sequence[str]) -> DefenceRow:
    """Compare a defended model with its base on the same images; `things` names the cluster of each."""
    once = np.arange(len(things)) if base.distinct is None else base.distinct
    every, names = np.arange(len(things)), np.asarray(things)
    clean, attacked, two = (
        compare(
            getattr(base, part)[rows].astype(float), getattr(defended, part)[rows].astype(float), cluster=names[rows]
        )
        for part, rows in (("clean", once), ("attacked", every), ("attacked_two", every))
    )
    return DefenceRow(
        clean,
        attacked,
        two,
        _back(two, base.clean_two.mean() - base.attacked_two.mean()),
        _back(attacked, base.clean.mean() - base.attacked.mean()),
        defended.milliseconds - base.milliseconds,
    )


def _back(pair: Paired, lost: float) -> Interval:
    """The change as a share of what was lost, which counts as known."""
    change = pair.difference
    if lost <= 0 or change.value is None or change.low is None or change.high is None:
        return Interval(None, None, None, change.level, "undefined: the labels cost nothing")
    ends = change.value / lost, change.low / lost, change.high / lost
    return Interval(*ends, change.level, f"{change.method} / loss")
