"""Test images from elsewhere: another folder with some of the same classes, which nothing is fitted or tuned on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from workbench.datasets import read_samples
from workbench.errors import BadInput
from workbench.probes.embedding import ImageFeatures, embed_images
from workbench.probes.labelled import labelled
from workbench.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.datasets import ImageSample, Listing
    from workbench.engine import Session
    from workbench.probes.labelled import LabelledImages


@dataclass(frozen=True, eq=False)
class ShiftedImages:
    """n images from elsewhere."""

    name: str
    samples: tuple[ImageSample, ...]  # n
    y: NDArray[np.intp]  # (n,) numbers of classes of the base images
    skipped: int = 0  # images of other classes


@dataclass(frozen=True, eq=False)
class ShiftedFeatures:
    """What one model makes of them."""

    name: str
    made: ImageFeatures  # of the n images that can be read
    y: NDArray[np.intp]  # (n,)


def read_shift(path: str, base: LabelledImages) -> ShiftedImages:
    """Read a folder, zip or table as `labelled.read_labelled` does; parts do not matter.

    Raises:
        BadInput: fewer than two classes that the base images have too.
    """
    return shifted(read_samples(path), base, name=PurePath(path).name or path)


def shifted(listing: Listing, base: LabelledImages, *, name: str) -> ShiftedImages:
    """Return the images of a listing whose class the base images have too."""
    images = labelled(listing, complete=False)
    numbers = {label: number for number, label in enumerate(base.classes)}
    there = [place for place, label in enumerate(images.labels) if label in numbers]
    y = np.array([numbers[images.labels[place]] for place in there], np.intp)
    if len(np.unique(y)) < 2:
        raise BadInput(
            f"Images of a shift stand in folders with the names of the base classes, at least two of them: "
            f"{', '.join(base.classes[:4])} …; {name[:80]!r} has {', '.join(images.classes[:4])} …"
        )
    return ShiftedImages(name, tuple(images.samples[place] for place in there), y, len(images.samples) - len(there))


def embed_unlabelled(session: Session, samples: Sequence[ImageSample]) -> ImageFeatures:
    """Embed images whose class does not matter; those that cannot be read are left out.

    Raises:
        BadInput, Cancelled, DeadlinePassed, Busy, OutOfResources: see `embedding.embed_images`.
    """
    *_, made = embed_images(session, samples)
    assert isinstance(made, ImageFeatures)
    return _without_failed(made, len(samples))


def embed_shift(session: Session, images: ShiftedImages) -> Iterator[Progress | ShiftedFeatures]:
    """Report after each chunk; the last item is the result.

    Raises:
        BadInput, Cancelled, DeadlinePassed, Busy, OutOfResources: see `embedding.embed_images`.
    """
    for step in embed_images(session, images.samples):
        if isinstance(step, Progress):
            yield step
            continue
        stays = np.setdiff1d(np.arange(len(images.y)), list(step.failed))
        yield ShiftedFeatures(images.name, _without_failed(step, len(images.y)), images.y[stays])


def _without_failed(made: ImageFeatures, n: int) -> ImageFeatures:
    stays = np.setdiff1d(np.arange(n), list(made.failed))
    return ImageFeatures(made.embeddings[stays], made.features[stays], {}, made.seconds)
