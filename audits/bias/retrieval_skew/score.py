"""How people rank in searches that name no group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audits.answers import DECIMALS, cosines
from audits.bias.labelling import texts_of, vectors
from audits.contracts import OUTCOME, Item
from audits.sampling import described
from audits.settings import read_settings
from workbench.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import Embedded
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules


class Settings(BaseModel):
    """What a protocol may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slice_by: tuple[str, ...] = Field(min_length=1)  # attributes whose groups are counted among the first k
    ks: tuple[int, ...] = Field(min_length=1)  # how many of the first are looked at, 1 or more
    reference: Literal["data set", "uniform"] = "data set"  # the shares that a fair ranking would have
    leave_out: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # attribute -> values that are no group


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """All pictures, as they are."""
    settings = read_settings(Settings, rules)
    dataset.require(settings.slice_by, rules.audit)
    if min(settings.ks) < 1 or min(settings.ks) > len(dataset.table):
        raise BadInput(
            f"k lies between 1 and the number of pictures, {len(dataset.table)};"
            f" got {', '.join(map(str, settings.ks))}. "
            "One that is larger than a ranking is passed over."
        )
    return [Item(sample_id) for sample_id in sorted(dataset.table["sample_id"])]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """All queries in all templates."""
    return texts_of(rules)


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """One row a picture and query: its cosine, its rank (1: first), and whether it is among the first k."""
    import pandas as pd

    settings = read_settings(Settings, rules)
    rows = described(embedded, split=True)
    parts = []
    for kind, entry in rules.label_sets.items():
        table = cosines(embedded.images, vectors(embedded.texts, entry.labels, rules.templates))
        for at, query in enumerate(entry.labels):
            part = rows.copy()
            part.insert(2, "label_set", kind)
            part["query"] = query
            part["cosine"] = table[:, at]
            part["rank"] = ranks(table[:, at], list(rows["sample_id"]))
            for k in settings.ks:
                part[f"{OUTCOME}retrieved@{k}"] = (part["rank"] <= k).astype(float)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def ranks(scores: NDArray[np.float64], sample_ids: list[str]) -> NDArray[np.int64]:
    """Return 1..n, the highest score first; equal scores (to 1e-6) in order of sample_id."""
    order = sorted(range(len(scores)), key=lambda at: (-round(float(scores[at]), DECIMALS), sample_ids[at]))
    found = np.empty(len(scores), np.int64)
    found[order] = np.arange(1, len(scores) + 1)
    return found
