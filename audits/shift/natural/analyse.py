"""Accuracy on base and shift, the fall between them, and robustness relative to other models."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.contracts import ModelFacts
from audits.protocol import Protocol as Rules
from audits.shift.natural.score import Point, Settings
from audits.shift.natural.text import findings
from audits.slicing import rate
from workbench.statistics.intervals import Interval, bootstrap
from workbench.statistics.measures import Extra, Measure, adjust, number

ENOUGH = 3  # points that a line needs


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracies, falls, and effective and relative robustness where there is something to compare with."""
    settings = rules.settings_as(Settings)
    styles = sorted(set(samples["label_set"]))
    classes = {style: by_class(samples, style, settings.base) for style in styles}
    measures = adjust([m for style in styles for m in _measures(samples, style, classes[style], settings, seed=seed)])
    rows = [
        (m.label_set, m.value, m.ci_low, m.ci_high, "base" if m.slice["style"] == settings.base else "shift")
        for m in measures
        if m.metric == "accuracy" and m.value is not None
    ]
    figure = Figure(
        "accuracy",
        "Accuracy on the base and on each shift, on the classes of the shift",
        "intervals",
        pd.DataFrame(rows, columns=["name", "value", "low", "high", "series"]),
        x="accuracy",
        y="shift",
        alt="Two dots with intervals per shift: accuracy on base and shifted images of the same classes.",
    )
    points = []
    for style, published in sorted(settings.baseline_points.items()):
        fit = line(published) if len(published) >= ENOUGH else (float("nan"), float("nan"))
        points += [{"shift": style, **one.model_dump(), "intercept": fit[0], "slope": fit[1]} for one in published]
    tables = {"Points behind the lines": pd.DataFrame(points)} if points else None
    sizes = {style: len(pairs) for style, pairs in classes.items()}
    return Analysis(measures, list(findings(measures, sizes, settings)), [figure], tables=tables)


def by_class(samples: DataFrame, style: str, base: str) -> NDArray[np.float64]:
    """(classes, 2) accuracy on the base and on the shift of each class that both show, in order of labels."""
    rows = samples[samples["label_set"] == style]
    means = rows.groupby(["y_true", "style"])["outcome:accuracy"].mean().unstack().reindex(columns=[base, style])
    pairs: NDArray[np.float64] = means.dropna().sort_index().to_numpy(dtype=np.float64)
    return pairs


def line(points: tuple[Point, ...]) -> tuple[float, float]:
    """Return (intercept, slope) of the least-squares line through logits of shifted over base accuracy.

    Source:
        Taori et al. 2020, arXiv:2007.00644, section 2 and appendix.
    """
    from scipy.stats import linregress

    fit = linregress([logit(point.base) for point in points], [logit(point.shifted) for point in points])
    return float(fit.intercept), float(fit.slope)


def logit(share: float) -> float:
    """Return ln(p / (1 - p))."""
    return float(np.log(share / (1 - share)))


def expected(base: float, fit: tuple[float, float]) -> float:
    """Return the accuracy that a line predicts on the shift from the accuracy on the base, both 0..1."""
    return float(1 / (1 + np.exp(-(fit[0] + fit[1] * logit(base)))))


def effective(pairs: NDArray[np.float64], points: tuple[Point, ...], *, seed: int) -> Interval:
    """Return accuracy on the shift minus what the line predicts, -1..1; the interval resamples classes.

    A base accuracy of 0 or 1 has no logit and is moved in by half a class.
    """
    fit = line(points)

    def above(rows: NDArray[np.float64]) -> float:
        edge = 0.5 / len(rows)
        base = min(max(float(rows[:, 0].mean()), edge), 1 - edge)
        return float(rows[:, 1].mean()) - expected(base, fit)

    return bootstrap(pairs, above, rng=seed)


def _measures(
    samples: DataFrame, style: str, pairs: NDArray[np.float64], settings: Settings, *, seed: int
) -> Iterator[Measure]:
    for kind in (settings.base, style):
        yield rate(samples, "accuracy", {"label_set": style, "style": kind}, seed=seed)
    n = len(pairs)
    if n < settings.min_classes:
        return
    yield measuring.change(
        "fall", pairs[:, 1], pairs[:, 0], cluster=[str(at) for at in range(n)], label_set=style, family="fall"
    )
    fields: Extra = {"label_set": style, "unit": "difference"}
    points = settings.baseline_points.get(style, ())
    if len(points) >= ENOUGH:
        yield number("effective_robustness", effective(pairs, points, seed=seed), n=n, **fields)
    if style in settings.relative_to:
        reference = settings.relative_to[style]
        above = bootstrap(pairs, lambda rows: float(rows[:, 1].mean() - reference.shifted), rng=seed)
        fields["reference"] = reference.model
        yield number("relative_robustness", above, n=n, **fields)
