"""Bias and quality under each remedy, with the paired change; what is mended, what is not, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.bias.mitigation.score import HARM, NONE, RETRIEVED, RIGHT, Settings
from audits.bias.mitigation.text import CHANGE, NAMES, QUALITIES, SKEW, Outcomes, biased, findings, whole
from audits.bias.two_groups import HALVES, apart, lower_bounded, skews
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
    outcomes = {name: {m.metric: m for m in measures if m.label_set == name} for name in samples["label_set"].unique()}
    table = {"What each remedy changes": whole(outcomes)}
    return Analysis(measures, list(findings(outcomes, settings.words)), list(_figures(outcomes)), tables=table)


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


def _figures(outcomes: Outcomes) -> Iterator[Figure]:
    """Yield gain against cost for each bias that the model has, or for association alone."""
    bare = next(iter(outcomes.values()))
    for metric in biased(bare) or ["association"]:
        spoiled, rows = RETRIEVED if metric == SKEW else RIGHT, []
        turn = -1 if (bare[metric].value or 0.0) > 0 else 1  # less is a gain, or more where it is below 0
        for name, one in outcomes.items():
            if gain := one.get(metric + CHANGE):
                cost = one[spoiled + CHANGE].value if spoiled + CHANGE in one else 0.0
                ends = (gain.value, *(gain.ci_low, gain.ci_high)[::turn])
                rows.append((name, -100 * (cost or 0.0), *(None if end is None else turn * end for end in ends)))
        yield Figure(
            f"gain-{metric.replace('.', '-').replace('_', '-')}",
            f"Gain against cost: {NAMES[metric]}",
            "points",
            DataFrame(rows, columns=["series", "x", "value", "low", "high"]),
            f"cost: {QUALITIES[spoiled]} lost, points",
            f"gain: bias removed, {bare[metric].unit.replace('difference', 'share')}",
            f"A point for each remedy: how much of the {NAMES[metric]} it removes, with its interval, over its cost in "
            f"{QUALITIES[spoiled]}. The best remedies lie at the top left.",
        )
