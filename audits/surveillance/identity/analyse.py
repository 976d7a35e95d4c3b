"""Accuracy by gallery size, error rates over thresholds, and both by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.analysis import Analysis, Figure, Finding
from audits.contracts import CLEAN, OUTCOME
from audits.rates import gap, groups, rate, spoken, with_published
from audits.settings import read_settings
from audits.surveillance.identity.gallery import sweep
from audits.surveillance.identity.score import DRAWS, LABEL_SET, Settings
from workbench.statistics import measures as table
from workbench.statistics.intervals import bootstrap

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules
    from workbench.statistics.measures import Measure

HERE = {"label_set": LABEL_SET}
ERRORS = ("false_match", "false_non_match")
RESAMPLES = 500
_ROWS = ("beaten_by", "subjects", "genuine", "over", "threshold", "size", "drawn")  # columns that are no groups


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return everything that the samples say, in aggregate."""
    chosen = read_settings(Settings, rules)
    probes = samples[samples["variant"] == CLEAN].dropna(axis="columns", how="all")
    drawn = samples[samples["variant"] == DRAWS]
    sizes = [size for size in chosen.gallery_sizes if f"{OUTCOME}top1@{size}" in probes]
    kinds = groups(probes, but=_ROWS)
    measures = with_published(table.adjust(list(_measures(probes, sizes, kinds, chosen, seed))), rules.published)
    findings = [*_findings(measures, chosen), *_missing(probes, chosen)]
    tables = {"Drawn galleries": _spread(drawn)}
    return Analysis(measures, findings, _figures(measures, probes, chosen), _doubts(probes), tables)


def _measures(probes: DataFrame, sizes: list[int], kinds: list[str], chosen: Settings, seed: int) -> Iterator[Measure]:
    for size in sizes:
        yield rate(probes, f"top1@{size}", HERE, seed=seed, null_mean=1.0 / size)
    yield from (rate(probes, name, HERE, seed=seed) for name in ERRORS)
    yield _equal_error(probes, {}, chosen, seed)
    for kind in kinds:
        within = f"false_match_within {kind}"
        for value in sorted(set(probes[kind])):
            here = HERE | {kind: value}
            names = (*ERRORS, *([within] if f"{OUTCOME}{within}" in probes else []), *_largest(sizes))
            yield from (rate(probes, name, here, seed=seed) for name in names)
            yield _equal_error(probes[probes[kind] == value], {kind: value}, chosen, seed)
        yield gap(probes, "false_non_match", HERE, by=kind, seed=seed)


def _largest(sizes: list[int]) -> list[str]:
    return [f"top1@{sizes[-1]}"] if sizes else []


def _equal_error(probes: DataFrame, slice_: dict[str, str], chosen: Settings, seed: int) -> Measure:
    """Return the equal error rate of some probes against all strangers; the interval resamples subjects."""
    over = np.array(probes["over"].tolist(), dtype=np.float64) / (probes["subjects"].to_numpy(dtype=float) - 1)[:, None]
    below = probes["genuine"].to_numpy(dtype=np.float64)[:, None] < sweep(chosen.step)[None, :]
    subjects = probes["cluster"].to_numpy()
    order = sorted(set(subjects))
    rows = np.stack(  # (subjects, 2 * thresholds + 1): sums of both errors, and how many probes
        [
            np.concatenate([over[subjects == one].sum(0), below[subjects == one].sum(0), [(subjects == one).sum()]])
            for one in order
        ]
    )
    found = bootstrap(rows, equal_error, rng=seed, resamples=RESAMPLES)
    found = replace(found, method=found.method.replace("bootstrap", "bootstrap of subjects"))
    return table.number("equal_error_rate", found, n=len(probes), slice=slice_, label_set=LABEL_SET, direction="lower")


