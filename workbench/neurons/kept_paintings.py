"""Paintings and facets in the memory cache of embeddings, under its limit: the same question is painted once.

A key covers everything that a device paints from: the model's fingerprint, all settings, the spread, the facet and the
image that painting begins with.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np

from workbench.cache import EmbeddingStore, Key
from workbench.neurons.visualisation import Facet, UnitImageJob, UnitImages
from workbench.statistics.intervals import proportion


def painting_key(fingerprint: str, job: UnitImageJob) -> Key:
    """Return the key of what a job paints with a model."""
    facet, start = job.facet, job.start
    facts = [dataclasses.asdict(job.settings), job.spread, facet and facet.layer]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for part in (None if facet is None else facet.weights, start):
        digest.update(b"-" if part is None else str(part.shape).encode() + np.ascontiguousarray(part).tobytes())
    return Key(fingerprint, "painting", digest.hexdigest())


def find_painting(store: EmbeddingStore[Key], key: Key, job: UnitImageJob) -> UnitImages | None:
    """Return what was painted for the same job, or None."""
    row = store.get_many([key]).get(key)
    if row is None:
        return None
    settings = job.settings
    numbers, pixels = np.split(row, [1 + settings.steps])
    shape = (settings.count, settings.side, settings.side, 3)
    curve = tuple(float(value) for value in numbers[1:])
    return UnitImages(pixels.astype(np.uint8).reshape(shape), settings, curve, float(numbers[0]))


def keep_painting(store: EmbeddingStore[Key], key: Key, images: UnitImages) -> None:
    """Keep what was painted: seconds, curve and pixels in one row."""
    row = np.concatenate([[images.seconds], images.curve, images.pixels.ravel()]).astype(np.float32)
    store.put_many({key: row})


def facet_key(fingerprint: str, name: str, layer: str, *, seed: int) -> Key:
    """Return the key of a facet of the built-in images; the folder of a user may change, and has none."""
    return Key(fingerprint, "facet", hashlib.sha256(json.dumps([name, layer, seed]).encode()).hexdigest())


def find_facet(store: EmbeddingStore[Key], key: Key, *, name: str, layer: str) -> Facet | None:
    """Return a facet that was learned before, or None."""
    row = store.get_many([key]).get(key)
    if row is None:
        return None
    accuracy = proportion(int(row[0]), int(row[1]))
    return Facet(name, layer, row[4:].copy(), accuracy, middle=float(row[2]), reach=float(row[3]))


def keep_facet(store: EmbeddingStore[Key], key: Key, facet: Facet) -> None:
    """Keep a facet: how many images its probe told right, of how many, its middle and reach, and its weights."""
    n = facet.accuracy.n
    right = round((facet.accuracy.value or 0.0) * n)
    store.put_many({key: np.concatenate([[right, n, facet.middle, facet.reach], facet.weights]).astype(np.float32)})
