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
from audits.contracts import ModelFacts
from audits.grouping import slices
from audits.protocol import Protocol as Rules
from audits.seeds import generator
from audits.slicing import rate
from workbench.statistics.intervals import bootstrap
from workbench.statistics.measures import Measure, adjust, number

NO_ATTRIBUTES = ("confidence",)


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracies, their means over classes, calibration errors, gains over zero-shot, and accuracy by group."""
    ways = list(dict.fromkeys(samples["label_set"]))
    measures = [one for way in ways for one in _of_way(samples[samples["label_set"] == way], way, seed=seed)]
    zero = samples[samples["label_set"] == ZERO_SHOT]
    for way in ways[1:]:
        rows = samples[samples["label_set"] == way]
        pair, cluster = (zero["outcome:accuracy"], rows["outcome:accuracy"]), list(zero["cluster"])
        fields = {"label_set": way, "reference": ZERO_SHOT, "family": "gain"}
        measures.append(measuring.change("gain", *pair, cluster=cluster, **fields))
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


def _of_way(rows: DataFrame, way: str, *, seed: int) -> Iterator[Measure]:
    fields: dict[str, Any] = {"label_set": way}
    yield rate(rows, "accuracy", {"label_set": way}, seed=seed)
    classes = np.unique(rows["y_true"].to_numpy(dtype=str), return_inverse=True)[1]
    pairs = np.column_stack([rows["outcome:accuracy"].to_numpy(np.float64), classes])
    cluster = measuring.repeated(list(rows["cluster"]))
    mean = bootstrap(pairs, mean_per_class, rng=generator(seed, "per class", way), cluster=cluster)
    yield number("accuracy_per_class", mean, n=len(rows), **fields)
    if way in (ZERO_SHOT, PROBE):
        yield calibration_error("ece", rows, rng=generator(seed, "calibration", way), family="ece", **fields)