def equal_error(rows: NDArray[Any]) -> float:
    """Return where false matches and false non-matches meet as the threshold moves, 0..1.

    Args:
        rows: (m, 2 t + 1): at each of t thresholds the sum of shares of strangers let through, at each the count of own
            subjects turned away, and the number of probes.
    """
    sums = rows.sum(axis=0)
    t = (len(sums) - 1) // 2
    match, non_match = sums[:t] / sums[-1], sums[t:-1] / sums[-1]
    crossed = int(np.argmax(non_match >= match))  # the first: one falls with the threshold and the other rises
    before = max(0, crossed - 1)
    rise = (non_match - match)[[before, crossed]]
    part = 0.0 if rise[1] == rise[0] else float(np.clip(-rise[0] / (rise[1] - rise[0]), 0, 1))
    return float(match[before] + part * (match[crossed] - match[before]))


def _findings(measures: list[Measure], chosen: Settings) -> Iterator[Finding]:
    for m in measures:
        if m.metric.startswith("top1@") and not m.slice:
            chance = m.null_mean or 0.0
            size = m.metric.removeprefix("top1@")
            clause = f"in a gallery of {size} the own subject stands first, {{}}, more often than by guessing"
            yield spoken(f"{clause} ({100 * chance:.2g} %)", m, few=chosen.min_n, zero=chance)
        if m.contrast == "between_groups":
            clause = f"at one threshold own subjects are turned away more in one group of {m.slice_by} than in another"
            yield spoken(f"{clause} ({m.reference}), by {{}}", m, few=chosen.min_n)


def _missing(probes: DataFrame, chosen: Settings) -> Iterator[Finding]:
    subjects = int(probes["subjects"].iloc[0])
    for size in chosen.gallery_sizes:
        if size > subjects:
            text = f"A gallery of {size} is not measured: the data set has {subjects} subjects."
            yield Finding(text, "not measured", metric=f"top1@{size}", n=0)


def _doubts(probes: DataFrame) -> list[str]:
    if float(probes[f"{OUTCOME}false_non_match"].mean()) < 1:
        return []
    return ["At the threshold every own subject is turned away: the model does not tell these subjects apart."]


def _spread(drawn: DataFrame) -> DataFrame:
    import pandas as pd

    rows = [
        (int(size), len(shares), *np.quantile(shares, [0.5, 0.025, 0.975]).round(4))
        for size, shares in zip(drawn["size"], drawn["drawn"], strict=True)
    ]
    return pd.DataFrame(rows, columns=["subjects", "galleries drawn", "median top1", "2.5 %", "97.5 %"])


def _figures(measures: list[Measure], probes: DataFrame, chosen: Settings) -> list[Figure]:
    import pandas as pd

    sizes = [m for m in measures if m.metric.startswith("top1@") and not m.slice]
    rows = [(int(m.metric.removeprefix("top1@")), m.value, m.ci_low, m.ci_high, m.null_mean) for m in sizes]
    curve = pd.DataFrame(rows, columns=["x", "value", "low", "high", "null"]).sort_values("x")
    steps = sweep(chosen.step)
    over = np.array(probes["over"].tolist(), dtype=np.float64) / (probes["subjects"].to_numpy(dtype=float) - 1)[:, None]
    below = probes["genuine"].to_numpy(dtype=np.float64)[:, None] < steps[None, :]
    lines = [("false match", over.mean(0)), ("false non-match", below.mean(0))]
    errors = pd.DataFrame([(x, y, name) for name, line in lines for x, y in zip(steps, line, strict=True)])
    errors.columns = pd.Index(["x", "value", "series"])
    shown = errors[(errors["x"] > np.quantile(probes["genuine"], 0.01) - 0.6)]
    return [
        Figure(
            "galleries",
            "How often the own subject stands first, by the size of the gallery",
            "curve",
            curve,
            x="subjects in the gallery",
            y="top-1 accuracy; the mark is guessing",
            alt="A curve that falls as the gallery grows, with its interval, above the curve of guessing.",
        ),
        Figure(
            "errors",
            "The two errors as the threshold moves",
            "curve",
            shown.reset_index(drop=True),
            x="threshold, cosine",
            y="error rate",
            alt="Two curves that cross: false matches fall as the threshold rises, false non-matches rise.",
        ),
    ]
