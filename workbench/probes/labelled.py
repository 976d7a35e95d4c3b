"""Labelled images in three parts: train, validation, test. Parts that the data do not state are drawn by a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.datasets import ImageSample, Listing, read_samples
from workbench.datasets.samples import SEVERAL
from workbench.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAIN, VALIDATION, TEST = "train", "validation", "test"
NAMES = {  # of folders, and in a column `split`
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
TEST_SHARE = 0.25  # of each class, where no test part is given
VALIDATION_SHARE = 0.2  # of each class's training images, where no validation part is given


@dataclass(frozen=True)
class LabelledImages:
    """n images of k classes; every class is in every part, where `complete` asks for it."""

    samples: tuple[ImageSample, ...]  # n
    classes: tuple[str, ...]  # k, sorted
    y: NDArray[np.intp]  # (n,) numbers of classes
    parts: NDArray[np.str_]  # (n,) train, validation or test
    given: tuple[str, ...]  # the parts that the data stated; the others were drawn
    seed: int  # of the drawing
    title: str = ""
    skipped: tuple[str, ...] = ()  # "name: reason" of what is no labelled image
    complete: bool = True  # whether a class that a part lacks is an error
    shown: NDArray[np.bool_] | None = None  # (n, k) all that each shows, where it may be several; y is the rarest

    def rows(self, *parts: str) -> NDArray[np.bool_]:
        """(n,) whether an image belongs to one of the parts."""
        chosen: NDArray[np.bool_] = np.isin(self.parts, parts)
        return chosen

    @property
    def labels(self) -> list[str]:
        """Name of each image's class."""
        return [self.classes[number] for number in self.y]

    @property
    def summary(self) -> str:
        """How many images of each part there are, and which parts were drawn."""
        sizes = ", ".join(f"{int(self.rows(part).sum())} {part}" for part in (TRAIN, VALIDATION, TEST))
        *first, last = [part for part in (TRAIN, VALIDATION, TEST) if part not in self.given] or [""]
        names = f"{', '.join(first)} and {last}" if first else last
        source = f"; {names} drawn with seed {self.seed}" if names else ""
        return f"{len(self.samples)} images of {len(self.classes)} classes ({sizes}{source})"

    def without(self, numbers: Sequence[int]) -> LabelledImages:
        """Return the same images without some of them; the parts stay.

        Raises:
            BadInput: a class has no image left in a part.
        """
        stays = np.setdiff1d(np.arange(len(self.samples)), numbers)
        samples = tuple(self.samples[at] for at in stays)
        shown = None if self.shown is None else self.shown[stays]
        rest = replace(self, samples=samples, y=self.y[stays], parts=self.parts[stays], shown=shown)
        if self.complete:
            _check(rest)
        return rest


def restricted(images: LabelledImages, classes: Sequence[str]) -> tuple[LabelledImages, NDArray[np.bool_]]:
    """Return the images of some of the classes, and (n,) which they are; the parts stay.

    Raises:
        BadInput: fewer than two of the classes.
    """
    names = tuple(name for name in images.classes if name in set(classes))
    if len(names) < 2:
        raise BadInput(f"Choose at least two of the {len(images.classes)} classes; got {len(names)}.")
    stays = np.isin(images.y, [images.classes.index(name) for name in names])
    y = np.array([names.index(images.classes[number]) for number in images.y[stays]])
    samples = tuple(sample for sample, there in zip(images.samples, stays, strict=True) if there)
    return (
        LabelledImages(samples, names, y, images.parts[stays], images.given, images.seed, images.title, images.skipped),
        stays,
    )


def read_labelled(path: str, *, seed: int = 0, complete: bool = True, several: bool = False) -> LabelledImages:
    """Read class folders, with `train/` and `test/` above them where both are given; or a zip or table with labels.

    A table may state the part in a column `split`. No image is opened yet.

    Args:
        path: what `datasets.read_samples` takes.
        seed: of the parts that are not given.
        complete: whether every class must be in every part.
        several: whether an image may show several classes: labels joined by `SEVERAL`, or a row for each.

    Raises:
        BadInput: nothing there; fewer than two classes; a class without enough images.
    """
    return labelled(read_samples(path), seed=seed, complete=complete, several=several)


