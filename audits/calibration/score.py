"""How confident each answer is, for label sets of several sizes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame
from pydantic import Field

from audits import closed_set
from audits.answers import classifier, logits, probabilities
from audits.closed_set import texts as texts
from audits.contracts import Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from audits.seeds import generator
from audits.slicing import Sliced

FIT, HELD = "fit", "held"  # parts of the images: the temperature is fitted on one and tested on the other


class Settings(Sliced):
    """Settings of `calibration`."""

    sizes: tuple[int, ...] = Field((0,), min_length=1)  # labels that an image is named with, drawn at random; 0: all
    bins: int = Field(15, ge=2, le=100)
    fit: float = Field(0.5, gt=0, lt=1)  # share of the clusters that the temperature is fitted on


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return each image with a known label, as it is.

    Raises:
        BadInput: no image has a known label, or an attribute to slice by is missing.
    """
    dataset.require(rules.settings_as(Settings).needed, rules.audit)
    return [Item(sample) for sample in closed_set.labelled(dataset, rules)]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and label set: the answer, its probability, and all logits."""
    settings = rules.settings_as(Settings)
    base = described(embedded)
    clusters = sorted(set(base["cluster"]))
    order = generator(seed, "parts").permutation(len(clusters))
    fitted = {clusters[at] for at in order[: round(settings.fit * len(clusters))]}
    base["part"] = [FIT if cluster in fitted else HELD for cluster in base["cluster"]]
    frames = []
    for name, labels in closed_set.label_sets(embedded.dataset, rules).items():
        values = logits(embedded.model, embedded.images, classifier(embedded.texts, labels, rules.templates))
        known = base["y_true"].isin(labels).to_numpy()
        for size in dict.fromkeys(size if 0 < size < len(labels) else 0 for size in settings.sizes):
            rows = base[known].copy()
            rows["label_set"] = f"{name}: {size} of {len(labels)}" if size else f"{name}: all {len(labels)}"
            rows["labels"] = size or len(labels)
            frames.append(_answered(rows, labels, values[known], size=size, seed=seed, kind=embedded.model.score))
    return pd.concat(frames, ignore_index=True)


def _answered(
    rows: DataFrame, labels: tuple[str, ...], values: NDArray[np.float64], *, size: int, seed: int, kind: str
) -> DataFrame:
    """Add to the rows the answer among `size` labels, drawn for each image."""
    places = [
        closed_set.choices(labels, truth, size=size, seed=seed, sample_id=sample)
        for truth, sample in zip(rows["y_true"], rows["sample_id"], strict=True)
    ]
    taken = np.take_along_axis(values, np.array(places), axis=1)
    best = np.argmax(taken, axis=1)
    rows["y_pred"] = [labels[at[place]] for at, place in zip(places, best, strict=True)]
    rows["truth"] = [at.index(labels.index(truth)) for at, truth in zip(places, rows["y_true"], strict=True)]
    rows["confidence"] = probabilities(kind, taken)[np.arange(len(rows)), best]
    rows["outcome:accuracy"] = (rows["y_pred"] == rows["y_true"]).astype(float)
    rows["scores"] = taken.tolist()
    return rows
