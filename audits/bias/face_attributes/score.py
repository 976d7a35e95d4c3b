"""How race, gender and age are predicted: zero-shot and with a linear probe."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits.bias.groups import Grouped
from audits.bias.labelling import chances, named
from audits.bias.labelling import texts as texts
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import LabelSet
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput
from workbench.probes import by_cluster
from workbench.strict import Strict

PROBE = "linear probe"
ZERO_SHOT = "zero-shot"


class Derived(Strict):
    """An attribute that joins groups of another: white and non-white, from race."""

    attribute: str
    values: dict[str, tuple[str, ...]]  # new value -> values of the attribute


class Settings(Grouped):
    """Settings of `bias/face-attributes`. A label set is named after its attribute; its groups are the values."""

    derived: dict[str, Derived] = Field(default_factory=dict)  # by name
    probe: bool = True


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return every image, as it is.

    Raises:
        BadInput: an attribute is missing, or a label belongs to no value of its attribute.
    """
    settings = rules.settings_as(Settings)
    sources = {name: derived.attribute for name, derived in settings.derived.items()}
    needed = dict.fromkeys(sources.get(name, name) for name in (*settings.needed, *rules.label_sets))
    dataset.require(tuple(needed), rules.audit)
    for name, entry in rules.label_sets.items():
        grouped = {label for labels in entry.groups.values() for label in labels}
        if grouped != set(entry.labels):
            raise BadInput(
                f"The groups of the label set {name!r} must hold every label of the set and no other; "
                f"these differ: {', '.join(sorted(grouped ^ set(entry.labels)))}."
            )
    return [Item(sample_id) for sample_id in sorted(dataset.table["sample_id"])]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image, attribute and method; the probe's rows are those of its test part."""
    settings = rules.settings_as(Settings)
    rows = described(embedded, split=True)
    for name, derived in settings.derived.items():
        new = {old: value for value, olds in derived.values.items() for old in olds}
        rows[name] = rows[derived.attribute].map(new).fillna("")
    parts = []
    for name, entry in rules.label_sets.items():
        value_of = {label: value for value, labels in entry.groups.items() for label in labels}
        table = chances(embedded, entry.labels, rules.templates)
        zero_shot = named(rows, label_set(name, ZERO_SHOT), labels=entry.labels, table=table)
        zero_shot["y_pred"] = zero_shot["y_pred"].map(value_of)
        for part in (zero_shot, _probed(rows, embedded, name, entry) if settings.probe else None):
            if part is not None:
                part["y_true"] = part[name]
                right = (part["y_true"] == part["y_pred"]).astype(float)
                part[f"{OUTCOME}accuracy.{name}"] = right.where(part[name].isin(entry.groups))
                parts.append(part)
    return pd.concat(parts, ignore_index=True)


def label_set(attribute: str, method: str) -> str:
    """Return the name of the rows of an attribute and a method: "gender, zero-shot"."""
    return f"{attribute}, {method}"


def _probed(rows: DataFrame, embedded: Embedded, name: str, entry: LabelSet) -> DataFrame | None:
    """Fit on the training rows that have a value and predict the test rows; None where that is impossible."""
    known = rows[name].isin(entry.groups).to_numpy()
    test = by_cluster.testing(list(rows["split"]), list(rows["cluster"]))
    train = known & ~test
    vectors = embedded.images.astype(np.float64)
    if rows.loc[train, name].nunique() < 2 or not (known & test).any():
        return None
    fitted = by_cluster.fit(vectors[train], list(rows.loc[train, name]), list(rows.loc[train, "cluster"]))
    table = fitted.predict(vectors[known & test])
    return named(rows[known & test], label_set(name, PROBE), labels=fitted.classes, table=table)
