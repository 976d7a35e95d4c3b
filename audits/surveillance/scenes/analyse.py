"""Accuracy beside guessing, the drop under close captions, and both by group."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.contracts import OUTCOME, ModelFacts
from audits.protocol import Protocol as Rules
from audits.slicing import gaps, groups, rate, selected
from audits.surveillance.scenes.score import Settings
from audits.surveillance.scenes.text import findings
from workbench.errors import BadInput
from workbench.statistics.measures import Measure, adjust


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracies beside guessing, the drop under close captions, and both by group.

    Raises:
        BadInput: no image has the captions of any task.
    """
    if samples.empty:
        raise BadInput("No task of the protocol can be asked: no image has the captions that it needs.")
    settings = rules.settings_as(Settings)
    tasks = [task for task in settings.tasks if (samples["label_set"] == task).any()]
    chances = {str(task): float(samples["chance"][samples["label_set"] == task].mean()) for task in tasks}
    measures = adjust(list(_measures(samples, chances, seed)))
    whole = [m for m in measures if not m.slice and m.contrast == "none" and m.value is not None]
    rows = [(f"{m.label_set}: {m.metric.replace('_', ' ')}", m.value, m.ci_low, m.ci_high, m.null_mean) for m in whole]
    figure = Figure(
        "tasks",
        "Coarse, stress and fine captions",
        "intervals",
        pd.DataFrame(rows, columns=["name", "value", "low", "high", "null"]),
        x="share of images; the mark is guessing",
        y="task",
        alt="One dot with its interval per task, and a mark at the rate of guessing.",
    )
    return Analysis(measures, list(findings(measures, chances, settings)), [figure])


def _measures(samples: DataFrame, chances: dict[str, float], seed: int) -> Iterator[Measure]:
    for task, chance in chances.items():
        here = {"label_set": task}
        names = ("accuracy", "close_confusion", "other_error") if task == "stress" else ("accuracy",)
        yield rate(samples, "accuracy", here, seed=seed, null_mean=chance)
        yield from (rate(samples, name, here, seed=seed) for name in names[1:])
        for group in groups(samples):
            for value in sorted(set(samples[group])):
                yield from (rate(samples, name, here | {group: value}, seed=seed) for name in names)
            yield from gaps(samples, "accuracy", here, by=(group,), seed=seed)
    if {"coarse", "stress"} <= set(chances):
        coarse, stress = (
            selected(samples, {"label_set": task}, "accuracy").set_index("sample_id") for task in ("coarse", "stress")
        )
        both = coarse.join(stress[f"{OUTCOME}accuracy"].rename("stress"), how="inner")
        pair = both["stress"], both[f"{OUTCOME}accuracy"]
        fields = {"label_set": "stress", "reference": "coarse", "family": "accuracy_drop"}
        yield measuring.change("accuracy_drop", *pair, cluster=list(both["cluster"]), **fields)
