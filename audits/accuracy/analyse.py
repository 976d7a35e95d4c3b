"""Accuracy by way of asking, mean over classes, calibration, and what labelled images add to zero-shot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.accuracy.score import PROBE, ZERO_SHOT, Settings
from audits.accuracy.text import findings
from audits.analysis import Analysis, Figure
from audits.calibration_error import calibration_error
from audits.contracts import DRAWS, ModelFacts
from audits.grouping import slices
from audits.protocol import Protocol as Rules
from audits.seeds import generator
from audits.slicing import rate
from workbench.statistics.draws import mean_over_draws
from workbench.statistics.intervals import bootstrap
from workbench.statistics.measures import Measure, adjust, number

NO_ATTRIBUTES = ("confidence", DRAWS)


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracies, their means over classes, calibration errors, gains over zero-shot, and accuracy by group."""
    ways = list(dict.fromkeys(samples["label_set"]))
    measures = [one for way in ways for one in _of_way(samples[samples["label_set"] == way], way, seed=seed)]
    zero = samples[samples["label_set"] == ZERO_SHOT]
    for way in ways[1:]:
        rows = samples[samples["label_set"] == way]
        measures.append(_gain(zero, rows, label_set=way, reference=ZERO_SHOT, family="gain"))
    compared = rules.settings_as(Settings).compared(samples, but=NO_ATTRIBUTES)
    for way in (ZERO_SHOT, PROBE):
        for where, _ in slices(samples[samples["label_set"] == way], compared):
            measures.append(rate(samples, "accuracy", {"label_set": way, **where}, seed=seed))
    measures = adjust(measures)
    rows = [
        (m.label_set, m.value, m.ci_low, m.ci_high)
        for m in measures
        if m.metric == "accuracy" and not m.slice and m.value is not None
    ]
    figure = Figure(
        "accuracy",
        "Accuracy on the test images, by way of asking",
        "intervals",
        pd.DataFrame(rows, columns=["name", "value", "low", "high"]),
        x="accuracy",
        y="way of asking",
        alt="One dot with its interval for zero-shot, each number of shots, and the full probe.",
    )
    sanity = () if PROBE in ways else ("A class has too few images to fit on: zero-shot is measured alone.",)
    return Analysis(measures, list(findings(measures)), [figure], sanity=sanity)


def mean_per_class(rows: NDArray[np.float64]) -> float:
    """(n, 2) outcome and number of the class -> mean over classes of the class's mean."""
    return float(np.mean([rows[rows[:, 1] == number, 0].mean() for number in np.unique(rows[:, 1])]))


def _draws(rows: DataFrame) -> NDArray[np.float64]:
    """(draws, n) right or wrong."""
    return np.stack(rows[DRAWS].to_list()).T.astype(np.float64)


def _gain(zero: DataFrame, rows: DataFrame, **fields: Any) -> Measure:
    """Return the gain over zero-shot on the same images; with several drawings of the shots, they count as well."""
    right, names = _draws(rows), zero["outcome:accuracy"].to_numpy(np.float64)
    cluster = list(zero["cluster"])
    mean = mean_over_draws(right - names, cluster=measuring.repeated(cluster))
    if len(right) == 1 or not mean.error:
        return measuring.change("gain", names, rows["outcome:accuracy"], cluster=cluster, **fields)
    given: dict[str, Any] = {"unit": "difference", "contrast": "paired", "p_value": mean.p_value, **fields}
    return number("gain", mean(), n=len(rows), **given)


def _of_way(rows: DataFrame, way: str, *, seed: int) -> Iterator[Measure]:
    fields: dict[str, Any] = {"label_set": way}
    classes, cluster = rows["y_true"].to_numpy(dtype=str), measuring.repeated(list(rows["cluster"]))
    right = _draws(rows)
    if len(right) > 1 and right.any() and not right.all():
        yield number("accuracy", mean_over_draws(right, cluster=cluster).share(), n=len(rows), **fields)
        per_class = mean_over_draws(right, groups=classes, cluster=cluster).share()
        yield number("accuracy_per_class", per_class, n=len(rows), **fields)
        return
    yield rate(rows, "accuracy", {"label_set": way}, seed=seed)
    numbers = np.unique(classes, return_inverse=True)[1]
    pairs = np.column_stack([rows["outcome:accuracy"].to_numpy(np.float64), numbers])
    mean = bootstrap(pairs, mean_per_class, rng=generator(seed, "per class", way), cluster=cluster)
    yield number("accuracy_per_class", mean, n=len(rows), **fields)
    if way in (ZERO_SHOT, PROBE):
        yield calibration_error("ece", rows, rng=generator(seed, "calibration", way), family="ece", **fields)
