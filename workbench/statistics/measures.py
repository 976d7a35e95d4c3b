"""The long table that every audit ends in: one number a row, with its interval, its test and its warnings.

The columns of the run (which audit, model, data) are put in front by whoever writes the table.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from workbench.statistics import gaps, intervals, multiplicity, power
from workbench.statistics.intervals import Interval
from workbench.statistics.row import DTYPES, Extra, Measure, canonical, sized

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame

    from workbench.statistics._checks import Counts

__all__ = ["Extra", "Measure", "adjust", "between", "number", "of_gap", "records", "share", "table"]
COLUMNS = tuple(item.name for item in dataclasses.fields(Measure) if item.name != "at_level")
_ORDER = ("metric", "label_set", "template_set", "slice_by", "slice", "control", "contrast", "reference")


def share(
    metric: str, k: int, n: int, *, slice: Mapping[str, str] | None = None, level: float = 0.95, **extra: Unpack[Extra]
) -> Measure:
    """Return k of n with its interval as a row; n = 0 gives an undefined row, not an error.

    Raises:
        BadInput: counts that cannot be.
    """
    interval = intervals.proportion(k, n, level=level)
    row = number(metric, interval, n=int(n), slice=slice, **extra)
    return dataclasses.replace(row, k_pos=int(k), n_effective=int(n))


def number(
    metric: str,
    interval: Interval,
    *,
    n: int | None = None,
    slice: Mapping[str, str] | None = None,
    slice_by: str | None = None,
    **extra: Unpack[Extra],
) -> Measure:
    """Return any number with its interval as a row; NaN and infinity become undefined.

    `slice_by` is what the rows of this table are cut by; without it, the slice's attributes.
    """
    value, low, high = (_real(bound) for bound in (interval.value, interval.low, interval.high))
    degenerate = ("degenerate",) if interval.method.startswith("degenerate") else ()
    given: dict[str, Any] = {**extra, "flags": sized(n, value, (*extra.get("flags", ()), *degenerate))}
    return Measure(
        metric=metric,
        slice={str(key): str(part) for key, part in (slice or {}).items()},
        slice_by=",".join(sorted(map(str, slice or {}))) if slice_by is None else slice_by,
        n=n,
        value=value,
        ci_low=low,
        ci_high=high,
        level=interval.level,
        ci_method=interval.method,
        at_level=interval.at_level,
        **given,
    )


def between(
    metric: str,
    counts: Counts,
    *,
    slice_by: str,
    rng: np.random.Generator | int,
    level: float = 0.95,
    **extra: Unpack[Extra],
) -> Measure:
    """Return the gap between the groups' shares (largest minus smallest) as a row, beside what chance alone gives.

    Small-group flags go by the smallest group. `reference` names the lowest and the highest group.

    Raises:
        BadInput: counts that cannot be.
    """
    return of_gap(metric, gaps.gap(counts, rng=rng, level=level), slice_by=slice_by, **extra)


def of_gap(
    metric: str, gap: gaps.Gap, *, slice_by: str, slice: Mapping[str, str] | None = None, **extra: Unpack[Extra]
) -> Measure:
    """Return a gap that was worked out before as a row."""
    fields: dict[str, Any] = {
        "unit": "difference",
        "contrast": "between_groups",
        "direction": "lower",
        "reference": f"{gap.lowest} to {gap.highest}" if gap.interval.value is not None else "",
        "null_mean": gap.null_mean,
        "null_q95": gap.null_q95,
        "p_value": gap.p_value,
        **extra,
        "flags": (*extra.get("flags", ()), *gap.flags),
    }
    row = number(metric, gap.interval, n=gap.smallest, slice=slice, slice_by=slice_by, **fields)
    return dataclasses.replace(row, n=gap.n, k_pos=gap.k)


def records(measures: Iterable[Measure]) -> list[dict[str, Any]]:
    """Return strict-JSON rows (null, never NaN), in the order of the table; `slice` is a dict, `flags` a list."""
    rows = [
        {name: getattr(measure, name) for name in COLUMNS}
        | {"slice": json.loads(measure.slice_json), "flags": list(measure.flags)}
        for measure in measures
    ]
    return sorted(rows, key=lambda row: tuple(canonical(row[k]) if k == "slice" else str(row[k]) for k in _ORDER))


def table(measures: Iterable[Measure]) -> DataFrame:
    """Return measures as one long table: fixed columns and dtypes, and the same order whatever order they came in.

    Returns:
        A row a measure. Text columns are never null (empty instead), numbers are nullable Int64 and Float64, `slice` is
        canonical JSON, `flags` are joined by "|".
    """
    import pandas as pd

    rows = records(measures)
    columns = {}
    for name in COLUMNS:
        cells = [row[name] for row in rows]
        if name == "slice":
            cells = [canonical(cell) for cell in cells]
        elif name == "flags":
            cells = ["|".join(cell) for cell in cells]
        columns[name] = pd.Series(cells, dtype=DTYPES.get(name, "string"))
    return pd.DataFrame(columns)


def adjust(measures: Sequence[Measure], correction: multiplicity.Correction = "holm") -> list[Measure]:
    """Return the measures with `p_adj`, `correction` and `n_tests` filled in, each family (of a metric) on its own.

    Intervals of a family become simultaneous: at the level at which the row's adjusted p-value is decided, so that an
    interval excludes 0 only where `p_adj` is below 1 - level. `detectable` is brought to that level too, and is worked
    out from the interval where a tested row has none.

    Raises:
        BadInput: no such correction.
    """
    tests = multiplicity.adjust(
        [measure.p_value for measure in measures],
        family=[measure.family for measure in measures],
        correction=correction,
    )
    return [_adjusted(measure, test) for measure, test in zip(measures, tests, strict=True)]


def _adjusted(measure: Measure, test: multiplicity.Adjusted) -> Measure:
    if test.p_value is None:
        return measure
    bounds = Interval(
        measure.value,
        measure.ci_low,
        measure.ci_high,
        measure.level or 0.95,
        measure.ci_method,
        at_level=measure.at_level,
    )
    interval = multiplicity.simultaneous(bounds, test)
    smallest = measure.detectable
    if smallest is None and bounds.low is not None and bounds.high is not None and bounds.low < bounds.high:
        smallest = power.detectable_of_interval(bounds.low, bounds.high, level=bounds.level)
    if smallest is not None:
        smallest = power.corrected(smallest, bounds.level, wider=test.level(bounds.level))
    return dataclasses.replace(
        measure,
        ci_low=interval.low,
        ci_high=interval.high,
        ci_method=interval.method,
        p_adj=test.p_adj,
        correction=test.correction,
        n_tests=test.tests,
        detectable=smallest,
    )


def _real(bound: float | None) -> float | None:
    return float(bound) if bound is not None and math.isfinite(bound) else None
