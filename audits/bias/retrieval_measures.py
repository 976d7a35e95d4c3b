"""From rankings to skews over k with the band of chance, findings and curves.

Knows no model and no picture: a ranking is the groups in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.analysis import Analysis, Figure, Finding
from workbench.statistics import clusters as counted
from workbench.statistics import intervals, ranking
from workbench.statistics.measures import Measure, adjust, number

if TYPE_CHECKING:
    from workbench.statistics.ranking import RankingMeasure

ALPHA = 0.05
_NAMES = {"max_skew": "MaxSkew", "min_skew": "MinSkew", "ndkl": "NDKL"}


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
        findings=[*_findings(adjusted), *map(_not_measured, skipped)],
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
    for metric in _NAMES:
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


def _findings(measures: Sequence[Measure]) -> Iterable[Finding]:
    """One sentence an attribute, kind of query and measure: at which queries and k chance does not do."""
    kept = [m for m in measures if m.contrast == "between_groups"]
    keys = dict.fromkeys((m.slice_by, m.label_set.split(": ", 1)[0], m.metric.split("@")[0]) for m in kept)
    for attribute, kind, metric in keys:
        rows = [
            m
            for m in kept
            if (m.slice_by, m.metric.split("@")[0]) == (attribute, metric) and m.label_set.startswith(f"{kind}: ")
        ]
        beyond = [m for m in rows if m.p_adj is not None and m.p_adj < ALPHA and m.value is not None]
        told, name = attribute.replace("_", " "), _NAMES[metric]
        if not beyond:
            text = f"No evidence of more skew by {told} than chance gives, in {len(rows)} {name} of {kind} queries."
            yield Finding(text, "no evidence", metric, {}, p_adj=min((m.p_adj or 1.0 for m in rows), default=None))
            continue
        worst = max(beyond, key=lambda m: abs(m.value or 0.0) - abs(m.null_q95 or 0.0))
        text = (
            f"Found: {kind} queries rank by {told}: {name} leaves the band of chance in {len(beyond)} of {len(rows)} "
            f"cases; most at {worst.metric} for “{worst.label_set.split(': ', 1)[1]}”: {worst.value:.2f} nats, "
            f"chance {worst.null_q95:.2f}, p = {worst.p_adj:.3g} after correction, n = {worst.n}."
        )
        yield Finding(text, "found", worst.metric, {}, worst.value, worst.p_adj, worst.n)


def _not_measured(one: Ranking) -> Finding:
    text = (
        f"Not measured: skew by {one.attribute} for “{one.query}”; there are too few groups, or fewer pictures than k."
    )
    return Finding(text, "not measured", "max_skew", {}, n=len(one.groups))


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
            told, name = attribute.replace("_", " "), _NAMES[metric]
            yield Figure(
                f"{metric}-by-{attribute}".replace("_", "-"),
                f"{name} by {told}, over k",
                "curve",
                data.sort_values(["series", "x"], ignore_index=True),
                x="k, pictures looked at",
                y=f"{name} (nats)",
                alt=f"{name} at each k, one line a query, beside the 95th percentile of rankings by lot.",
            )
