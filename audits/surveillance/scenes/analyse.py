"""Accuracy beside guessing, the drop under close captions, and both by group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audits.analysis import Analysis, Figure, Finding
from audits.rates import difference, gap, groups, rate, selected, spoken, with_published
from audits.settings import read_settings
from audits.surveillance.scenes.score import Settings
from workbench.errors import BadInput
from workbench.statistics.measures import adjust

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules
    from workbench.statistics.measures import Measure


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return everything that the samples say about captions.

    Raises:
        BadInput: no task could be asked of any picture.
    """
    if samples.empty:
        raise BadInput("None of the protocol's tasks can be asked: no picture has the captions that they need.")
    chosen = read_settings(Settings, rules)
    tasks: list[str] = [task for task in chosen.tasks if (samples["label_set"] == task).any()]
    chances = {task: float(samples["chance"][samples["label_set"] == task].mean()) for task in tasks}
    measures = with_published(adjust(list(_measures(samples, chances, seed))), rules.published)
    findings = [*_findings(measures, chances, chosen), *_missing(chosen, tasks)]
    return Analysis(measures, findings, _figures(measures))


def _measures(samples: DataFrame, chances: dict[str, float], seed: int) -> Iterator[Measure]:
    kinds = groups(samples)
    for task, chance in chances.items():
        here = {"label_set": task}
        names = ("accuracy", "close_confusion", "other_error") if task == "stress" else ("accuracy",)
        yield rate(samples, "accuracy", here, seed=seed, null_mean=chance)
        yield from (rate(samples, name, here, seed=seed) for name in names[1:])
        for group in kinds:
            for value in sorted(set(samples[group])):
                yield from (rate(samples, name, here | {group: value}, seed=seed) for name in names)
            yield gap(samples, "accuracy", here, by=group, seed=seed)
    if {"coarse", "stress"} <= set(chances):
        coarse, stress = (selected(samples, {"label_set": task}, "accuracy") for task in ("coarse", "stress"))
        yield difference("accuracy_drop", coarse, stress, outcome="accuracy", where={"label_set": "stress"}, seed=seed)


def _findings(measures: list[Measure], chances: dict[str, float], chosen: Settings) -> Iterator[Finding]:
    for measure in measures:
        task = measure.label_set
        if measure.metric == "accuracy_drop":
            yield spoken("accuracy falls by {} when close captions are added", measure, few=chosen.min_n)
        if measure.contrast == "between_groups":
            yield spoken(
                f"the {task} accuracy differs between groups of {measure.slice_by}, by {{}}", measure, few=chosen.min_n
            )
        if measure.metric == "accuracy" and measure.contrast == "none" and not measure.slice:
            clause = f"the {task} accuracy, {{}}, is above guessing ({100 * chances[task]:.0f} %)"
            yield spoken(clause, measure, few=chosen.min_n, zero=chances[task])


def _missing(chosen: Settings, tasks: list[str]) -> Iterator[Finding]:
    for task in chosen.tasks:
        if task not in tasks:
            yield Finding(f"The {task} task is not measured: no picture has captions for it.", "not measured", n=0)


def _figures(measures: list[Measure]) -> list[Figure]:
    import pandas as pd

    whole = [m for m in measures if not m.slice and m.contrast == "none" and m.value is not None]
    rows = [(f"{m.label_set}: {m.metric.replace('_', ' ')}", m.value, m.ci_low, m.ci_high, m.null_mean) for m in whole]
    return [
        Figure(
            "tasks",
            "Coarse, stress and fine captions",
            "intervals",
            pd.DataFrame(rows, columns=["name", "value", "low", "high", "null"]),
            x="share of pictures; the mark is guessing",
            y="task",
            alt="One dot with its interval a task, and a mark where guessing would stand.",
        )
    ]
