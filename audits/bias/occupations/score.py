"""Which labels an image gets above each threshold, and whether the likeliest is its occupation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits.bias.labelling import chances, named
from audits.bias.labelling import texts as texts
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from audits.slicing import Sliced
from workbench.errors import BadInput
from workbench.statistics.measures import Measure

ACCURACY = "accuracy.occupation"


class Settings(Sliced):
    """Settings of `bias/occupations`; `slice_by` and `crossed` are for the accuracy."""

    attribute: str = "gender"  # whose two groups are compared
    sides: tuple[str, str]  # its two values
    thresholds: tuple[float, ...] = Field(min_length=1)  # probabilities 0..1 above which a label counts
    most: int = Field(20, ge=1)  # labels of each side in the chart


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return the images of both sides.

    Raises:
        BadInput: an attribute or label set is missing, a threshold is outside 0..1, or a side has no image.
    """
    settings = rules.settings_as(Settings)
    dataset.require((settings.attribute, *settings.needed), rules.audit)
    wrong = [share for share in settings.thresholds if not 0 < share < 1]
    if wrong or not rules.label_sets:
        raise BadInput(
            f"The protocol {rules.name!r} needs a label set, and thresholds between 0 and 1 such as 0.005; "
            f"got {len(rules.label_sets)} label set(s) and {', '.join(map(str, settings.thresholds))}."
        )
    inside = dataset.table[dataset.table[settings.attribute].isin(settings.sides)]
    absent = [side for side in settings.sides if not (inside[settings.attribute] == side).any()]
    if absent:
        raise BadInput(
            f"The audit compares {' with '.join(settings.sides)}; no image has {settings.attribute} {absent[0]!r}."
        )
    return [Item(sample_id) for sample_id in sorted(inside["sample_id"])]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and label set: the labels above each threshold, and whether the likeliest is correct."""
    settings = rules.settings_as(Settings)
    rows = described(embedded, split=True)
    parts = []
    for name, entry in rules.label_sets.items():
        table = chances(embedded, entry.labels, rules.templates)
        part = named(rows, name, labels=entry.labels, table=table)
        for threshold in settings.thresholds:
            part[above(threshold)] = [[entry.labels[at] for at in np.flatnonzero(row > threshold)] for row in table]
        known = part["y_true"].isin(entry.labels)
        part[OUTCOME + ACCURACY] = (part["y_true"] == part["y_pred"]).astype(float).where(known)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def above(threshold: float) -> str:
    """Return the column that lists the labels above a threshold: "labels>0.005"."""
    return f"labels>{threshold:g}"


@dataclass(frozen=True)
class Tagged:
    """The images of two sides, and the labels that each has above a threshold."""

    label_set: str
    threshold: float  # probability, 0..1
    labels: tuple[str, ...]  # of the label set
    tags: tuple[frozenset[str], ...]  # of each image
    side: tuple[str, ...]  # of each image
    clusters: tuple[str, ...]
    attribute: str
    sides: tuple[str, str]

    @property
    def metric(self) -> str:
        """The name of its measures: "labelled>0.005"."""
        return f"labelled>{self.threshold:g}"

    def differences(self, measures: Sequence[Measure]) -> list[Measure]:
        """Return the differences between the two sides, one a label, of this label set and threshold."""
        here = [m for m in measures if m.metric == self.metric and m.label_set == self.label_set]
        return [m for m in here if m.contrast == "to_reference"]
