"""Skews of rankings over k, beside what random rankings give."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.bias.retrieval_skew.score import Ranking, Settings
from audits.bias.retrieval_skew.text import NAMES, findings, not_measured
from audits.contracts import ModelFacts
from audits.detectable import beyond_chance
from audits.protocol import Protocol as Rules
from workbench.statistics import ranking
from workbench.statistics.measures import Measure, adjust, number
from workbench.statistics.ranking import RankingMeasure


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return skews over k beside chance for each query and attribute, and the share of each group among the first k."""
    settings = rules.settings_as(Settings)
    rng = np.random.default_rng(seed)
    measures: list[Measure] = []
    skipped = []
    for (kind, query), rows in samples.groupby(["label_set", "query"], sort=False):
        ordered = rows.sort_values("rank")
        for attribute in settings.slice_by:
            left_out = ("", *settings.leave_out.get(attribute, ()))
            known = ordered[~ordered[attribute].isin(left_out)]
            one = Ranking(str(kind), str(query), attribute, tuple(known[attribute]), tuple(known["cluster"]))
            ks = [k for k in settings.ks if k <= len(one.groups)]
            if len(set(one.groups)) < 2 or not ks:
                skipped.append(one)
                continue
            measures += _skews(one, ks, uniform=settings.reference == "uniform", rng=rng)
            for k, group in itertools.product(ks, sorted(set(one.groups))):
                places = np.array([name == group for name in one.groups])
                names = [cluster for cluster, here in zip(one.clusters, places, strict=True) if here]
                inside, slice = np.flatnonzero(places) < k, {attribute: group}
                measures.append(measuring.share(f"retrieved@{k}", inside, names, label_set=one.name, slice=slice))
    measures = adjust(measures)
    return Analysis(measures, [*findings(measures), *map(not_measured, skipped)], list(_curves(measures)))


def _skews(one: Ranking, ks: Sequence[int], *, uniform: bool, rng: np.random.Generator) -> Iterable[Measure]:
    skews = ranking.measured(
        one.groups, ks, rng=rng, target="uniform" if uniform else "dataset", cluster=measuring.repeated(one.clusters)
    )
    for metric in NAMES:
        rows: tuple[RankingMeasure, ...] = getattr(skews, metric)
        for row in rows:
            measure = number(
                f"{metric}@{row.k}",
                row.interval,
                n=row.n,
                unit="nats",
                direction="higher" if metric == "min_skew" else "lower",
                label_set=one.name,
                slice_by=one.attribute,
                contrast="between_groups",
                reference=f"share of the {'groups, equal' if uniform else 'data set'}",
                null_mean=row.null_mean,
                null_q95=row.null_q95,
                p_value=row.p_value,
                family=f"{metric}|{one.attribute}",
            )
            yield beyond_chance(measure)


def _curves(measures: Sequence[Measure]) -> Iterable[Figure]:
    """Yield MaxSkew and NDKL over k, one line a query, with the band of chance."""
    for attribute in dict.fromkeys(m.slice_by for m in measures if m.contrast == "between_groups"):
        for metric in ("max_skew", "ndkl"):
            rows = [
                (int(m.metric.split("@")[1]), m.value, m.ci_low, m.ci_high, m.null_q95, m.label_set)
                for m in measures
                if m.contrast == "between_groups" and m.slice_by == attribute and m.metric.startswith(f"{metric}@")
            ]
            data = pd.DataFrame(rows, columns=["x", "value", "low", "high", "null", "series"])
            name = NAMES[metric]
            yield Figure(
                f"{metric}-by-{attribute}".replace("_", "-"),
                f"{name} by {attribute.replace('_', ' ')}, over k",
                "curve",
                data.sort_values(["series", "x"], ignore_index=True),
                x="k, number of first ranks",
                y=f"{name} (nats)",
                alt=f"{name} at each k, one line per query, beside the 95th percentile of random rankings.",
            )
