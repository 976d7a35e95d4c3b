"""Skews of rankings over k, beside what random rankings give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.analysis import Analysis, Figure
from audits.bias.retrieval_skew.score import Settings
from audits.bias.retrieval_skew.text import NAMES, findings, not_measured
from audits.settings import read_settings
from workbench.statistics import clusters as counted
from workbench.statistics import intervals, ranking
from workbench.statistics.measures import Measure, adjust, number

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules
    from workbench.statistics.ranking import RankingMeasure


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Skews over k with the band of chance, for each query and attribute."""
    settings = read_settings(Settings, rules)
    rankings = []
    for (kind, query), rows in samples.groupby(["label_set", "query"], sort=False):
        ordered = rows.sort_values("rank")
        for attribute in settings.slice_by:
            known = ordered[
                (ordered[attribute] != "") & ~ordered[attribute].isin(settings.leave_out.get(attribute, ()))
            ]
            rankings.append(Ranking(str(kind), str(query), attribute, tuple(known[attribute]), tuple(known["cluster"])))
    return conclude(rankings, ks=settings.ks, reference=settings.reference, seed=seed)


@dataclass(frozen=True)
class Ranking:
    """The pictures of one query, best first; those without a group are left out."""

    kind: str  # "neutral", "loaded"
    query: str
    attribute: str
    groups: tuple[str, ...]  # of each picture
    clusters: tuple[str, ...]

    @property
    def name(self) -> str:
        """The label set of its measures: kind and query."""
        return f"{self.kind}: {self.query}"


def conclude(rankings: Sequence[Ranking], *, ks: Sequence[int], reference: str, seed: int) -> Analysis:
    """Measure every ranking at every k, correct for their number, and say what leaves the band of chance."""
    rng = np.random.default_rng(seed)
    measures: list[Measure] = []
    skipped = []
    for one in rankings:
        usable = [k for k in ks if k <= len(one.groups)]
        if len(set(one.groups)) < 2 or not usable:
            skipped.append(one)
            continue
        measures += _skews(one, usable, reference=reference, rng=rng)
        measures += [_retrieved(one, k, group) for k in usable for group in sorted(set(one.groups))]
    adjusted = adjust(measures)
    return Analysis(
        measures=adjusted,
        findings=[*findings(adjusted), *map(not_measured, skipped)],
        figures=list(_curves(adjusted)),
    )


def _skews(one: Ranking, ks: Sequence[int], *, reference: str, rng: np.random.Generator) -> Iterable[Measure]:
    alone = len(set(one.clusters)) == len(one.clusters)
    found = ranking.measured(
        one.groups,
        ks,
        rng=rng,
        target="uniform" if reference == "uniform" else "dataset",
        cluster=None if alone else one.clusters,
    )
    for metric in NAMES:
        rows: tuple[RankingMeasure, ...] = getattr(found, metric)
        for row in rows:
            yield number(
                f"{metric}@{row.k}",
                row.interval,
                n=row.n,
                unit="nats",
                direction="higher" if metric == "min_skew" else "lower",
                label_set=one.name,
                slice_by=one.attribute,
                contrast="between_groups",
                reference=f"share of the {'groups, equal' if reference == 'uniform' else 'data set'}",
                null_mean=row.null_mean,
                null_q95=row.null_q95,
                p_value=row.p_value,
                family=f"{metric}|{one.attribute}",
            )


def _retrieved(one: Ranking, k: int, group: str) -> Measure:
    """The share of a group's pictures that are among the first k."""
    places = np.array([name == group for name in one.groups])
    inside = (np.flatnonzero(places) < k).astype(float)
    names = [cluster for cluster, here in zip(one.clusters, places, strict=True) if here]
    hits, size = counted.effective(inside, names if len(set(names)) < len(names) else None)
    found = intervals.proportion(hits, size)
    value = float(inside.mean())
    bounds = (min(found.low or 0.0, value), max(found.high if found.high is not None else 1.0, value))
    interval = intervals.Interval(value, *bounds, found.level, found.method)
    return number(f"retrieved@{k}", interval, n=len(inside), label_set=one.name, slice={one.attribute: group})


def _curves(measures: Sequence[Measure]) -> Iterable[Figure]:
    """MaxSkew and NDKL over k, a line a query, with the band of chance."""
    import pandas as pd

    for attribute in dict.fromkeys(m.slice_by for m in measures if m.contrast == "between_groups"):
        for metric in ("max_skew", "ndkl"):
            rows = [
                (int(m.metric.split("@")[1]), m.value, m.ci_low, m.ci_high, m.null_q95, m.label_set)
                for m in measures
                if m.contrast == "between_groups" and m.slice_by == attribute and m.metric.startswith(f"{metric}@")
            ]
            data = pd.DataFrame(rows, columns=["x", "value", "low", "high", "null", "series"])
            told, name = attribute.replace("_", " "), NAMES[metric]
            yield Figure(
                f"{metric}-by-{attribute}".replace("_", "-"),
                f"{name} by {told}, over k",
                "curve",
                data.sort_values(["series", "x"], ignore_index=True),
                x="k, pictures looked at",
                y=f"{name} (nats)",
                alt=f"{name} at each k, one line a query, beside the 95th percentile of rankings by lot.",
            )
