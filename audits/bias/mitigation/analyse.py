"""Bias and quality under each remedy, with the paired change; what is mended, what is not, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis
from audits.bias.mitigation.score import HARM, NONE, RETRIEVED, RIGHT, Settings
from audits.bias.mitigation.text import NAMES, QUALITIES, SKEW, biased, findings
from audits.bias.two_groups import HALVES, apart, lower_bounded, skews
from audits.changes import CHANGE, changes_table, gain_and_cost, outcomes_of
from audits.contracts import OUTCOME, ModelFacts
from audits.protocol import Protocol as Rules
from workbench.errors import BadInput
from workbench.statistics.measures import Measure, adjust

Numbers = NDArray[np.float64]
COLUMNS = {SKEW: "found", "association": "association", "gap.right": OUTCOME + RIGHT, "gap.harmful": OUTCOME + HARM}


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return four biases and two qualities under each remedy, each with its interval and its paired change.

    MaxSkew is averaged over searches; other biases are the first group's mean minus the second's, averaged over tests.

    Raises:
        BadInput: a half lacks one of the two groups.
    """
    settings = rules.settings_as(Settings)
    bare = samples[samples["label_set"] == NONE]
    if any(set(bare.loc[bare["half"] == half, "side"]) < {0, 1} for half in HALVES):
        raise BadInput(f"Each half needs images of both groups of {settings.attribute!r}.")
    measures: list[Measure] = []
    for name, rows in samples.groupby("label_set", sort=False):
        measures += _biases(rows, bare, label_set=str(name), words=settings.words)
        measures += _qualities(rows, bare, label_set=str(name))
    measures = adjust(measures, "holm")
    outcomes, names = outcomes_of(measures), NAMES | QUALITIES
    table = {"What each remedy changes": changes_table(outcomes, names, way="remedy")}
    spoiled = {metric: RETRIEVED if metric == SKEW else RIGHT for metric in biased(outcomes[NONE]) or ["association"]}
    figures = [gain_and_cost(outcomes, bias, quality, names=names) for bias, quality in spoiled.items()]
    return Analysis(measures, list(findings(outcomes, settings.words)), figures, tables=table)


def _biases(rows: DataFrame, bare: DataFrame, *, label_set: str, words: tuple[str, str]) -> Iterator[Measure]:
    for metric, column in COLUMNS.items():
        kept = rows[(rows["side"] >= 0) & rows[column].notna()]
        if kept.empty:
            continue  # the remedy cannot change it
        same = bare.set_index("sample_id").loc[kept["sample_id"]]
        was, now = (_by_half(part, metric) for part in (same, kept))
        unit = {SKEW: "nats", "association": "d"}.get(metric, "difference")
        fields: dict[str, Any] = {"label_set": label_set, "cluster": list(kept["cluster"]), "unit": unit}
        zero = np.zeros(len(now))
        row = measuring.change(metric, zero, now, **fields, contrast="to_reference", reference=" minus ".join(words))
        if metric == SKEW:
            judged = measuring.change(metric, zero, _by_half(kept, metric, judged=True), **fields)
            row = replace(lower_bounded(row, judged), reference="share of the data set")
        yield row
        if label_set != NONE:
            yield measuring.change(metric + CHANGE, zero, now - was, **fields, reference=NONE)


def _by_half(rows: DataFrame, metric: str, *, judged: bool = False) -> Numbers:
    """Return (n,) numbers whose mean is a bias; `judged`: MaxSkew of the groups that the other half favours."""
    numbers, halves = np.empty(len(rows)), rows["half"].to_numpy(int)
    for half in HALVES:
        own, other = rows[halves == half], rows[halves != half]
        if metric == SKEW:
            numbers[halves == half] = skews(own, "found", favoured_in=other if judged else own)
        else:
            numbers[halves == half] = apart(own, COLUMNS[metric], scaled=metric == "association").mean(axis=1)
    return numbers


def _qualities(rows: DataFrame, bare: DataFrame, *, label_set: str) -> Iterator[Measure]:
    for metric in QUALITIES:
        column = OUTCOME + metric
        both = rows.merge(bare[["sample_id", column]], on="sample_id", suffixes=("", " before")).dropna(subset=[column])
        fields: dict[str, Any] = {"cluster": list(both["cluster"]), "label_set": label_set, "direction": "higher"}
        if both.empty:
            continue
        yield measuring.share(metric, both[column], **fields)
        if label_set != NONE:
            yield measuring.change(metric + CHANGE, both[column + " before"], both[column], **fields, reference=NONE)
