"""From samples to rows of the table: means of outcomes over slices, paired differences, and what may be said of them.

Knows no audit and no model. Rows of one cluster are not independent: a share counts them by its design effect, other
numbers resample them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from audits.analysis import Finding
from audits.contracts import OUTCOME
from audits.shares import counted
from workbench.statistics import measures as table
from workbench.statistics.gaps import gap_of_cases
from workbench.statistics.intervals import Interval, bootstrap
from workbench.statistics.paired import compare

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from audits.protocol import Published
    from workbench.statistics.measures import Extra, Measure

RESAMPLES = 1000
_FIXED = (
    "sample_id",
    "variant",
    "label_set",
    "cluster",
    "y_true",
    "y_pred",
    "rank_true",
    "topk",
    "scores",
)
_MOST = 12  # values of a column that divides pictures into groups


def selected(samples: DataFrame, where: Mapping[str, str], metric: str) -> DataFrame:
    """Return the rows of a slice in which an outcome is defined."""
    keep = samples[f"{OUTCOME}{metric}"].notna()
    for name, value in where.items():
        keep &= samples[name] == value
    return samples[keep]


def groups(samples: DataFrame, *, but: Sequence[str] = ()) -> list[str]:
    """Return the columns that divide the pictures into 2 to 12 groups, sorted."""
    names = [str(name) for name in samples if not str(name).startswith(OUTCOME) and name not in (*_FIXED, *but)]
    texts = [name for name in names if samples[name].map(lambda cell: isinstance(cell, str)).all()]
    return sorted(name for name in texts if 2 <= samples[name].nunique() <= _MOST)


def rate(samples: DataFrame, metric: str, where: Mapping[str, str], *, seed: int, **extra: Unpack[Extra]) -> Measure:
    """Return the mean of an outcome over a slice, with its interval.

    Args:
        samples: the rows.
        metric: name of the outcome.
        where: column -> value; `label_set` among them goes into the measure's own field.
        seed: of the resampling, where outcomes are not 0 or 1.
        extra: further fields of the measure.
    """
    rows = selected(samples, where, metric)
    values = rows[f"{OUTCOME}{metric}"].to_numpy(dtype=np.float64)
    slice_, label_set = _parted(where)
    given: Extra = {"label_set": label_set, **extra}
    yes_no = bool(np.isin(values, (0.0, 1.0)).all())
    if yes_no:
        return counted(metric, values, cluster=list(rows["cluster"]), slice=slice_, **given)
    return table.number(metric, _clustered(values, rows["cluster"], seed), n=len(values), slice=slice_, **given)


def gap(samples: DataFrame, metric: str, where: Mapping[str, str], *, by: str, seed: int) -> Measure:
    """Return the gap of a yes/no outcome between the groups of a column, 0..1, beside what chance alone gives.

    Pictures of one cluster are counted as what independent ones would tell.
    """
    rows = selected(samples, where, metric)
    apart = gap_of_cases(
        rows[f"{OUTCOME}{metric}"].to_numpy(dtype=np.float64),
        rows[by].astype(str).to_numpy(),
        rng=seed,
        cluster=rows["cluster"].to_numpy(),
    )
    return table.of_gap(metric, apart, slice_by=by, label_set=where.get("label_set", ""))


def difference(
    metric: str, first: DataFrame, second: DataFrame, *, outcome: str, where: Mapping[str, str], seed: int
) -> Measure:
    """Return the mean difference of an outcome between two sets of rows that show the same pictures, -1..1.

    Args:
        metric: name of the difference.
        first: rows with a column `pair`, or else `sample_id`, that says which belong together.
        second: what is taken away.
        outcome: what is compared; rows whose partner is missing are left out.
        where: of the measure; names what the rows are.
        seed: of the resampling.
    """
    key = "pair" if "pair" in first else "sample_id"
    column = f"{OUTCOME}{outcome}"
    joined = first[[key, "cluster", column]].merge(second[[key, column]], on=key, suffixes=("_first", "_second"))
    found = compare(
        joined[f"{column}_second"].to_numpy(dtype=np.float64),
        joined[f"{column}_first"].to_numpy(dtype=np.float64),
        cluster=joined["cluster"].to_numpy(),
    )
    slice_, label_set = _parted(where)
    return table.number(
        metric,
        found.difference,
        n=found.n,
        slice=slice_,
        label_set=label_set,
        unit="difference",
        contrast="paired",
        p_value=found.p_value,
        family=metric,
    )


def _clustered(values: NDArray[np.float64], cluster: Series, seed: int) -> Interval:
    """Return the mean of n numbers; the interval resamples clusters, each with all its rows."""
    if not len(values):
        return bootstrap(values, rng=seed)
    sums = cluster.to_frame("cluster").assign(total=values, n=1).groupby("cluster", sort=True)[["total", "n"]].sum()
    found = bootstrap(
        sums.to_numpy(dtype=np.float64),
        lambda rows: float(rows[:, 0].sum() / rows[:, 1].sum()),
        rng=seed,
        resamples=RESAMPLES,
    )
    return replace(found, method=found.method.replace("bootstrap", "cluster bootstrap"))


def spoken(clause: str, measure: Measure, *, few: int, zero: float = 0.0) -> Finding:
    """Return what may be said of a measure: found, no evidence, or not measured.

    Args:
        clause: what is claimed, such as "accuracy falls by {}"; `{}` takes the number.
        measure: behind it; where it has an adjusted p-value, that has to be below 1 - level, too.
        few: cases below which nothing is said.
        zero: the value that the interval must lie above.
    """
    facts: dict[str, Any] = {"metric": measure.metric, "slice": measure.slice, "n": measure.n, "p_adj": measure.p_adj}
    value, low, high, level = measure.value, measure.ci_low, measure.ci_high, measure.level or 0.95
    if value is None or low is None or high is None or (measure.n or 0) < few:
        return Finding(f"Not measured whether {clause.replace('{}', 'any')}: n = {measure.n}.", "not measured", **facts)
    unit = "%" if measure.unit == "share" else "points"
    number = (
        f"{100 * value:.1f} {unit} ({100 * level:g} % interval {100 * low:.1f} to {100 * high:.1f}, n = {measure.n})"
    )
    said = clause.replace("{}", number)  # names of groups in it may hold braces of their own
    sure = measure.p_adj is None or measure.p_adj < 1 - level
    facts["effect"] = value - zero
    if low > zero and sure:
        return Finding(f"Found: {said}.", "found", **facts)
    if high < zero and sure:
        return Finding(f"Found the other way round: {said}.", "found", **facts)
    corrected = "" if sure or low <= zero <= high else f" after correction for {measure.n_tests} tests"
    return Finding(f"No evidence{corrected} that {said}.", "no evidence", **facts)


def with_published(measures: Sequence[Measure], published: Sequence[Published]) -> list[Measure]:
    """Return the measures with the first published number of the same metric, label set and slice beside each."""
    rows = {}
    for entry in reversed(published):
        slice_, label_set = _parted(entry.slice)
        rows[entry.metric, label_set, tuple(sorted(slice_.items()))] = entry
    answer = []
    for measure in measures:
        key = (measure.metric, measure.label_set, tuple(sorted(measure.slice.items())))
        known = rows.get(key) if measure.contrast != "between_groups" else None
        said = f"{known.model}; {known.source}" if known else ""
        answer.append(replace(measure, published_value=known.value, published_source=said) if known else measure)
    return answer


def _parted(where: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Return the slice proper, and the label set."""
    return {name: value for name, value in where.items() if name != "label_set"}, where.get("label_set", "")
