"""How race, gender and age are told: zero-shot and with a linear probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audits.answers import cosines
from audits.bias import groups, probe
from audits.bias.labelling import chances, named, texts_of, vectors
from audits.contracts import OUTCOME, Item
from audits.sampling import described
from audits.settings import read_settings
from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import Embedded
    from audits.datasets.dataset import Dataset
    from audits.protocol import LabelSet
    from audits.protocol import Protocol as Rules

PROBE = "linear probe"
ZERO_SHOT = "zero-shot"


class Derived(BaseModel):
    """An attribute that joins groups of another: white and non-white, from race."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribute: str
    values: dict[str, tuple[str, ...]]  # new value -> values of the attribute


class Settings(BaseModel):
    """What a protocol may set. Label sets are named after the attribute they tell; their groups are its values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slice_by: tuple[str, ...] = Field(min_length=1)
    crossed: tuple[tuple[str, ...], ...] = ()
    derived: dict[str, Derived] = Field(default_factory=dict)  # by name
    probe: bool = True


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """All pictures, as they are."""
    settings = read_settings(Settings, rules)
    asked = groups.needed((*settings.slice_by, *rules.label_sets), settings.crossed)
    sources = {name: derived.attribute for name, derived in settings.derived.items()}
    dataset.require(tuple(dict.fromkeys(sources.get(name, name) for name in asked)), rules.audit)
    for name, entry in rules.label_sets.items():
        told = {label for labels in entry.groups.values() for label in labels}
        if told != set(entry.labels):
            raise BadInput(
                f"Every label of the set {name!r} belongs to a value of that attribute, and no other does; "
                f"these do not: {', '.join(sorted(told ^ set(entry.labels)))}."
            )
    return [Item(sample_id) for sample_id in sorted(dataset.table["sample_id"])]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """All labels in all templates."""
    return texts_of(rules)


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """One row a picture, attribute and way of telling it; the probe's rows are those it did not learn from."""
    import pandas as pd

    settings = read_settings(Settings, rules)
    rows = _joined(described(embedded, split=True), settings)
    parts = []
    for name, entry in rules.label_sets.items():
        weights = vectors(embedded.texts, entry.labels, rules.templates)
        table = chances(embedded.model, cosines(embedded.images, weights))
        value_of = {label: value for value, labels in entry.groups.items() for label in labels}
        part = named(rows, label_set(name, ZERO_SHOT), labels=entry.labels, table=table)
        part["y_pred"] = part["y_pred"].map(value_of)
        parts.append(_judged(part, name, entry))
        if settings.probe:
            parts.append(_probed(rows, embedded, name, entry))
    return pd.concat(parts, ignore_index=True)


def label_set(attribute: str, way: str) -> str:
    """Return how rows of an attribute and a way of telling it are called: "gender, zero-shot"."""
    return f"{attribute}, {way}"


def _joined(rows: DataFrame, settings: Settings) -> DataFrame:
    """Add the derived attributes; a value that is in none of the new groups becomes ""."""
    for name, derived in settings.derived.items():
        new = {old: value for value, olds in derived.values.items() for old in olds}
        rows[name] = rows[derived.attribute].map(new).fillna("")
    return rows


def _probed(rows: DataFrame, embedded: Embedded, name: str, entry: LabelSet) -> DataFrame:
    """Learn from the training rows that have a value, and answer for the test rows; no rows where that cannot be."""
    known = rows[name].isin(entry.groups).to_numpy()
    test = probe.testing(list(rows["split"]), list(rows["cluster"]))
    learn = known & ~test
    values = embedded.images.astype(np.float64)
    if rows.loc[learn, name].nunique() < 2 or not (known & test).any():
        return rows.iloc[:0]
    learned = probe.fit(values[learn], list(rows.loc[learn, name]), list(rows.loc[learn, "cluster"]))
    table = learned.predict(values[known & test])
    part = named(rows[known & test], label_set(name, PROBE), labels=learned.classes, table=table)
    return _judged(part, name, entry)


def _judged(part: DataFrame, name: str, entry: LabelSet) -> DataFrame:
    part["y_true"] = part[name]
    known = part[name].isin(entry.groups)
    part[f"{OUTCOME}accuracy.{name}"] = (part["y_true"] == part["y_pred"]).astype(float).where(known)
    return part
