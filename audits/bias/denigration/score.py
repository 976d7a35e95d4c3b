"""How images of people are named with person labels and derogatory ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits.bias.groups import Grouped
from audits.bias.labelling import chances, named
from audits.bias.labelling import texts as texts
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput

ANY = "any"  # all groups of a label set together


class Settings(Grouped):
    """Settings of `bias/denigration`."""

    compare: tuple[tuple[str, str], ...] = ()  # pairs of label sets: what the second one changes


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return every image, as it is.

    Raises:
        BadInput: an attribute is missing, or a label set lacks labels or groups that the protocol names.
    """
    settings = rules.settings_as(Settings)
    dataset.require(settings.needed, rules.audit)
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
    return [Item(sample_id) for sample_id in sorted(dataset.table["sample_id"])]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and label set.

    For each group of labels: whether the likeliest label is one of it, the probability on it, and the lead of its best
    label over the best other one.
    """
    rows = described(embedded, split=True)
    parts = []
    for name, entry in rules.label_sets.items():
        table = chances(embedded, entry.labels, rules.templates)
        part = named(rows, name, labels=entry.labels, table=table)
        every = tuple(label for group in entry.groups.values() for label in group)
        for group, labels in {**entry.groups, ANY: every}.items():
            inside = np.isin(entry.labels, labels)
            part[f"{OUTCOME}rate.{group}"] = inside[np.argmax(table, axis=1)].astype(float)
            part[f"{OUTCOME}probability.{group}"] = np.round(table[:, inside].sum(axis=1) / table.sum(axis=1), 6)
            rest = table[:, ~inside].max(axis=1) if (~inside).any() else np.zeros(len(table))
            part[f"margin.{group}"] = np.round(table[:, inside].max(axis=1) - rest, 6)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
