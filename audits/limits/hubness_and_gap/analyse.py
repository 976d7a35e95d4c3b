"""Hubs, gap and right answers of each way, and what centring and the querybank change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.changes import CHANGE, changes_table, outcomes_of
from audits.contracts import OUTCOME, ModelFacts
from audits.detectable import beyond_chance
from audits.limits.hubness_and_gap.score import HUB, PLAIN, RETRIEVED, RIGHT
from audits.limits.hubness_and_gap.text import NAMES, findings
from audits.protocol import Protocol as Rules
from workbench.retrieval.hubs import NEAREST
from workbench.statistics import intervals
from workbench.statistics.measures import Measure, adjust, number

RESAMPLES = 500


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return hubness, gap and shares of right answers of each way, with paired changes against the model as it is."""
    rng = np.random.default_rng(seed)
    plain = samples[samples["label_set"] == PLAIN]
    measures: list[Measure] = []
    for way, rows in samples.groupby("label_set", sort=False):
        measures += _measured(rows, None if way == PLAIN else plain, label_set=str(way), rng=rng)
    measures = adjust(measures, "holm")
    table = {"What each way changes": changes_table(outcomes_of(measures), NAMES, way="way")}
    return Analysis(measures, list(findings(measures)), [_figure(samples)], tables=table)


def _measured(
    rows: DataFrame, plain: DataFrame | None, *, label_set: str, rng: np.random.Generator
) -> Iterator[Measure]:
    cluster, counts = list(rows["cluster"]), rows["occurs"].to_numpy(float)
    names, even = measuring.repeated(cluster), NEAREST / len(rows)
    null = _skewness(rng.binomial(int(rows["queries"].iloc[0]), even, (RESAMPLES, len(rows))).astype(float))
    value = intervals.bootstrap(counts, _skewness_of, rng=rng, cluster=names, resamples=RESAMPLES)
    fields: dict[str, Any] = {"label_set": label_set, "direction": "lower"}
    if value.value is not None:
        fields |= {"null_mean": float(null.mean()), "null_q95": float(np.quantile(null, 0.95))}
        fields["p_value"] = float((1 + (null >= value.value).sum()) / (1 + RESAMPLES))
    yield beyond_chance(number("hubness", value, n=len(rows), unit="skewness", **fields))
    fields = {"label_set": label_set, "direction": "lower"}
    if rows["gap"].notna().all():
        yield measuring.mean("gap", rows["gap"], cluster, rng=rng, unit="distance", **fields)
        if plain is not None:
            extra = {**fields, "unit": "distance", "reference": PLAIN}
            yield measuring.change("gap" + CHANGE, plain["gap"], rows["gap"], cluster=cluster, **extra)
    for metric in (HUB, RETRIEVED, RIGHT):
        fields["direction"], column = "lower" if metric == HUB else "higher", OUTCOME + metric
        if rows[column].isna().any():
            continue
        yield measuring.share(metric, rows[column], cluster, **fields)
        if plain is not None:
            yield measuring.change(
                metric + CHANGE, plain[column], rows[column], cluster=cluster, **fields, reference=PLAIN
            )


def _skewness(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of counts -> their skewness; 0 where all are equal."""
    from scipy.stats import skew

    spread = counts.std(axis=-1) > 0
    return np.asarray(np.where(spread, skew(counts + np.where(spread, 0.0, np.nan)[..., None], axis=-1), 0.0))


def _skewness_of(counts: NDArray[np.float64]) -> float:
    return float(_skewness(counts[None])[0])


def _figure(samples: DataFrame) -> Figure:
    """Return how often images answer, the most frequent first, beside an even share."""
    rows: list[tuple[int, float, float, str]] = []
    for way, part in samples.groupby("label_set", sort=False):
        shares = np.sort(part["occurs"].to_numpy(float) / part["queries"].to_numpy(float))[::-1]
        rows += [(at + 1, share, NEAREST / len(part), str(way)) for at, share in enumerate(shares[:100].tolist())]
    return Figure(
        "occurrences",
        "How often single images are among the first ten answers",
        "curve",
        pd.DataFrame(rows, columns=["x", "value", "null", "series"]),
        "image, the most frequent first",
        "share of sentences",
        "For the hundred images that answer most often, the share of stock sentences that they answer to; the dashed "
        "line is an even share. A steep start means that a few images answer to everything.",
    )
