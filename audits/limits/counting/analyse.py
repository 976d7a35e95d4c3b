"""Accuracy, error and slope of the counts, each beside chance, and the effect of the total area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.contracts import ModelFacts
from audits.limits.counting.text import findings
from audits.protocol import Protocol as Rules
from audits.seeds import generator
from workbench.statistics import intervals, p_values
from workbench.statistics.measures import Measure, adjust, number

DRAWS = 2000  # random permutations of the answers
BY = ("area", "layout", "drawn", "thing")  # attributes whose values are measured apart where the data set has them
EACH, TOTAL = "each the same", "all together the same"  # values of the attribute `area`


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy, off-by-one, error and slope, each beside chance, and what equal area changes."""
    measures = _beside_chance(samples, {}, seed=seed)
    for by in (name for name in BY if name in samples.columns):
        for key, rows in samples.groupby(by, sort=True):
            measures += _beside_chance(rows, {by: str(key)}, seed=seed)
    fields: dict[str, Any] = {"label_set": str(samples["label_set"].iloc[0]), "direction": "higher"}
    for key, rows in samples.groupby("y_true", sort=False):
        cluster, slice = list(rows["cluster"]), {"y_true": str(key)}
        measures.append(measuring.share("accuracy", rows["outcome:accuracy"], cluster, slice=slice, **fields))
    if "area" in samples.columns and set(samples["area"]) == {EACH, TOTAL}:
        wide = samples.pivot_table(index="cluster", columns="area", values="outcome:accuracy", aggfunc="mean").dropna()
        row = measuring.change(
            "area_change", wide[EACH], wide[TOTAL], cluster=list(wide.index), reference=EACH, **fields
        )
        measures.append(row)
    measures = adjust(measures, "holm")
    return Analysis(measures, list(findings(measures)), _figures(samples, measures))


def slope(true: NDArray[np.float64], answers: NDArray[np.float64]) -> float:
    """Return the least-squares slope of the answers over the true counts; NaN where all counts are equal."""
    off = true - true.mean()
    below = float((off**2).sum())
    return float((off * (answers - answers.mean())).sum() / below) if below else float("nan")


def _beside_chance(rows: DataFrame, slice: dict[str, str], *, seed: int) -> list[Measure]:
    """Return the four numbers of some images, each beside what randomly permuted answers give."""
    true, answers = (np.asarray(rows[name].astype(float), np.float64) for name in ("y_true", "y_pred"))
    parts = [f"{key}={value}" for key, value in slice.items()]
    rng = generator(seed, "dealt", *parts)
    permuted = np.stack([rng.permutation(answers) for _ in range(DRAWS)])
    off, away = np.abs(permuted - true), true - true.mean()
    cluster = list(rows["cluster"])
    fields: dict[str, Any] = {"slice": slice, "label_set": str(rows["label_set"].iloc[0])}
    right, near = (rows[f"outcome:{name}"].to_numpy(np.float64) for name in ("accuracy", "within_one"))
    error = rows["error"].to_numpy(np.float64)
    bootstrap = generator(seed, "counting", *parts)
    steep = intervals.bootstrap(
        np.column_stack([true, answers]),
        lambda part: slope(part[:, 0], part[:, 1]),
        rng=bootstrap,
        cluster=measuring.repeated(cluster),
    )
    null = (permuted @ away) / (away**2).sum() if away.any() else None
    exact = {**fields, "direction": "higher", **_null((off == 0).mean(axis=1), float(right.mean()))}
    within = {**fields, "direction": "higher", **_null((off <= 1).mean(axis=1), float(near.mean()))}
    far = {**fields, "direction": "lower", "unit": "things"}
    far |= _null(off.mean(axis=1), float(error.mean()), lower=True)
    rise = {**fields, "direction": "higher", "unit": "ratio", **_null(null, steep.value)}
    return [
        measuring.share("accuracy", right, cluster, **exact),
        measuring.share("within_one", near, cluster, **within),
        measuring.mean("mean_absolute_error", error, cluster, rng=bootstrap, **far),
        number("slope", steep, n=len(rows), **rise),
    ]


def _null(null: NDArray[np.float64] | None, value: float | None, *, lower: bool = False) -> dict[str, Any]:
    """Return what chance gives: its mean, the bound that one in twenty exceeds, and how often it does as well."""
    if null is None or value is None:
        return {}
    as_good = null <= value + 1e-12 if lower else null >= value - 1e-12
    return {
        "null_mean": float(null.mean()),
        "null_q95": float(np.quantile(null, 0.05 if lower else 0.95)),
        "p_value": p_values.resampled(as_good.sum(), len(null)),
    }


def _figures(samples: DataFrame, measures: Sequence[Measure]) -> list[Figure]:
    order = sorted(set(samples["y_true"]), key=int)
    counts = pd.crosstab(samples["y_true"], samples["y_pred"], normalize="index")
    cells = [
        (true, answer, float(counts.loc[true, answer]) if answer in counts.columns else 0.0)
        for true in order
        for answer in sorted({*order, *samples["y_pred"]}, key=int)
    ]
    one = {m.slice["y_true"]: m for m in measures if m.slice_by == "y_true"}
    rows = [(int(true), one[true].value, one[true].ci_low, one[true].ci_high) for true in order]
    return [
        Figure(
            "answers",
            "Answers for each count",
            "matrix",
            pd.DataFrame(cells, columns=["row", "column", "value"]),
            "answer",
            "things in the image",
            "For each true count the share of each answer; perfect counting fills the diagonal.",
        ),
        Figure(
            "accuracy-by-count",
            "Accuracy by number of things",
            "curve",
            pd.DataFrame(rows, columns=["x", "value", "low", "high"]),
            "things in the image",
            "accuracy",
            "Share of images counted correctly, for each number of things, with intervals.",
        ),
    ]
