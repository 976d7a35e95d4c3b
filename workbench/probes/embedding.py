"""Embeddings and features of a list of images, by an engine's session, with progress; images that fail are named."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.engine.loaders import VISION
from workbench.errors import BadInput, BadPicture
from workbench.model_cache import CLIP, ModelRef
from workbench.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.datasets import ImageSample
    from workbench.engine import Session
    from workbench.probes.labelled import LabelledImages

TIMM = "timm:"  # what keys of image towers alone begin with
CHUNK = 32  # images between two reports


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """What one model makes of n images; rows of images that failed are zero."""

    embeddings: NDArray[np.float32]  # (n, dim) unit rows; (n, 0) where the model has no text tower
    features: NDArray[np.float32]  # (n, width) before the projection
    failed: dict[int, str]  # number of an image that cannot be read -> why
    seconds: float  # of the whole


def embed_images(
    session: Session, samples: Sequence[ImageSample], *, chunk: int = CHUNK
) -> Iterator[Progress | ImageFeatures]:
    """Report after each chunk; the last item is the result.

    Raises:
        BadInput: no image can be read.
        Cancelled, DeadlinePassed, Busy, OutOfResources: see `scheduler`.
    """
    began = time.perf_counter()
    parts: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    failed: dict[int, str] = {}
    places: list[int] = []
    for start in range(0, len(samples), chunk):
        group = samples[start : start + chunk]
        good = _rows(session, group, start, failed)
        if good is not None:
            parts.append(good)
            places += [start + at for at in range(len(group)) if start + at not in failed]
        done = start + len(group)
        yield Progress.timed(
            done, len(samples), "images", seconds=time.perf_counter() - began, computed=done, stage="embed"
        )
    if not parts:
        reason = next(iter(failed.values()), "there is none")
        raise BadInput(f"None of the {len(samples)} images can be read; the first: {reason}")
    embeddings, features = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    yield ImageFeatures(
        _spread(embeddings, places, len(samples)),
        _spread(features, places, len(samples)),
        failed,
        time.perf_counter() - began,
    )


def _rows(
    session: Session, group: Sequence[ImageSample], start: int, failed: dict[int, str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    pictures = []
    for at, sample in enumerate(group):
        try:
            pictures.append(sample.open())
        except BadPicture as error:
            failed[start + at] = str(error)
    if not pictures:
        return None
    embeddings, features = session.embed_features(pictures)
    return embeddings.numpy(), features.numpy()


def _spread(rows: NDArray[np.float32], places: Sequence[int], n: int) -> NDArray[np.float32]:
    whole = np.zeros((n, rows.shape[1]), np.float32)
    whole[list(places)] = rows
    return whole


def readable(images: LabelledImages, made: ImageFeatures) -> tuple[LabelledImages, ImageFeatures]:
    """Leave out the images that failed.

    Raises:
        BadInput: a class has no image left in a part.
    """
    if not made.failed:
        return images, made
    stays = np.setdiff1d(np.arange(len(images.samples)), list(made.failed))
    rest = ImageFeatures(made.embeddings[stays], made.features[stays], {}, made.seconds)
    return images.without(list(made.failed)), rest


def model_ref(key: str) -> ModelRef:
    """Return what the engine loads: a CLIP by its key or folder, or for `timm:…` an image tower alone."""
    return ModelRef(VISION if key.startswith(TIMM) else CLIP, key)
