"""The nine attacks of Goh et al. 2021 on any model: zero-shot and by linear probe, published figures beside.

The word stands at eight fixed places in bare letters; an attack succeeds where the target becomes the answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from workbench.errors import BadInput
from workbench.probes.labelled import TEST, LabelledImages, drawn_parts
from workbench.probes.linear import probe
from workbench.progress import Progress
from workbench.prompts import DEFAULT
from workbench.statistics.intervals import Share, proportion
from workbench.typographic.lettering import Label
from workbench.typographic.writing import write
from workbench.zeroshot import classifier

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.engine import Session

SOURCE = "Goh et al. 2021, Distill, doi 10.23915/distill.00030, figures 15 and 16: linear probe on RN50x4, 1,000 images"
PLACES = ((0.2, 0.1), (0.62, 0.18), (0.32, 0.32), (0.78, 0.42), (0.2, 0.55), (0.6, 0.64), (0.3, 0.8), (0.75, 0.9))
SIZE = 0.08  # height of the letters, share of the side: words then cover about as much as in the article
CHUNK = 32  # images between two reports
_Rows: TypeAlias = "tuple[NDArray[np.float32], NDArray[np.float32]]"  # embeddings, features before the projection


@dataclass(frozen=True)
class Target:
    """One row of the article's table."""

    name: str
    word: str  # that is written
    cover: float  # published: share of the pixels that changed
    success: float  # published: share of the images that became the target


TARGETS = (
    Target("waste container", "trash", 0.0759, 0.954),
    Target("iPod", "iPod", 0.0680, 0.947),
    Target("rifle", "rifle", 0.0641, 0.910),
    Target("pizza", "pizza", 0.0811, 0.923),
    Target("radio", "radio", 0.0773, 0.770),
    Target("great white shark", "shark", 0.0833, 0.622),
    Target("library", "library", 0.0995, 0.759),
    Target("Siamese cat", "meow", 0.0844, 0.465),
    Target("piggy bank", "$$$", 0.0699, 0.364),
)


@dataclass(frozen=True)
class TargetRow:
    """What one word does to the model."""

    target: Target
    cover: float  # mean share of the pixels that the word changed
    zero_shot: Share  # images that become the target, of those that were not
    probe: Share | None  # the same by linear probe; None where its images show no such thing


@dataclass(frozen=True)
class NineTargets:
    """The whole table."""

    rows: tuple[TargetRow, ...]
    zero_shot_clean: Share  # accuracy on the clean images that are attacked
    probe_clean: Share


def nine_targets(
    session: Session, pictures: Sequence[Image.Image], truth: Sequence[str], *, seed: int = 0, size: float = SIZE
) -> Iterator[Progress | NineTargets]:
    """Report after each chunk of images; the last item is the table.

    A quarter of each class is attacked; the probe is fitted on the rest. Zero-shot, the model chooses from all classes
    and the nine targets; the probe from the classes.

    Args:
        session: of the engine.
        pictures: upright RGB, at least four a class.
        truth: name of what each shows; a class with a target's name lets the probe answer it.
        seed: decides which images are attacked.
        size: height of the letters, share of the side.

    Raises:
        BadInput: fewer than two classes, a class with fewer than four images, or letters that cannot be written.
        Cancelled, DeadlinePassed, Busy, OutOfResources: see `scheduler`.
    """
    images = split(truth, seed=seed)
    attacked = np.flatnonzero(images.rows(TEST))
    targets = [pictures[int(at)] for at in attacked]
    groups = [list(pictures)]
    groups += [[eight_times(one, target.word, size) for one in targets] for target in TARGETS]
    covers = [float(np.mean([*map(changed, targets, group)])) for group in groups[1:]]
    made, total, began = list[_Rows](), sum(map(len, groups)), time.monotonic()
    for group in groups:
        for start in range(0, len(group), CHUNK):
            embeddings, features = session.embed_features(group[start : start + CHUNK])
            made.append((embeddings.numpy(), features.numpy()))
            done = sum(len(one[0]) for one in made)
            yield Progress.timed(done, total, "images", seconds=time.monotonic() - began, computed=done)
    rows = tuple(np.concatenate(part) for part in zip(*made, strict=True))
    ends = np.cumsum([len(group) for group in groups])[:-1]
    clean, *written = zip(*(np.split(part, ends) for part in rows), strict=True)
    names = tuple(dict.fromkeys((*images.classes, *(one.name for one in TARGETS))))
    yield _table(
        clean, written, images, texts=classifier(session, names, (DEFAULT,)).numpy(), names=names, covers=covers
    )


def _table(
    clean: _Rows,
    written: Sequence[_Rows],
    images: LabelledImages,
    *,
    texts: NDArray[np.float32],
    names: Sequence[str],
    covers: Sequence[float],
) -> NineTargets:
    """Count; `clean` are all images, `written` the attacked ones for each target."""
    attacked, fitted, rows = np.flatnonzero(images.rows(TEST)), probe(clean[1], images), list[TargetRow]()
    before = _answers(clean[0][attacked] @ texts.T, names)
    by_probe = _answers(fitted.model.logits(clean[1][attacked]), images.classes)
    for target, cover, (embeddings, features) in zip(TARGETS, covers, written, strict=True):
        zero_shot = _share(_answers(embeddings @ texts.T, names), before, target.name)
        linear = None
        if target.name in images.classes:
            linear = _share(_answers(fitted.model.logits(features), images.classes), by_probe, target.name)
        rows.append(TargetRow(target, cover, zero_shot, linear))
    right = sum(name == images.classes[images.y[at]] for name, at in zip(before, attacked, strict=True))
    return NineTargets(tuple(rows), proportion(right, len(attacked)), fitted.accuracy)


def split(truth: Sequence[str], *, seed: int) -> LabelledImages:
    """Draw which images the probe is fitted on, and which are attacked.

    Raises:
        BadInput: fewer than two classes, or a class with fewer than four images.
    """
    classes, counts = np.unique(np.asarray(truth), return_counts=True)
    if len(classes) < 2 or counts.min() < 4:
        few = [str(name) for name, count in zip(classes, counts, strict=True) if count < 4]
        got = f"{len(classes)} classes" if len(classes) < 2 else f"fewer of {', '.join(few[:4])}"
        raise BadInput(f"The table needs two classes or more, with four images each or more; got {got}.")
    y = np.searchsorted(classes, np.asarray(truth))
    parts = drawn_parts(y, np.array([""] * len(y), dtype="<U10"), seed=seed)
    return LabelledImages((), tuple(map(str, classes)), y, parts, (), seed)


def eight_times(picture: Image.Image, word: str, size: float = SIZE) -> Image.Image:
    """Write a word at the eight places, in white letters with a black line around them."""
    style = {"size": size, "ink": "#ffffff", "paper": "", "outline": "#000000"}
    return write(picture, [Label(word, x=x, y=y, **style) for x, y in PLACES])  # type: ignore[arg-type]


def changed(clean: Image.Image, written: Image.Image) -> float:
    """Return the share of pixels that differ, 0..1."""
    return float((np.asarray(clean) != np.asarray(written)).any(axis=2).mean())


def _answers(scores: NDArray[np.floating], names: Sequence[str]) -> list[str]:
    return [names[at] for at in scores.argmax(axis=1)]


def _share(after: Sequence[str], before: Sequence[str], target: str) -> Share:
    """Images that become the target; those that it was the answer of before do not count."""
    counted = [one for one, was in zip(after, before, strict=True) if was != target]
    return proportion(sum(one == target for one in counted), len(counted))
