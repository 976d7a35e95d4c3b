"""Accuracy, error and slope of the counts, each beside chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audits.analysis import Analysis, Figure
from audits.limits.counting.text import findings
from audits.seeds import generator
from audits.shares import changed, counted, units
from workbench.statistics import intervals, paired
from workbench.statistics.measures import Measure, adjust, number

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules

DRAWS = 2000  # of answers dealt to the pictures anew
BY = ("area", "layout", "drawn", "thing")  # attributes that are told apart where the data set has them


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy, off-by-one, error and slope, each beside chance, and what equal area changes."""
    measures = _told(samples, {}, seed=seed)
    for by in (name for name in BY if name in samples.columns):
        for key, rows in samples.groupby(by, sort=True):
            measures += _told(rows, {by: str(key)}, seed=seed)
    for key, rows in samples.groupby("y_true", sort=False):
        right = rows["outcome:accuracy"].to_numpy(np.float64)
        measures.append(_counted("accuracy", right, rows, {"y_true": str(key)}))
    measures += _area(samples, seed=seed)
    measures = adjust(measures, "holm")
    return Analysis(measures, findings(measures), _figures(samples, measures))


def slope(true: NDArray[np.float64], said: NDArray[np.float64]) -> float:
    """Return the least-squares slope of the answers over the true counts; NaN where all counts are equal."""
    off = true - true.mean()
    below = float((off**2).sum())
    return float((off * (said - said.mean())).sum() / below) if below else float("nan")


def _counted(
    metric: str, outcomes: NDArray[np.float64], rows: DataFrame, slice: dict[str, str], **extra: Any
) -> Measure:
    given = {"label_set": str(rows["label_set"].iloc[0]), "direction": "higher", **extra}
    return counted(metric, outcomes, cluster=list(rows["cluster"]), slice=slice, **given)


def _told(rows: DataFrame, slice: dict[str, str], *, seed: int) -> list[Measure]:
    """Return the four numbers of some pictures, each beside what the same answers dealt at random give."""
    true, said = (np.asarray(rows[name].astype(float), np.float64) for name in ("y_true", "y_pred"))
    parts = [f"{key}={value}" for key, value in slice.items()]
    dealt = _dealt(true, said, rng=generator(seed, "dealt", *parts))
    error = rows["error"].to_numpy(np.float64)
    spread: dict[str, Any] = {"cluster": units(rows), "rng": generator(seed, "counting", *parts)}
    given: dict[str, Any] = {"n": len(rows), "slice": slice, "label_set": str(rows["label_set"].iloc[0])}
    steep = intervals.bootstrap(np.column_stack([true, said]), lambda part: slope(part[:, 0], part[:, 1]), **spread)
    far = intervals.bootstrap(error, **spread)
    right, near = (rows[f"outcome:{name}"].to_numpy(np.float64) for name in ("accuracy", "within_one"))
    beside = _beside(dealt["mean_absolute_error"], far.value, lower=True)
    return [
        _counted("accuracy", right, rows, slice, **_beside(dealt["accuracy"], float(right.mean()))),
        _counted("within_one", near, rows, slice, **_beside(dealt["within_one"], float(near.mean()))),
        number("mean_absolute_error", far, unit="things", direction="lower", **given, **beside),
        number("slope", steep, unit="ratio", direction="higher", **given, **_beside(dealt.get("slope"), steep.value)),
    ]


def _dealt(
    true: NDArray[np.float64], said: NDArray[np.float64], *, rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Deal the answers to the pictures anew, many times: each number as chance gives it, (draws,)."""
    dealt = np.stack([rng.permutation(said) for _ in range(DRAWS)])
    off, away = np.abs(dealt - true), true - true.mean()
    told = {
        "accuracy": (off == 0).mean(axis=1),
        "within_one": (off <= 1).mean(axis=1),
        "mean_absolute_error": off.mean(axis=1),
    }
    return {**told, "slope": (dealt @ away) / (away**2).sum()} if away.any() else told


def _beside(null: NDArray[np.float64] | None, value: float | None, *, lower: bool = False) -> dict[str, Any]:
    """Return what chance gives: mean, the bound that one in twenty passes, and how often it does as well."""
    if null is None or value is None:
        return {}
    as_good = null <= value + 1e-12 if lower else null >= value - 1e-12
    return {
        "null_mean": float(null.mean()),
        "null_q95": float(np.quantile(null, 0.05 if lower else 0.95)),
        "p_value": float((1 + as_good.sum()) / (1 + len(null))),
    }


def _area(samples: DataFrame, *, seed: int) -> list[Measure]:
    """Compare the same sets with equal total area and with equal size, where the data set has both of each."""
    if "area" not in samples.columns or set(samples["area"]) != {"each the same", "all together the same"}:
        return []
    wide = samples.pivot_table(index="cluster", columns="area", values="outcome:accuracy", aggfunc="mean").dropna()
    first, second = (wide[name].to_numpy(np.float64) for name in ("each the same", "all together the same"))
    found = paired.compare(first, second)
    name = str(samples["label_set"].iloc[0])
    return [changed("area_change", found, label_set=name, reference="each the same", direction="higher")]


def _figures(samples: DataFrame, measures: list[Measure]) -> list[Figure]:
    import pandas as pd

    order = sorted(set(samples["y_true"]), key=int)
    counts = pd.crosstab(samples["y_true"], samples["y_pred"], normalize="index")
    cells = [
        (true, said, float(counts.loc[true, said]) if said in counts.columns else 0.0)
        for true in order
        for said in sorted({*order, *samples["y_pred"]}, key=int)
    ]
    one = {m.slice["y_true"]: m for m in measures if m.slice_by == "y_true"}
    rows = [(int(true), one[true].value, one[true].ci_low, one[true].ci_high) for true in order]
    return [
        Figure(
            "answers",
            "What was answered for each count",
            "matrix",
            pd.DataFrame(cells, columns=["row", "column", "value"]),
            "answer",
            "things in the picture",
            "For each true count the share of each answer; one that counts would fill the diagonal.",
        ),
        Figure(
            "accuracy-by-count",
            "Accuracy by number of things",
            "curve",
            pd.DataFrame(rows, columns=["x", "value", "low", "high"]),
            "things in the picture",
            "accuracy",
            "Share of pictures counted rightly, for each number of things, with intervals.",
        ),
    ]
