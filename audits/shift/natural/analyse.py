"""Accuracy on base and shift, the drop, and robustness relative to other models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from audits.analysis import Analysis, Figure, Finding
from audits.rates import rate, spoken, with_published
from audits.settings import read_settings
from audits.shift.natural.score import Point, Settings
from workbench.statistics import measures as table
from workbench.statistics.intervals import Interval, bootstrap
from workbench.statistics.paired import compare

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules
    from workbench.statistics.measures import Extra, Measure

RESAMPLES = 2000
ENOUGH = 3  # points that a line needs to have anything to say
_SAID = {
    "fall": "accuracy falls by {} from the base to {style}",
    "effective_robustness": "accuracy on {style} lies above the line of other models by {}",
    "relative_robustness": "accuracy on {style} lies above that of the reference model by {}",
}


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return everything that the samples say about shifts."""
    chosen = read_settings(Settings, rules)
    styles = sorted(set(samples["label_set"]))
    found = [measure for style in styles for measure in _measures(samples, style, chosen, seed)]
    measures = with_published(table.adjust(found), rules.published)
    findings = [
        spoken(_SAID[m.metric].replace("{style}", m.label_set), m, few=chosen.min_classes)
        for m in measures
        if m.metric in _SAID
    ]
    for style in styles:
        findings += _missing(len(by_class(samples, style, chosen.base)), style, chosen)
    return Analysis(measures, findings, _figures(measures, chosen), tables=_tables(chosen))


def _missing(classes: int, style: str, chosen: Settings) -> Iterator[Finding]:
    here = {"label_set": style}
    if classes < chosen.min_classes:
        text = f"{style}: {classes} class(es) are shared with the base, fewer than {chosen.min_classes}: not measured."
        yield Finding(text, "not measured", metric="fall", slice=here, n=classes)
    elif len(chosen.baseline_points.get(style, ())) < ENOUGH:
        text = (
            f"{style}: there are fewer than {ENOUGH} published points on these pictures; effective robustness is not "
            "measured."
        )
        yield Finding(text, "not measured", metric="effective_robustness", slice=here, n=classes)


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


def _measures(samples: DataFrame, style: str, chosen: Settings, seed: int) -> Iterator[Measure]:
    here = {"label_set": style}
    for kind in (chosen.base, style):
        yield rate(samples, "accuracy", here | {"style": kind}, seed=seed)
    pairs = by_class(samples, style, chosen.base)
    n = len(pairs)
    if n < chosen.min_classes:
        return
    fall = compare(pairs[:, 1], pairs[:, 0])
    given: Extra = {"label_set": style, "unit": "difference"}
    tested: Extra = {**given, "contrast": "paired", "p_value": fall.p_value, "family": "fall"}
    yield table.number("fall", fall.difference, n=n, **tested)
    points = chosen.baseline_points.get(style, ())
    if len(points) >= ENOUGH:
        yield table.number("effective_robustness", effective(pairs, points, seed=seed), n=n, **given)
    if style in chosen.relative_to:
        reference = chosen.relative_to[style]
        gap = bootstrap(pairs, lambda rows: float(rows[:, 1].mean() - reference.shifted), rng=seed)
        against: Extra = {**given, "reference": reference.model}
        yield table.number("relative_robustness", gap, n=n, **against)


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


def _tables(chosen: Settings) -> dict[str, DataFrame] | None:
    import pandas as pd

    rows = []
    for style, points in sorted(chosen.baseline_points.items()):
        fit = line(points) if len(points) >= ENOUGH else (float("nan"), float("nan"))
        rows += [{"shift": style, **point.model_dump(), "intercept": fit[0], "slope": fit[1]} for point in points]
    return {"Points behind the lines": pd.DataFrame(rows)} if rows else None


def _figures(measures: list[Measure], chosen: Settings) -> list[Figure]:
    import pandas as pd

    rows = [
        (m.label_set, m.value, m.ci_low, m.ci_high, "base" if m.slice["style"] == chosen.base else "shift")
        for m in measures
        if m.metric == "accuracy" and m.value is not None
    ]
    return [
        Figure(
            "accuracy",
            "Accuracy on the base and on each shift, on the classes of the shift",
            "intervals",
            pd.DataFrame(rows, columns=["name", "value", "low", "high", "series"]),
            x="accuracy",
            y="shift",
            alt="Two dots with intervals a shift: accuracy on base and shifted pictures of the same classes.",
        )
    ]
