"""Bias and quality under each remedy, with the paired change; what is mended, what is not, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.bias.mitigation.score import HARM, NONE, RETRIEVED, RIGHT, Settings
from audits.bias.mitigation.text import CHANGE, NAMES, QUALITIES, Outcome, findings, whole
from audits.contracts import OUTCOME, ModelFacts
from audits.findings import strength
from audits.protocol import Protocol as Rules
from workbench.errors import BadInput
from workbench.statistics.measures import Measure, adjust

COLUMNS = {"skew": "found", "association": "association", "gap.right": OUTCOME + RIGHT, "gap.harmful": OUTCOME + HARM}
HALVES = (0, 1)


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return four biases and two qualities under each remedy, each with its interval and its paired change.

    A bias is a difference of the first side minus the second. Searches and tests are averaged; which side each of them
    favours is taken from the other half, so that chance cancels out.

    Raises:
        BadInput: a half lacks one of the two groups.
    """
    settings = rules.settings_as(Settings)
    bare = samples[samples["label_set"] == NONE]
    if any(set(bare.loc[bare["half"] == half, "side"]) < {0, 1} for half in HALVES):
        raise BadInput(f"Each half needs images of both groups of {settings.attribute!r}.")
    words = [side.word for side in settings.sides]
    measures: list[Measure] = []
    for name, rows in samples.groupby("label_set", sort=False):
        measures += _biases(rows, bare, label_set=str(name), words=words)
        measures += _qualities(rows, bare, label_set=str(name))
    measures = adjust(measures, "holm")
    outcomes = _by_remedy(measures)
    sentences = findings(outcomes, " and ".join(words))
    table = {"What each remedy changes": whole(outcomes)}
    return Analysis(measures, list(sentences), list(_figures(outcomes)), tables=table)


def _apart(rows: DataFrame, metric: str) -> NDArray[np.float64]:
    """Return (n, m) numbers, one column a search or test, whose mean is the first side's mean minus the second's.

    `rows` are of both sides. Associations are in standard deviations of these images.
    """
    values = np.array(rows[COLUMNS[metric]].tolist(), float).reshape(len(rows), -1)
    if metric == "association":
        values = values / np.maximum(values.std(axis=0, ddof=1), 1e-9)
    first = (rows["side"] == 0).to_numpy(bool)
    weights = np.where(first, len(rows) / max(1, first.sum()), -len(rows) / max(1, (~first).sum()))
    return np.asarray((values - values.mean(axis=0)) * weights[:, None])


def _biases(rows: DataFrame, bare: DataFrame, *, label_set: str, words: Sequence[str]) -> Iterator[Measure]:
    for metric, column in COLUMNS.items():
        after, before, cluster = list[NDArray[np.float64]](), list[NDArray[np.float64]](), list[str]()
        favoured: set[float] = set()
        for half in HALVES:
            own, same, other = (
                part[(part["half"] == at) & (part["side"] >= 0) & part[column].notna()]
                for part, at in ((rows, half), (bare, half), (bare, 1 - half))
            )
            if not len(own):
                continue
            signs = np.where(_apart(other, metric).mean(axis=0) < 0, -1.0, 1.0)
            favoured |= set(signs.tolist())
            after.append((_apart(own, metric) * signs).mean(axis=1))
            before.append((_apart(same, metric) * signs).mean(axis=1))
            cluster += list(own["cluster"])
        if not cluster:
            continue
        values, unit = np.concatenate(after), "d" if metric == "association" else "difference"
        fields: dict[str, Any] = {"label_set": label_set, "unit": unit, "cluster": cluster, "direction": "none"}
        first, second = words if 1.0 in favoured else reversed(words)
        order = f"{first} above {second}" if len(favoured) == 1 else "in both directions"
        reference = {"contrast": "to_reference", "reference": order}
        yield replace(measuring.change(metric, np.zeros(len(values)), values, **fields, **reference), null_mean=0.0)
        if label_set != NONE:
            yield measuring.change(metric + CHANGE, np.concatenate(before), values, **fields, reference=NONE)


def _qualities(rows: DataFrame, bare: DataFrame, *, label_set: str) -> Iterator[Measure]:
    for metric in QUALITIES:
        column = OUTCOME + metric
        both = rows.merge(bare[["sample_id", column]], on="sample_id", suffixes=("", " before")).dropna(subset=[column])
        fields: dict[str, Any] = {"cluster": list(both["cluster"]), "label_set": label_set, "direction": "higher"}
        if len(both):
            yield measuring.share(metric, both[column], **fields)
        if len(both) and label_set != NONE:
            yield measuring.change(metric + CHANGE, both[column + " before"], both[column], **fields, reference=NONE)


def _by_remedy(measures: Sequence[Measure]) -> list[Outcome]:
    """Return what each remedy gave, the model without one first."""
    names = dict.fromkeys(m.label_set for m in measures)
    of = {name: {m.metric: m for m in measures if m.label_set == name} for name in names}
    every = (*NAMES, *QUALITIES)
    return [
        Outcome(
            name,
            {metric: rows[metric] for metric in every if metric in rows},
            {metric: rows[metric + CHANGE] for metric in every if metric + CHANGE in rows},
        )
        for name, rows in of.items()
    ]


def _figures(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    """Yield gain against cost for each bias that the model has, or for association alone."""
    bare, *remedies = outcomes
    present = [metric for metric in NAMES if metric in bare.values and strength(bare.values[metric]) == "found"]
    for metric in present or ["association"]:
        spoiled, rows = RETRIEVED if metric == "skew" else RIGHT, []
        for one in (one for one in remedies if metric in one.changes):
            gain, cost = one.changes[metric], one.changes.get(spoiled)
            points = 0.0 if cost is None or cost.value is None else -100 * cost.value
            ends = (None if end is None else -end for end in (gain.value, gain.ci_high, gain.ci_low))
            rows.append((one.name, points, *ends))
        yield Figure(
            f"gain-{metric.replace('.', '-')}",
            f"Gain against cost: {NAMES[metric]}",
            "points",
            pd.DataFrame(rows, columns=["series", "x", "value", "low", "high"]),
            f"cost: {QUALITIES[spoiled]} lost, points",
            "gain: bias removed" + (", d" if metric == "association" else ", share"),
            f"A point for each remedy: how much of the {NAMES[metric]} it removes, with its interval, over its cost in "
            f"{QUALITIES[spoiled]}. The best remedies lie at the top left.",
        )
