"""Accuracy by gallery size, error rates over thresholds, and both by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits.analysis import Analysis, Figure
from audits.contracts import CLEAN, OUTCOME, ModelFacts
from audits.protocol import Protocol as Rules
from audits.slicing import gaps, groups, rate
from audits.surveillance.identity.gallery import sweep
from audits.surveillance.identity.score import DRAWS, LABEL_SET, Settings
from audits.surveillance.identity.text import findings
from workbench.statistics.intervals import bootstrap
from workbench.statistics.measures import Measure, adjust, number

HERE = {"label_set": LABEL_SET}
ERRORS = ("false_match", "false_non_match")
RESAMPLES = 500
_ROWS = ("beaten_by", "subjects", "genuine", "over", "threshold", "size", "drawn")  # columns that are no groups


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy by gallery size, both error rates and the equal error rate, overall and by group."""
    settings = rules.settings_as(Settings)
    probes = samples[samples["variant"] == CLEAN].dropna(axis="columns", how="all")
    drawn = samples[samples["variant"] == DRAWS]
    sizes = [size for size in settings.gallery_sizes if f"{OUTCOME}top1@{size}" in probes]
    measures = adjust(list(_measures(probes, sizes, settings, seed)))
    sanity = []
    if float(probes[f"{OUTCOME}false_non_match"].mean()) == 1:
        sanity.append("At the threshold every own subject is rejected: the model does not separate these subjects.")
    spread = [
        (int(size), len(shares), *np.quantile(shares, [0.5, 0.025, 0.975]).round(4))
        for size, shares in zip(drawn["size"], drawn["drawn"], strict=True)
    ]
    columns = ["subjects", "galleries drawn", "median top1", "2.5 %", "97.5 %"]
    tables = {"Drawn galleries": pd.DataFrame(spread, columns=columns)}
    sentences = list(findings(measures, settings, subjects=int(probes["subjects"].iloc[0])))
    return Analysis(measures, sentences, _figures(measures, probes, settings), sanity, tables)


def _measures(probes: DataFrame, sizes: list[int], settings: Settings, seed: int) -> Iterator[Measure]:
    for size in sizes:
        yield rate(probes, f"top1@{size}", HERE, seed=seed, null_mean=1.0 / size)
    yield from (rate(probes, name, HERE, seed=seed) for name in ERRORS)
    yield _equal_error(probes, {}, settings.step, seed)
    for kind in groups(probes, but=_ROWS):
        within = f"false_match_within {kind}"
        names = [*ERRORS, *([within] if f"{OUTCOME}{within}" in probes else []), *(f"top1@{one}" for one in sizes[-1:])]
        for value in sorted(set(probes[kind])):
            yield from (rate(probes, name, HERE | {kind: value}, seed=seed) for name in names)
            yield _equal_error(probes[probes[kind] == value], {kind: value}, settings.step, seed)
        yield from gaps(probes, "false_non_match", HERE, by=(kind,), seed=seed)


def _errors(probes: DataFrame, step: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n, thresholds) share of strangers that reach each threshold, and whether the own subject lies below it."""
    others = probes["subjects"].to_numpy(dtype=float)[:, None] - 1
    below = probes["genuine"].to_numpy(dtype=np.float64)[:, None] < sweep(step)[None, :]
    return np.array(probes["over"].tolist(), dtype=np.float64) / others, below


def _equal_error(probes: DataFrame, slice: dict[str, str], step: float, seed: int) -> Measure:
    """Return the equal error rate of some probes against all strangers; the interval resamples subjects."""
    over, below = _errors(probes, step)
    subjects = probes["cluster"].to_numpy()
    rows = np.stack(  # (subjects, 2 * thresholds + 1): sums of both errors, and how many probes
        [
            np.concatenate([over[subjects == one].sum(0), below[subjects == one].sum(0), [(subjects == one).sum()]])
            for one in sorted(set(subjects))
        ]
    )
    interval = bootstrap(rows, equal_error, rng=seed, resamples=RESAMPLES)
    interval = replace(interval, method=interval.method.replace("bootstrap", "bootstrap of subjects"))
    return number("equal_error_rate", interval, n=len(probes), slice=slice, label_set=LABEL_SET, direction="lower")


def equal_error(rows: NDArray[Any]) -> float:
    """Return where false matches and false non-matches are equal as the threshold moves, 0..1.

    Args:
        rows: (m, 2 t + 1): at each of t thresholds the sum of shares of strangers let through, at each the count of own
            subjects rejected, and the number of probes.
    """
    sums = rows.sum(axis=0)
    t = (len(sums) - 1) // 2
    match, non_match = sums[:t] / sums[-1], sums[t:-1] / sums[-1]
    crossed = int(np.argmax(non_match >= match))  # the first: one falls with the threshold and the other rises
    before = max(0, crossed - 1)
    rise = (non_match - match)[[before, crossed]]
    part = 0.0 if rise[1] == rise[0] else float(np.clip(-rise[0] / (rise[1] - rise[0]), 0, 1))
    return float(match[before] + part * (match[crossed] - match[before]))


def _figures(measures: list[Measure], probes: DataFrame, settings: Settings) -> list[Figure]:
    sizes = [m for m in measures if m.metric.startswith("top1@") and not m.slice]
    rows = [(int(m.metric.removeprefix("top1@")), m.value, m.ci_low, m.ci_high, m.null_mean) for m in sizes]
    curve = pd.DataFrame(rows, columns=["x", "value", "low", "high", "null"]).sort_values("x")
    over, below = _errors(probes, settings.step)
    lines = [("false match", over.mean(0)), ("false non-match", below.mean(0))]
    points = [(x, y, name) for name, line in lines for x, y in zip(sweep(settings.step), line, strict=True)]
    errors = pd.DataFrame(points, columns=["x", "value", "series"])
    shown = errors[(errors["x"] > np.quantile(probes["genuine"], 0.01) - 0.6)]
    return [
        Figure(
            "galleries",
            "Accuracy by gallery size",
            "curve",
            curve,
            x="subjects in the gallery",
            y="top-1 accuracy; the mark is guessing",
            alt="A curve that falls as the gallery grows, with its interval, beside the curve of guessing.",
        ),
        Figure(
            "errors",
            "Error rates by threshold",
            "curve",
            shown.reset_index(drop=True),
            x="threshold, cosine",
            y="error rate",
            alt="Two curves that cross: false matches fall as the threshold rises, false non-matches rise.",
        ),
    ]
