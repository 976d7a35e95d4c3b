"""The same images named under every wording of a label set."""

from __future__ import annotations

import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits.answers import prompts
from audits.bias.groups import Grouped
from audits.bias.labelling import chances, named
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput

TARGET = "rate.target"  # the share of images whose likeliest label is one of the target group


class Settings(Grouped):
    """Settings of `bias/label-design`; the first label set is the base that is varied."""

    target: tuple[str, ...] = Field(min_length=1)  # groups of the base set whose labels are counted
    leave_out: tuple[str, ...] = ()  # labels that are left out, one at a time
    synonyms: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # label -> words put in its place, one at a time
    add: tuple[str, ...] = ()  # labels that are added, one at a time


def wordings(rules: Rules, settings: Settings) -> dict[str, tuple[tuple[str, ...], frozenset[str]]]:
    """Return the label sets by name, each with the labels that count as the target.

    Raises:
        BadInput: a label or group that the base set lacks, or nothing is varied.
    """
    if not rules.label_sets:
        raise BadInput(f"The protocol {rules.name!r} needs a label set to vary; it has none.")
    base = next(iter(rules.label_sets.values()))
    absent = [name for name in settings.target if name not in base.groups]
    absent += [label for label in (*settings.leave_out, *settings.synonyms) if label not in base.labels]
    if absent:
        raise BadInput(f"The base label set of {rules.name!r} lacks {', '.join(absent)}.")
    target = frozenset(label for name in settings.target for label in base.groups[name])
    sets = {"base": (base.labels, target)}
    for label in settings.leave_out:
        others = tuple(other for other in base.labels if other != label)
        sets[f"without {label}"] = (others, target - {label})
    for label, words in settings.synonyms.items():
        for word in words:
            swapped = tuple(word if other == label else other for other in base.labels)
            counted = target - {label} | {word} if label in target else target
            sets[f"{word} for {label}"] = (swapped, counted)
    for label in settings.add:
        sets[f"with {label}"] = ((*base.labels, label), target)
    if len(sets) * len(rules.templates) < 2:
        raise BadInput(f"The protocol {rules.name!r} varies nothing: give templates, leave_out, synonyms or add.")
    return sets


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return every image, as it is."""
    settings = rules.settings_as(Settings)
    dataset.require(settings.needed, rules.audit)
    wordings(rules, settings)
    return [Item(sample_id) for sample_id in sorted(dataset.table["sample_id"])]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return all labels of all wordings in all templates."""
    sets = wordings(rules, rules.settings_as(Settings)).values()
    return list(dict.fromkeys(prompt for labels, _ in sets for prompt in prompts(labels, rules.templates)))


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and wording: the likeliest label, and whether it is of the target group."""
    rows = described(embedded, split=True)
    parts = []
    for name, (labels, target) in wordings(rules, rules.settings_as(Settings)).items():
        for template in rules.templates:
            table = chances(embedded, labels, [template])
            part = named(rows, f"{name} | {template}", labels=labels, table=table)
            part["labels"], part["template"] = name, template
            part[OUTCOME + TARGET] = part["y_pred"].isin(target).astype(float)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)
