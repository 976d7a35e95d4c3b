"""What the test images are named by zero-shot, by probes of few images a class, and by the full probe."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame
from pydantic import Field

from audits import closed_set
from audits.answers import classifier, logits, probabilities
from audits.closed_set import texts as texts
from audits.contracts import DRAWS, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from audits.slicing import Sliced
from workbench.probes import by_cluster
from workbench.probes.few_shot import few_shot_probes, most_shots
from workbench.probes.labelled import TEST, TRAIN, LabelledImages, drawn_parts
from workbench.probes.linear import probe

ZERO_SHOT, PROBE = "zero-shot", "probe"
FEWEST = 3  # images of a class that are not for testing: two to fit on, one to choose the penalty with


class Settings(Sliced):
    """Settings of `accuracy`."""

    shots: tuple[int, ...] = (1, 4, 16)  # those that a class has too few images for are left out
    seeds: int = Field(10, ge=1, le=100)  # drawings of the shots; a test image's outcome is the share of them


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return each image with a known label, as it is.

    Raises:
        BadInput: no image has a known label, or an attribute to slice by is missing.
    """
    dataset.require(rules.settings_as(Settings).needed, rules.audit)
    return [Item(sample) for sample in closed_set.labelled(dataset, rules)]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row a test image and way of asking; all ways have the same test images.

    Probes see the embeddings in the joint space. Where a class has too few images to fit on, there is zero-shot alone.
    """
    base = described(embedded, split=True)
    labels = next(iter(closed_set.label_sets(embedded.dataset, rules).values()))
    test = by_cluster.testing(list(base["split"]), list(base["cluster"]))
    y = np.array([labels.index(label) for label in base["y_true"]])
    rows = base[test].drop(columns="split")
    weights = classifier(embedded.texts, labels, rules.templates)
    chances = probabilities(embedded.model.score, logits(embedded.model, embedded.images, weights))[test]
    frames = [_answered(rows, ZERO_SHOT, labels, chances)]
    if np.bincount(y[~test], minlength=len(labels)).min() >= FEWEST:
        parts = drawn_parts(y, np.where(test, TEST, TRAIN).astype("<U10"), seed=seed)
        images = LabelledImages((), labels, y, parts, (TRAIN, TEST), seed)
        frames += _probed(rows, embedded.images, images, rules.settings_as(Settings))
    return pd.concat(frames, ignore_index=True)


def _probed(
    rows: DataFrame, vectors: NDArray[np.float32], images: LabelledImages, settings: Settings
) -> Iterator[DataFrame]:
    """Yield the rows of each number of shots, and of the full probe."""
    test = images.rows(TEST)
    truth = images.y[test]
    for shots in settings.shots:
        if shots <= most_shots(images):
            probes = few_shot_probes(vectors, images, shots, seeds=settings.seeds, seed=images.seed)
            chances = np.stack([one.probabilities(vectors[test]) for one in probes])
            name = f"{shots} shot{'' if shots == 1 else 's'}"
            right = (chances.argmax(axis=2) == truth).astype(float)  # (draws, n)
            frame = _answered(rows, name, images.classes, chances.mean(axis=0))
            yield frame.assign(**{"outcome:accuracy": right.mean(axis=0), DRAWS: list(right.T)})
    yield _answered(rows, PROBE, images.classes, probe(vectors, images).probabilities[test])


def _answered(rows: DataFrame, way: str, labels: tuple[str, ...], chances: NDArray[np.float64]) -> DataFrame:
    """Add the answers of (n, k) probabilities to n rows."""
    best = chances.argmax(axis=1)
    frame = rows.copy()
    frame["label_set"], frame["y_pred"] = way, [labels[place] for place in best]
    frame["confidence"] = chances.max(axis=1)
    frame["outcome:accuracy"] = (frame["y_pred"] == frame["y_true"]).astype(float)
    frame[DRAWS] = [[one] for one in frame["outcome:accuracy"]]
    return frame
