"""How near each image lies to sets of words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits.answers import DECIMALS, cosines, prompts
from audits.bias.labelling import texts as texts
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput
from workbench.strict import Strict

NEARER = "nearer"  # the share of images that are nearer to A than to B


class Test(Strict):
    """Two groups of images and two sets of words."""

    __test__ = False  # pytest does not collect it

    attribute: str  # of the data set
    x: tuple[str, ...] = Field(min_length=1)  # its values that make the first group
    y: tuple[str, ...] = Field(min_length=1)
    a: str  # name of a label set: the words that x lies nearer to where the value is positive
    b: str


class Settings(Strict):
    """Settings of `bias/association`."""

    tests: dict[str, Test] = Field(min_length=1)  # by name


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return the images that are in a group of some test.

    Raises:
        BadInput: an attribute or a word set is missing, groups overlap, or no image is in a group.
    """
    settings = rules.settings_as(Settings)
    dataset.require(tuple(dict.fromkeys(test.attribute for test in settings.tests.values())), rules.audit)
    table, chosen = dataset.table, set()
    for name, test in settings.tests.items():
        absent = sorted({test.a, test.b} - set(rules.label_sets))
        if absent:
            raise BadInput(f"The test {name!r} names word sets that the protocol lacks: {', '.join(absent)}.")
        if set(test.x) & set(test.y):
            raise BadInput(f"The two groups of the test {name!r} share {', '.join(sorted(set(test.x) & set(test.y)))}.")
        chosen |= set(table.loc[table[test.attribute].isin((*test.x, *test.y)), "sample_id"])
    if not chosen:
        raise BadInput(f"No image of {dataset.about.title!r} belongs to a group of the protocol {rules.name!r}.")
    return [Item(sample_id) for sample_id in sorted(chosen)]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and test: mean cosine to A minus mean cosine to B."""
    settings = rules.settings_as(Settings)
    rows = described(embedded, split=True)
    cosine = {}  # name of a word set -> (n, prompts)
    for name, entry in rules.label_sets.items():
        vectors = np.stack([embedded.texts[text] for text in prompts(entry.labels, rules.templates)])
        cosine[name] = cosines(embedded.images, vectors.astype(np.float64))
    parts = []
    for name, test in settings.tests.items():
        part = rows.copy()
        part.insert(2, "label_set", name)
        part["side"] = np.select([rows[test.attribute].isin(test.x), rows[test.attribute].isin(test.y)], ["x", "y"], "")
        part["to_a"], part["to_b"] = list(cosine[test.a]), list(cosine[test.b])
        part["association"] = np.round(cosine[test.a].mean(axis=1) - cosine[test.b].mean(axis=1), DECIMALS)
        part[OUTCOME + NEARER] = (part["association"] > 0).astype(float)
        parts.append(part[part["side"] != ""])
    return pd.concat(parts, ignore_index=True)
