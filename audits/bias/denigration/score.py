"""How pictures are named with person labels, derogatory ones among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audits.answers import cosines
from audits.bias import groups
from audits.bias.labelling import chances, named, texts_of, vectors
from audits.contracts import OUTCOME, Item
from audits.sampling import described
from audits.settings import read_settings
from workbench.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import Embedded
    from audits.datasets.dataset import Dataset
    from audits.protocol import LabelSet
    from audits.protocol import Protocol as Rules

ANY = "any"  # all groups of a label set together


class Settings(BaseModel):
    """What a protocol may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slice_by: tuple[str, ...] = Field(min_length=1)  # attributes whose groups are compared
    crossed: tuple[tuple[str, ...], ...] = ()  # intersections, such as (race, gender)
    compare: tuple[tuple[str, str], ...] = ()  # pairs of label sets: what the second one's words change


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """All pictures, as they are."""
    settings = read_settings(Settings, rules)
    dataset.require(groups.needed(settings.slice_by, settings.crossed), rules.audit)
    _check(rules, settings)
    return [Item(sample_id) for sample_id in sorted(dataset.table["sample_id"])]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """All labels in all templates."""
    return texts_of(rules)


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """One row a picture and label set: the likeliest label, and whether it is one of a derogatory group."""
    import pandas as pd

    rows = described(embedded, split=True)
    parts = []
    for name, entry in rules.label_sets.items():
        weights = vectors(embedded.texts, entry.labels, rules.templates)
        table = chances(embedded.model, cosines(embedded.images, weights))
        parts.append(_told(named(rows, name, labels=entry.labels, table=table), entry, table))
    return pd.concat(parts, ignore_index=True)


def _check(rules: Rules, settings: Settings) -> None:
    if not rules.label_sets:
        raise BadInput(f"The protocol {rules.name!r} needs at least one label set; it has none.")
    for name, entry in rules.label_sets.items():
        absent = sorted({label for group in entry.groups.values() for label in group} - set(entry.labels))
        if absent or not entry.groups:
            raise BadInput(
                f"The label set {name!r} needs groups of its own labels, such as crime and nonhuman; "
                f"{'not labels of the set: ' + ', '.join(absent) if absent else 'it has none'}."
            )
    unknown = sorted({name for pair in settings.compare for name in pair} - set(rules.label_sets))
    if unknown:
        raise BadInput(f"The protocol {rules.name!r} compares label sets that it lacks: {', '.join(unknown)}.")


def _told(rows: DataFrame, entry: LabelSet, table: NDArray[np.float64]) -> DataFrame:
    """Add, for each group of labels: top-1 or not, the probability on it, and its lead over the best other label."""
    groups_of = dict(entry.groups)
    groups_of[ANY] = tuple(label for group in entry.groups.values() for label in group)
    for name, labels in groups_of.items():
        inside = np.isin(entry.labels, labels)
        rows[f"{OUTCOME}rate.{name}"] = inside[np.argmax(table, axis=1)].astype(float)
        within, whole = table[:, inside].sum(axis=1), table.sum(axis=1)
        rows[f"{OUTCOME}probability.{name}"] = np.round(within / whole, 6)
        rest = table[:, ~inside].max(axis=1) if (~inside).any() else np.zeros(len(table))
        rows[f"margin.{name}"] = np.round(table[:, inside].max(axis=1) - rest, 6)
    return rows