def labelled(listing: Listing, *, seed: int = 0, complete: bool = True, several: bool = False) -> LabelledImages:
    """Return the labelled images of a listing; see `read_labelled`."""
    listing = by_part(listing)
    rows, skipped = [], list(listing.skipped)
    for sample in _joined(listing.samples) if several else listing.samples:
        if sample.label.strip(f" {SEVERAL}" if several else None):
            rows.append((sample, sample.label, NAMES.get(sample.attributes.get("split", "").lower(), "")))
        else:
            skipped.append(f"{sample.name}: in no class folder")
    if any(part for *_, part in rows) and not {TRAIN, TEST} <= {part for *_, part in rows}:
        rows = [(sample, label, "") for sample, label, _ in rows]
    labels = [_several(label) if several else {label} for _, label, _ in rows]
    classes = tuple(sorted({one for group in labels for one in group}))
    if len(classes) < 2:
        raise BadInput(
            "A probe needs labelled images of two classes or more: folders named after the classes, such as cat/ and "
            f"dog/, alone or in train/ and test/; {listing.title[:80]!r} has {len(classes)}."
        )
    count = Counter(one for group in labels for one in group)
    y = np.array([classes.index(min(sorted(group), key=count.__getitem__)) for group in labels])
    parts = np.array([part for *_, part in rows], dtype="<U10")
    given = tuple(part for part in (TRAIN, VALIDATION, TEST) if (parts == part).any())
    parts = drawn_parts(y, parts, seed=seed)
    samples = tuple(sample for sample, *_ in rows)
    shown = np.array([[name in group for name in classes] for group in labels]) if several else None
    images = LabelledImages(samples, classes, y, parts, given, seed, listing.title, tuple(skipped), complete, shown)
    if complete:
        _check(images)
    return images


def by_part(listing: Listing) -> Listing:
    """Read class folders below `train/` and `test/`: the part becomes the attribute `split`; others stay the same."""
    tops = {sample.name.split("/")[0].lower() for sample in listing.samples if sample.name.count("/") > 1}
    if not {NAMES.get(top) for top in tops} >= {TRAIN, TEST} or not all(top in NAMES for top in tops):
        return listing
    samples = []
    for sample in listing.samples:
        top, _, rest = sample.name.partition("/")
        known = {**sample.attributes, "split": NAMES.get(top.lower(), "")}
        samples.append(replace(sample, label=rest.split("/")[0] if "/" in rest else "", attributes=known))
    return replace(listing, samples=tuple(samples))


def drawn_parts(y: NDArray[np.intp], parts: NDArray[np.str_], *, seed: int) -> NDArray[np.str_]:
    """Draw the parts that are not given, class by class.

    Args:
        y: (n,) numbers of classes.
        parts: (n,) train, validation, test, or "" where nothing is given.
        seed: of the drawing.
    """
    rng, drawn = np.random.default_rng(seed), parts.copy()
    if not (drawn == TEST).any():
        _move(y, drawn, lambda part: part == "", fraction=TEST_SHARE, to=TEST, rng=rng)
        drawn[drawn == ""] = TRAIN
    drawn[drawn == ""] = TRAIN
    if not (drawn == VALIDATION).any():
        _move(y, drawn, lambda part: part == TRAIN, fraction=VALIDATION_SHARE, to=VALIDATION, rng=rng)
    return drawn


def _move(
    y: NDArray[np.intp],
    parts: NDArray[np.str_],
    of: Callable[[NDArray[np.str_]], NDArray[np.bool_]],
    *,
    fraction: float,
    to: str,
    rng: np.random.Generator,
) -> None:
    """Move a fraction of each class, one image at least where two are there, into another part."""
    for number in np.unique(y):
        members = np.flatnonzero((y == number) & of(parts))
        count = max(1, round(fraction * len(members))) if len(members) > 1 else 0
        parts[rng.permutation(members)[:count]] = to


def _joined(samples: Sequence[ImageSample]) -> list[ImageSample]:
    """Rows of one image become one, with all its labels."""
    rows: dict[str, ImageSample] = {}
    for sample in samples:
        known = rows.get(sample.name)
        rows[sample.name] = replace(sample, label=f"{known.label}{SEVERAL}{sample.label}") if known else sample
    return list(rows.values())


def _several(label: str) -> set[str]:
    return {name.strip() for name in label.split(SEVERAL)} - {""}


def _check(images: LabelledImages) -> None:
    for part in (TRAIN, VALIDATION, TEST):
        rows, shown = images.rows(part), images.shown
        there = np.bincount(images.y[rows], minlength=len(images.classes)) if shown is None else shown[rows].sum(axis=0)
        if shown is not None and part == TRAIN and (there == rows.sum()).any():
            name = images.classes[int(there.argmax())]
            raise BadInput(
                f"Every class needs images to train on that do not show it; {name[:40]!r} is on all of them."
            )
        lacking = [name for name, count in zip(images.classes, there, strict=True) if not count]
        if lacking:
            names = ", ".join(repr(name[:40]) for name in lacking[:4])
            raise BadInput(
                f"Every class needs images to train on, to choose the penalty with, and to test on: four images, or "
                f"two in train/ and one in test/. No image is left for the part {part} of {names}"
                f"{' and others' if len(lacking) > 4 else ''}."
            )
