"""Accuracy, paired change and relative drop under each corruption, and mCE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audits.analysis import Analysis, Figure
from audits.robustness.corruptions.text import findings
from audits.seeds import generator
from audits.shares import changed, counted, units
from workbench.statistics import intervals, paired
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules

NONE = "none"  # the undisturbed square, in the column `corruption`


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy, paired change and relative drop a corruption, and mCE where there is a baseline."""
    measures: list[Measure] = []
    figures: list[Figure] = []
    for label_set, rows in samples.groupby("label_set", sort=False):
        name = str(label_set)
        clean = rows[rows["corruption"] == NONE]
        spoilt = rows[rows["corruption"] != NONE]
        measures.append(_accuracy(clean, {"corruption": NONE}, name))
        for by in (["corruption"], ["family"], ["severity"], ["corruption", "severity"]):
            for key, part in spoilt.groupby(by, sort=False):
                measures += _told(part, clean, dict(zip(by, map(str, key), strict=True)), name)
        measures += _told(spoilt, clean, {}, name)
        measures.append(_mce(spoilt, rules, name, seed=seed))
        figures += _figures(measures, name)
    measures = adjust(measures, "holm")
    return Analysis(measures, findings(measures), figures)


def mean_corruption_error(wrong: DataFrame, baseline: dict[str, float]) -> float:
    """Return mCE of a table of errors, a row a picture and a column a corruption (mean over severities).

    Source:
        Hendrycks and Dietterich 2019, arXiv:1903.12261, section 3.2.
    """
    return float(np.mean([wrong[name].mean() / baseline[name] for name in sorted(baseline)]))


def _accuracy(rows: DataFrame, slice: dict[str, str], name: str) -> Measure:
    return counted(
        "accuracy",
        rows["outcome:accuracy"],
        cluster=list(rows["sample_id"] if rows["sample_id"].duplicated().any() else rows["cluster"]),
        slice=slice,
        label_set=name,
        direction="higher",
    )


def _told(part: DataFrame, clean: DataFrame, slice: dict[str, str], name: str) -> list[Measure]:
    """Return accuracy, paired change and relative drop of some forms; pictures in several forms count once."""
    spoilt = part.groupby("sample_id", sort=True)["outcome:accuracy"].mean()
    before = clean.set_index("sample_id").loc[spoilt.index]
    cluster = units(before)
    first, second = before["outcome:accuracy"].to_numpy(np.float64), spoilt.to_numpy(np.float64)
    found = paired.compare(first, second, cluster=cluster)
    given: dict[str, Any] = {"slice": slice, "label_set": name}
    lost = paired.relative_drop(first, second, cluster=cluster)
    named = [_accuracy(part, slice, name)] if slice else []  # of everything, the undisturbed rows would be a part
    return [
        *named,
        changed("accuracy_change", found, reference="undisturbed", direction="higher", **given),
        number("relative_drop", lost, n=len(first), unit="ratio", direction="lower", **given),
    ]


def _mce(spoilt: DataFrame, rules: Rules, name: str, *, seed: int) -> Measure:
    """Return mCE in units of the protocol's baseline; undefined without one, or where corruptions are missing."""
    baseline = rules.settings.get("baseline")
    wrong = 1 - spoilt.pivot_table(index="sample_id", columns="corruption", values="outcome:accuracy", aggfunc="mean")
    severities = set(spoilt["severity"])
    why = ""
    if not baseline:
        why = "undefined: the protocol states no baseline"
    elif set(baseline["errors"]) != set(wrong.columns) or severities != set("12345"):
        why = "undefined: baseline and run must hold the same corruptions, at all five severities"
    if why or not baseline:
        return number("mce", Interval(None, None, None, 0.95, why), n=len(wrong), label_set=name, unit="ratio")
    errors = {str(key): float(value) for key, value in baseline["errors"].items()}
    columns = list(wrong.columns)
    found = intervals.bootstrap(
        wrong.to_numpy(np.float64),
        lambda rows: float(np.mean([rows[:, at].mean() / errors[key] for at, key in enumerate(columns)])),
        rng=generator(seed, "mce", name),
    )
    reference = f"{baseline['name']} version {baseline['version']}"
    return number("mce", found, n=len(wrong), label_set=name, unit="ratio", direction="lower", reference=reference)


def _figures(measures: list[Measure], name: str) -> list[Figure]:
    import pandas as pd

    here = [m for m in measures if m.label_set == name and m.metric == "accuracy"]
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
            "Accuracy of the undisturbed pictures and under each corruption, over all severities, with intervals.",
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
