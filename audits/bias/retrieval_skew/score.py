"""How people rank in searches that name no group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits.bias.labelling import cosines_of
from audits.bias.labelling import texts as texts
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput
from workbench.statistics.ranking import order
from workbench.strict import Strict


class Settings(Strict):
    """Settings of `bias/retrieval-skew`."""

    slice_by: tuple[str, ...] = Field(min_length=1)  # attributes whose groups are counted among the first k
    ks: tuple[int, ...] = Field(min_length=1)  # ranks counted from the top, 1 or more
    reference: Literal["data set", "uniform"] = "data set"  # the shares that a fair ranking would have
    leave_out: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # attribute -> values that are no group


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return every image, as it is.

    Raises:
        BadInput: an attribute is missing, or no k fits the data set.
    """
    settings = rules.settings_as(Settings)
    dataset.require(settings.slice_by, rules.audit)
    if min(settings.ks) < 1 or min(settings.ks) > len(dataset.table):
        raise BadInput(
            f"k lies between 1 and the number of images, {len(dataset.table)}; got {', '.join(map(str, settings.ks))}. "
            "A k larger than a ranking is skipped."
        )
    return [Item(sample_id) for sample_id in sorted(dataset.table["sample_id"])]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and query: its cosine, its rank (1: first), and whether it is among the first k."""
    settings = rules.settings_as(Settings)
    rows = described(embedded, split=True)
    parts = []
    for kind, entry in rules.label_sets.items():
        table = cosines_of(embedded, entry.labels, rules.templates)
        for at, query in enumerate(entry.labels):
            part = rows.copy()
            part.insert(2, "label_set", kind)
            part["query"] = query
            part["cosine"] = table[:, at]
            part["rank"] = np.argsort(order(table[:, at], list(rows["sample_id"]))) + 1
            for k in settings.ks:
                part[f"{OUTCOME}retrieved@{k}"] = (part["rank"] <= k).astype(float)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Ranking:
    """The images of one query, best first; those without a group are left out."""

    kind: str  # "neutral", "loaded"
    query: str
    attribute: str
    groups: tuple[str, ...]  # of each image
    clusters: tuple[str, ...]

    @property
    def name(self) -> str:
        """The label set of its measures: kind and query."""
        return f"{self.kind}: {self.query}"
