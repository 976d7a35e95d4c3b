"""Accuracy, paired change and relative drop under each corruption, gaps between groups, and mCE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.contracts import ModelFacts
from audits.grouping import By, gap_rows, keyed, sides, slices
from audits.protocol import Protocol as Rules
from audits.robustness.corruptions.score import Settings
from audits.robustness.corruptions.text import findings
from audits.seeds import generator
from workbench.statistics import intervals, paired
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number

NONE = "none"  # the undisturbed square, in the column `corruption`


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy, paired change and relative drop by corruption and by group, and mCE with a baseline."""
    settings = rules.settings_as(Settings)
    compared = settings.compared(samples, but=("corruption", "family", "severity"))
    measures: list[Measure] = []
    figures: list[Figure] = []
    for label_set, rows in samples.groupby("label_set", sort=False):
        name = str(label_set)
        clean, corrupted = rows[rows["corruption"] == NONE], rows[rows["corruption"] != NONE]
        measures.append(_accuracy(clean, {"corruption": NONE}, name))
        for by in (["corruption"], ["family"], ["severity"], ["corruption", "severity"]):
            for key, part in corrupted.groupby(by, sort=False):
                slice = dict(zip(by, map(str, key), strict=True))
                measures += [_accuracy(part, slice, name), *_changes(part, clean, slice, name)]
        measures += _changes(corrupted, clean, {}, name)
        measures += _by_group(clean, corrupted, compared, name, seed=seed)
        measures.append(_mce(corrupted, settings, name, seed=seed))
        figures += _figures(measures, name)
    measures = adjust(measures, "holm")
    return Analysis(measures, list(findings(measures)), figures)


def _accuracy(rows: DataFrame, slice: dict[str, str], name: str) -> Measure:
    cluster = list(rows["sample_id"] if rows["sample_id"].duplicated().any() else rows["cluster"])
    fields: dict[str, Any] = {"slice": slice, "label_set": name, "direction": "higher"}
    return measuring.share("accuracy", rows["outcome:accuracy"], cluster, **fields)


def _joined(part: DataFrame, clean: DataFrame) -> DataFrame:
    """Return one row an image: `before`, its outcome undisturbed, and `after`, the mean over its forms."""
    after = part.groupby("sample_id", sort=True)["outcome:accuracy"].mean()
    rows = clean.set_index("sample_id", drop=False).loc[after.index]
    return rows.assign(before=rows["outcome:accuracy"].astype(float), after=after.astype(float))


def _changes(part: DataFrame, clean: DataFrame, slice: dict[str, str], name: str) -> list[Measure]:
    """Return paired change and relative drop of some forms; an image in several forms counts once."""
    rows = _joined(part, clean)
    pair, cluster = (rows["before"], rows["after"]), list(rows["cluster"])
    fields: dict[str, Any] = {"slice": slice, "label_set": name}
    facts = {"reference": "undisturbed", "direction": "higher", **fields}
    change = measuring.change("accuracy_change", *pair, cluster=cluster, **facts)
    lost = paired.relative_drop(*pair, cluster=measuring.repeated(cluster))
    return [change, number("relative_drop", lost, n=len(rows), unit="ratio", direction="lower", **fields)]


def _by_group(clean: DataFrame, corrupted: DataFrame, compared: Sequence[By], name: str, *, seed: int) -> list[Measure]:
    """Return accuracy and change of each group over all corruptions, and the gaps of both."""
    measures: list[Measure] = []
    for slice, part in slices(corrupted, compared):
        own = clean[clean["sample_id"].isin(part["sample_id"])]
        measures += [_accuracy(own, {"corruption": NONE} | slice, name), _accuracy(part, slice, name)]
        measures += _changes(part, own, slice, name)
    for by in compared:
        rows = keyed(_joined(corrupted, clean), by)
        fields: dict[str, Any] = {**sides(rows, by), "rng": generator(seed, "gap", name, *by), "label_set": name}
        undisturbed = {**fields, "slice": {"corruption": NONE}}
        measures += gap_rows(measuring.gap, "accuracy", rows["before"], **undisturbed)
        measures += gap_rows(measuring.mean_gap, "accuracy_change", rows["after"] - rows["before"], **fields)
    return measures


def _mce(corrupted: DataFrame, settings: Settings, name: str, *, seed: int) -> Measure:
    """Return mCE in units of the protocol's baseline; undefined without one, or where corruptions are missing.

    Source:
        Hendrycks and Dietterich 2019, arXiv:1903.12261, section 3.2.
    """
    baseline = settings.baseline
    wrong = 1 - corrupted.pivot_table(
        index="sample_id", columns="corruption", values="outcome:accuracy", aggfunc="mean"
    )
    if baseline is None:
        why = "undefined: the protocol states no baseline"
    elif set(baseline.errors) != set(wrong.columns) or set(corrupted["severity"]) != set("12345"):
        why = "undefined: baseline and run need the same corruptions, at all five severities"
    else:
        columns = list(wrong.columns)
        interval = intervals.bootstrap(
            wrong.to_numpy(np.float64),
            lambda rows: float(np.mean([rows[:, at].mean() / baseline.errors[key] for at, key in enumerate(columns)])),
            rng=generator(seed, "mce", name),
        )
        reference = f"{baseline.name} version {baseline.version}"
        return number(
            "mce", interval, n=len(wrong), label_set=name, unit="ratio", direction="lower", reference=reference
        )
    return number("mce", Interval(None, None, None, 0.95, why), n=len(wrong), label_set=name, unit="ratio")


def _figures(measures: list[Measure], name: str) -> list[Figure]:
    here = [m for m in measures if m.label_set == name and m.metric == "accuracy" and m.contrast == "none"]
    one = [(m.slice["corruption"], m.value, m.ci_low, m.ci_high) for m in here if m.slice_by == "corruption"]
    cells = [(m.slice["corruption"], m.slice["severity"], m.value) for m in here if m.slice_by == "corruption,severity"]
    slug = "".join(letter if letter.isalnum() else "-" for letter in name)
    return [
        Figure(
            f"accuracy-{slug}",
            f"Accuracy under each corruption, {name}",
            "intervals",
            pd.DataFrame(one, columns=["name", "value", "low", "high"]),
            "accuracy",
            "corruption",
            "Accuracy of the undisturbed images and under each corruption, over all severities, with intervals.",
        ),
        Figure(
            f"severity-{slug}",
            f"Accuracy by corruption and severity, {name}",
            "matrix",
            pd.DataFrame(cells, columns=["row", "column", "value"]),
            "severity",
            "corruption",
            "Accuracy under each corruption at each severity; darker is higher.",
        ),
    ]
