"""How well each score separates known from unknown images, and how well digits are read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.contracts import ModelFacts
from audits.limits.ood.text import CHANCE, findings
from audits.protocol import Protocol as Rules
from audits.seeds import generator
from workbench.statistics import intervals
from workbench.statistics.calibration import fpr_at_tpr
from workbench.statistics.measures import Measure, adjust, number

ALL = "all unknown"


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return AUROC and FPR95 of each score against each kind of unknown image, accuracy, and digit reading."""
    names = [column.removeprefix("score:") for column in samples.columns if column.startswith("score:")]
    measures = _reading(samples)
    for kind in (*sorted(set(samples.loc[~samples["known"], "origin"])), ALL):
        part = samples[samples["known"] | (samples["origin"] == kind) | (kind == ALL)]
        for name in names:
            measures += _separation(part, name, kind, seed=seed)
    measures = adjust(measures, "holm")
    rows = [
        (m.slice["against"], m.value, m.ci_low, m.ci_high, 0.5, m.slice["score"])
        for m in measures
        if m.metric == "auroc"
    ]
    frame = pd.DataFrame(rows, columns=["name", "value", "low", "high", "null", "series"])
    alt = "AUROC of each score against each kind of unknown image; 0.5 is chance."
    figure = Figure("auroc", "Known against unknown images", "intervals", frame, "AUROC", "unknown images", alt)
    return Analysis(measures, list(findings(measures)), [figure])


def _separation(part: DataFrame, name: str, kind: str, *, seed: int) -> list[Measure]:
    scores, known = part[f"score:{name}"].to_numpy(np.float64), part["known"].to_numpy(bool)
    fields: dict[str, Any] = {"n": len(part), "slice": {"score": name, "against": kind}}
    fields["label_set"] = str(part["label_set"].iloc[0])
    cluster = measuring.repeated(list(part["cluster"]))
    area = intervals.auroc(scores, known)
    if cluster is not None:
        rng = generator(seed, "ood", name, kind)
        area = intervals.bootstrap(np.column_stack([scores, known]), _area, rng=rng, cluster=cluster, resamples=500)
    passed = fpr_at_tpr(scores, known, rng=generator(seed, "fpr", name, kind), cluster=cluster)
    test: dict[str, Any] = {"p_value": _mann_whitney(part, name), "null_mean": 0.5, "family": "auroc"}
    return [
        number("auroc", area, direction="higher", unit="probability", **test, **fields),
        number("fpr95", passed, direction="lower", null_mean=0.95, **fields),
    ]


def _area(rows: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    value = intervals.auroc(rows[:, 0], rows[:, 1] > 0.5).value
    return float("nan") if value is None else value


def _mann_whitney(part: DataFrame, name: str) -> float:
    """Return the p-value of no difference between known and unknown; a cluster counts by its mean."""
    from scipy.stats import mannwhitneyu

    means = part.groupby(["cluster", "known"], sort=True)[f"score:{name}"].mean().reset_index()
    known = means["known"].to_numpy(bool)
    values = means[f"score:{name}"].to_numpy(np.float64)
    return float(mannwhitneyu(values[known], values[~known], alternative="two-sided").pvalue)


def _reading(samples: DataFrame) -> list[Measure]:
    """Return the accuracy of the known images, and of the digits by style where there are any."""
    from scipy.stats import binomtest

    measures = []
    known = samples[samples["outcome:accuracy"].notna()]
    if len(known):
        fields: dict[str, Any] = {"label_set": str(samples["label_set"].iloc[0]), "direction": "higher"}
        measures.append(measuring.share("accuracy", known["outcome:accuracy"], list(known["cluster"]), **fields))
    digits = samples[samples["outcome:digit_accuracy"].notna()]
    groups: list[tuple[dict[str, str], DataFrame]] = [({}, digits)] if len(digits) else []
    if "style" in digits.columns:
        groups += [({"style": str(key)}, rows) for key, rows in digits.groupby("style", sort=True)]
    for slice, rows in groups:
        right = rows["outcome:digit_accuracy"].to_numpy(np.float64)
        test = binomtest(int(right.sum()), len(right), CHANCE)
        fields = {"label_set": "10 digits", "direction": "higher", "null_mean": CHANCE, "p_value": float(test.pvalue)}
        measures.append(measuring.share("digit_accuracy", right, list(rows["cluster"]), slice=slice, **fields))
    return measures
