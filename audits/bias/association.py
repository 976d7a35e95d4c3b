"""Which people does a model place nearer to pleasant words, to careers, to science, than others?

The embedding association test of Caliskan et al. 2017, with pictures as targets and words as attributes, as in Steed
and Caliskan 2021. Knows no runner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audits.analysis import Analysis, Figure, Finding
from audits.answers import DECIMALS, cosines
from audits.bias import rates
from audits.bias.association_words import HOW_TO_READ, LIMITS
from audits.bias.labelling import prompts, texts_of
from audits.contracts import OUTCOME, Item
from audits.sampling import described
from audits.settings import read_settings
from workbench.errors import BadInput
from workbench.statistics.association import weat
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import Embedded, ModelFacts
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "Test", "analyse", "plan", "score", "texts"]

EFFECT = "association.d"
NEARER = "nearer"  # the share of pictures that are nearer to A than to B
ALPHA = 0.05


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


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Effect sizes with permutation p and intervals, and the share of each group that is nearer to A than to B."""
    settings = read_settings(Settings, rules)
    rng = np.random.default_rng(seed)
    measures: list[Measure] = []
    for name, test in settings.tests.items():
        rows = samples[samples["label_set"] == name].sort_values("sample_id", kind="stable")
        x, y = rows[rows["side"] == "x"], rows[rows["side"] == "y"]
        measures.append(_effect(name, test, x, y, rng=rng))
        for side, part in (("x", x), ("y", y)):
            value = " or ".join(getattr(test, side))
            told = part.assign(value=part[OUTCOME + NEARER])
            measures.append(rates.share(NEARER, told, label_set=name, slice={test.attribute: value}))
    adjusted = adjust(measures)
    return Analysis(
        measures=adjusted,
        findings=[_finding(m, settings.tests[m.label_set]) for m in adjusted if m.metric == EFFECT],
        figures=[_figure(adjusted)],
    )


def _effect(name: str, test: Test, x: DataFrame, y: DataFrame, *, rng: np.random.Generator) -> Measure:
    import pandas as pd

    given: dict[str, Any] = {"unit": "d", "label_set": name, "contrast": "between_groups", "family": EFFECT}
    reference = f"{' or '.join(test.x)} to {' or '.join(test.y)}, {test.a} against {test.b}"
    given |= {"slice_by": test.attribute, "reference": reference}
    if len(x) < 2 or len(y) < 2:
        nothing = Interval(None, None, None, 0.95, f"undefined: {len(x)} and {len(y)} pictures")
        return number(EFFECT, nothing, n=len(x) + len(y), **given)
    both = pd.concat([x, y])
    found = weat(
        np.array(both["to_a"].tolist(), float), np.array(both["to_b"].tolist(), float), len(x), rng=rng
    )
    given |= {"null_mean": found.null_mean, "null_q95": found.null_q95, "p_value": found.p_value}
    return number(EFFECT, found.d, n=len(both), **given)


def _finding(measure: Measure, test: Test) -> Finding:
    first, second = " or ".join(test.x), " or ".join(test.y)
    attribute = test.attribute.replace("_", " ")
    if measure.value is None or measure.p_adj is None:
        text = f"Not measured: {measure.label_set}; pictures or words do not vary, or there are too few pictures."
        return Finding(text, "not measured", EFFECT, {}, n=measure.n)
    nearer, other = (first, second) if measure.value > 0 else (second, first)
    size = f"d = {measure.value:.2f} (95 % interval {measure.ci_low:.2f} to {measure.ci_high:.2f})"
    odds = f"p = {measure.p_adj:.3g} after correction, n = {measure.n}"
    lies = f"{attribute} {nearer} lies nearer to {test.a}, and {other} to {test.b}: {size}, {odds}"
    if measure.p_adj >= ALPHA:
        text = f"No evidence that {attribute} {first} and {second} lie differently between {test.a} and {test.b}: "
        return Finding(f"{text}{size}, {odds}.", "no evidence", EFFECT, {}, measure.value, measure.p_adj, measure.n)
    if (measure.ci_low or 0.0) <= 0 <= (measure.ci_high or 0.0):
        text = f"With exactly these words, {lies}. The interval, which draws the words again too, holds 0."
        return Finding(text, "note", EFFECT, {}, measure.value, measure.p_adj, measure.n)
    return Finding(f"Found: {lies}.", "found", EFFECT, {}, measure.value, measure.p_adj, measure.n)


def _figure(measures: Sequence[Measure]) -> Figure:
    import pandas as pd

    rows = [(m.label_set, m.value, m.ci_low, m.ci_high, m.null_q95) for m in measures if m.metric == EFFECT]
    data = pd.DataFrame(rows, columns=["name", "value", "low", "high", "null"])
    alt = "Effect size of each test as a dot with its interval; 0 is no difference."
    return Figure(
        "effect-sizes", "Association by test", "intervals", data, x="d (standard deviations)", y="test", alt=alt
    )
