"""Bias and quality under each remedy, with the paired change; what is mended, what is not, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.bias.mitigation.score import HARM, NONE, RETRIEVED, RIGHT, Settings
from audits.bias.mitigation.text import CHANGE, NAMES, QUALITIES, Outcomes, biased, findings, whole
from audits.bias.two_groups import DEPENDENT, HALVES, apart, favoured
from audits.contracts import OUTCOME, ModelFacts
from audits.protocol import Protocol as Rules
from workbench.errors import BadInput
from workbench.statistics.measures import Measure, adjust

Numbers = NDArray[np.float64]
COLUMNS = {"skew": "found", "association": "association", "gap.right": OUTCOME + RIGHT, "gap.harmful": OUTCOME + HARM}


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return four biases and two qualities under each remedy, each with its interval and its paired change.

    A bias is the first group's mean minus the second's, averaged over tests. Searches favour this group or that: each
    is signed by what it does on the other half, and the interval is widened for that; see `two_groups.favoured`.

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
        before, after, cluster = list[Numbers](), list[Numbers](), list[str]()
        for half in HALVES:
            own = kept[kept["half"] == half]
            same = bare.set_index("sample_id").loc[own["sample_id"]]
            sign = favoured(bare, column, half) if metric == "skew" else 1.0
            for part, into in ((same, before), (own, after)):
                into.append((apart(part, column, scaled=metric == "association") * sign).mean(axis=1))
            cluster += list(own["cluster"])
        values, was = (np.concatenate(one) for one in (after, before))
        fields: dict[str, Any] = {"label_set": label_set, "cluster": cluster}
        fields["unit"] = "d" if metric == "association" else "difference"
        order = "the group that the other half favours" if metric == "skew" else " minus ".join(words)
        rows_of: dict[str, tuple[NDArray[np.float64], dict[str, Any]]] = {
            metric: (values, {"contrast": "to_reference", "reference": order, "null_mean": 0.0})
        }
        if label_set != NONE:
            rows_of[metric + CHANGE] = (values - was, {"reference": NONE})
        for name, (numbers, more) in rows_of.items():
            wide = numbers.mean() + DEPENDENT * (numbers - numbers.mean()) if metric == "skew" else numbers
            yield measuring.change(name, np.zeros(len(wide)), wide, **fields, **more)


def _qualities(rows: DataFrame, bare: DataFrame, *, label_set: str) -> Iterator[Measure]:
    for metric in QUALITIES:
        column = OUTCOME + metric
        both = rows.merge(bare[["sample_id", column]], on="sample_id", suffixes=("", " before")).dropna(subset=[column])
        fields: dict[str, Any] = {"cluster": list(both["cluster"]), "label_set": label_set, "direction": "higher"}
        if len(both):
            yield measuring.share(metric, both[column], **fields)
        if len(both) and label_set != NONE:
            yield measuring.change(metric + CHANGE, both[column + " before"], both[column], **fields, reference=NONE)


def _figures(outcomes: Outcomes) -> Iterator[Figure]:
    """Yield gain against cost for each bias that the model has, or for association alone."""
    bare = next(iter(outcomes.values()))
    for metric in biased(outcomes) or ["association"]:
        spoiled, rows = RETRIEVED if metric == "skew" else RIGHT, []
        for name, one in outcomes.items():
            if gain := one.get(metric + CHANGE):
                cost = one[spoiled + CHANGE].value if spoiled + CHANGE in one else 0.0
                ends = [gain.value, gain.ci_low, gain.ci_high]
                if (bare[metric].value or 0.0) > 0:  # less is a gain
                    ends = [None if end is None else -end for end in (gain.value, gain.ci_high, gain.ci_low)]
                rows.append((name, -100 * (cost or 0.0), *ends))
        yield Figure(
            f"gain-{metric.replace('.', '-')}",
            f"Gain against cost: {NAMES[metric]}",
            "points",
            pd.DataFrame(rows, columns=["series", "x", "value", "low", "high"]),
            f"cost: {QUALITIES[spoiled]} lost, points",
            f"gain: bias removed, {'d' if metric == 'association' else 'share'}",
            f"A point for each remedy: how much of the {NAMES[metric]} it removes, with its interval, over its cost in "
            f"{QUALITIES[spoiled]}. The best remedies lie at the top left.",
        )
