"""Equalised odds: does each group get each label as often where it is true, and as often where it is not?

Source:
    Hardt, Price and Srebro 2016, arXiv:1610.02413; the largest gap over labels, as fairlearn's
    equalized_odds_difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pandas import DataFrame

from audits import measuring
from audits.grouping import By, gap_rows, keyed, sides
from workbench.statistics.gaps import in_large_groups
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure
from workbench.statistics.power import corrected
from workbench.statistics.row import GAPS, LEAST_P

METRIC, RECALL = "equalised_odds", "recall"
LABEL = "label"  # whose rate a row is, in its slice
MOST = 12  # labels, the most frequent ones


def equalised_odds(rows: DataFrame, by: By, *, rng: np.random.Generator, **fields: Any) -> list[Measure]:
    """Return the largest gap between groups in the rates of true and false positives over all labels.

    All gaps are tested together (Bonferroni): the interval excludes 0 exactly where the smallest p-value, times their
    number, is below 1 - level. `detectable` is of the rate with the largest gap, at the corrected level; n counts the
    cases of the rates compared. Where some group has fewer than 30 cases of a rate, a second row is the same between
    groups of at least 30. Empty where fewer than two labels or groups can be compared.

    `rows` have the columns `y_true`, `y_pred`, `cluster` and the attributes.
    """
    every: list[tuple[Measure, DataFrame]] = []
    large: list[tuple[Measure, DataFrame]] = []
    for rate, label, cases in _rates(rows, by):
        outcomes = (cases["y_pred"] == label).to_numpy(float)
        made = gap_rows(measuring.gap, METRIC, outcomes, **sides(cases, by), rng=rng)
        keep = in_large_groups(cases["group"])
        for row, counted, kept in ((made[0], cases, every), (made[-1], cases if keep is None else cases[keep], large)):
            small = "suppressed" in row.flags and kept is large
            if row.value is not None and row.p_value is not None and row.at_level is not None and not small:
                kept.append((replace(row, reference=f"{rate} of {label}, {row.reference}"), counted))
    if not every:
        return []
    second = large if any("suppressed" in row.flags for row, _ in every) else []
    return [_widest(every, fields), *([replace(_widest(second, fields), contrast=GAPS[1])] if second else [])]


def rates_by_group(rows: DataFrame, by: By, **fields: Any) -> Iterator[Measure]:
    """Yield what `equalised_odds` compares, a row per rate, label and group: how often the label is given."""
    for rate, label, cases in _rates(rows, by):
        metric = f"{METRIC}.{rate.replace(' ', '_')}"
        direction: Literal["higher", "lower"] = "higher" if rate == RECALL else "lower"
        for values, part in cases.groupby(list(by), sort=True):
            slice = {**dict(zip(by, map(str, values), strict=True)), LABEL: label}
            given, cluster = part["y_pred"] == label, list(part["cluster"])
            yield measuring.share(metric, given, cluster, slice=slice, direction=direction, **fields)


def rate_of(reference: str) -> tuple[str, str, str]:
    """Return the metric and label of the rate that a row of `equalised_odds` is about, and its groups, as "b to a"."""
    rate, _, rest = reference.partition(" of ")
    label, _, groups = rest.rpartition(", ")
    return f"{METRIC}.{rate.replace(' ', '_')}", label, groups


def is_rate(metric: str, gap: str) -> bool:
    """Say whether rows of one metric are the rates that a gap, by its metric, compares."""
    return gap == METRIC and metric.startswith(f"{METRIC}.")


def _rates(rows: DataFrame, by: By) -> Iterator[tuple[str, str, DataFrame]]:
    """Yield each rate, its label, and the cases that it counts; none where there are fewer than two labels."""
    part = keyed(rows, by)
    labels = sorted(part["y_true"].value_counts().index[:MOST])
    for label in labels if len(labels) > 1 else ():
        yield RECALL, label, part[part["y_true"] == label]
        yield "false positives", label, part[part["y_true"] != label]


def _widest(gaps: Sequence[tuple[Measure, DataFrame]], fields: dict[str, Any]) -> Measure:
    """Return the largest of several gaps, each with its cases, tested together."""
    rows = [row for row, _ in gaps]
    bounds = _LargestGap(tuple(rows))
    interval, widest = bounds(0.95), max(rows, key=lambda row: row.value or 0.0)
    least = min(rows, key=lambda row: row.p_value or 0.0)
    flags = ({*widest.flags} - {LEAST_P}) | ({*least.flags} & {LEAST_P})
    smallest = widest.detectable and corrected(widest.detectable, 0.95, wider=1 - 0.05 / len(rows))
    return replace(
        widest,
        ci_low=interval.low,
        ci_high=interval.high,
        ci_method=interval.method,
        p_value=min(1.0, len(rows) * (least.p_value or 0.0)),
        flags=tuple(sorted(flags)),
        n=len(set().union(*(cases.index for _, cases in gaps))),
        k_pos=None,
        null_mean=None,
        null_q95=None,
        detectable=smallest,
        at_level=bounds,
        **fields,
    )


@dataclass(frozen=True)
class _LargestGap:
    """The simultaneous interval of the largest of several gaps, at any level."""

    gaps: Sequence[Measure]

    def __call__(self, level: float) -> Interval:
        each = 1 - (1 - level) / len(self.gaps)
        bounds = [row.at_level(each) for row in self.gaps if row.at_level is not None]
        low, high = (max(getattr(one, name) or 0.0 for one in bounds) for name in ("low", "high"))
        value = max(one.value or 0.0 for one in bounds)
        method = f"{bounds[0].method}, Bonferroni over {len(bounds)} rates"
        return Interval(value, low, high, level, method, at_level=self)
