"""How sure the model is of each answer, for label sets of several sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audits import closed_set
from audits.answers import classifier, logits, probabilities, prompts
from audits.calibration.analyse import FIT, HELD
from audits.contracts import Item
from audits.sampling import described
from audits.seeds import generator
from audits.settings import read_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import Embedded
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules


class Settings(BaseModel):
    """What a calibration protocol settles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sizes: tuple[int, ...] = Field((0,), min_length=1)  # labels a picture is asked with, drawn by lot; 0: all
    bins: int = Field(15, ge=2, le=100)
    fit: float = Field(0.5, gt=0, lt=1)  # share of the clusters that the temperature is found on


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Each picture with a known label, as it is."""
    read_settings(Settings, rules)
    return [Item(sample) for sample in closed_set.labelled(dataset, rules)]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """All labels in all templates."""
    sets = closed_set.label_sets(dataset, rules).values()
    return [prompt for labels in sets for prompt in prompts(labels, rules.templates)]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """One row a picture and label set: what was answered, with which probability, and all logits."""
    import pandas as pd

    settings = read_settings(Settings, rules)
    base = described(embedded)
    base["part"] = _parts(base, settings.fit, seed)
    frames = []
    for name, labels in closed_set.label_sets(embedded.dataset, rules).items():
        values = logits(embedded.model, embedded.images, classifier(embedded.texts, labels, rules.templates))
        sizes = dict.fromkeys(size if 0 < size < len(labels) else 0 for size in settings.sizes)
        known = base["y_true"].isin(labels).to_numpy()
        for size in sizes:
            rows = base[known].copy()
            rows["label_set"] = f"{name}: {size} of {len(labels)}" if size else f"{name}: all {len(labels)}"
            rows["labels"] = size or len(labels)
            frames.append(_asked(rows, labels, values[known], size=size, seed=seed, kind=embedded.model.score))
    return pd.concat(frames, ignore_index=True)


def _parts(rows: DataFrame, share: float, seed: int) -> list[str]:
    """Put whole clusters into one part each, by lot."""
    clusters = sorted(set(rows["cluster"]))
    order = generator(seed, "parts").permutation(len(clusters))
    fitted = {clusters[at] for at in order[: round(share * len(clusters))]}
    return [FIT if cluster in fitted else HELD for cluster in rows["cluster"]]


def _asked(
    rows: DataFrame, labels: tuple[str, ...], values: NDArray[np.float64], *, size: int, seed: int, kind: str
) -> DataFrame:
    """Add to the rows what was answered among `size` labels, drawn for each picture."""
    places = [
        closed_set.choices(labels, truth, size=size, seed=seed, sample_id=sample)
        for truth, sample in zip(rows["y_true"], rows["sample_id"], strict=True)
    ]
    taken = np.take_along_axis(values, np.array(places), axis=1)
    chances = probabilities(kind, taken)
    best = np.argmax(taken, axis=1)
    rows["y_pred"] = [labels[at[place]] for at, place in zip(places, best, strict=True)]
    rows["truth"] = [at.index(labels.index(truth)) for at, truth in zip(places, rows["y_true"], strict=True)]
    rows["confidence"] = chances[np.arange(len(rows)), best]
    rows["outcome:accuracy"] = (rows["y_pred"] == rows["y_true"]).astype(float)
    rows["scores"] = taken.tolist()
    return rows
