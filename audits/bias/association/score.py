"""How near each picture lies to sets of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audits.answers import DECIMALS, cosines
from audits.bias.labelling import prompts, texts_of
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

NEARER = "nearer"  # the share of pictures that are nearer to A than to B


class Test(BaseModel):
    """Two groups of pictures and two sets of words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    __test__ = False  # no test of pytest's

    attribute: str  # of the data set
    x: tuple[str, ...] = Field(min_length=1)  # its values that make the first group
    y: tuple[str, ...] = Field(min_length=1)
    a: str  # name of a label set: the words that a positive value leans to
    b: str


class Settings(BaseModel):
    """What a protocol may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tests: dict[str, Test] = Field(min_length=1)  # by name


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """All pictures that are in a group of some test."""
    settings = read_settings(Settings, rules)
    dataset.require(tuple(dict.fromkeys(test.attribute for test in settings.tests.values())), rules.audit)
    table, kept = dataset.table, set()
    for name, test in settings.tests.items():
        absent = sorted({test.a, test.b} - set(rules.label_sets))
        if absent:
            raise BadInput(f"The test {name!r} names word sets that the protocol lacks: {', '.join(absent)}.")
        if set(test.x) & set(test.y):
            raise BadInput(f"The two groups of the test {name!r} share {', '.join(sorted(set(test.x) & set(test.y)))}.")
        kept |= set(table.loc[table[test.attribute].isin((*test.x, *test.y)), "sample_id"])
    if not kept:
        raise BadInput(f"No picture of {dataset.about.title!r} is in a group of the protocol {rules.name!r}.")
    return [Item(sample_id) for sample_id in sorted(kept)]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """All words in all templates."""
    return texts_of(rules)


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """One row a picture and test: mean cosine to A minus mean cosine to B."""
    import pandas as pd

    settings = read_settings(Settings, rules)
    rows = described(embedded, split=True)
    cosine = {name: _cosines(embedded, rules, name) for name in rules.label_sets}
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


def _cosines(embedded: Embedded, rules: Rules, words: str) -> NDArray[np.float64]:
    """(n, prompts) cosines of each picture to the prompts of a word set."""
    rows = np.stack([embedded.texts[text] for text in prompts(rules.label_sets[words].labels, rules.templates)])
    return cosines(embedded.images, rows.astype(np.float64))
