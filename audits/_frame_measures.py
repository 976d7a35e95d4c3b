"""Intervals, tests and the long table of a frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audits import detectable
from audits._frame_cells import Cell
from audits._frame_inputs import Cases
from audits.metrics import Rate
from workbench.errors import BadInput
from workbench.statistics import gaps, measures, multiplicity
from workbench.statistics._checks import clusters_of
from workbench.statistics.intervals import RESAMPLES, Interval
from workbench.statistics.measures import Measure
from workbench.statistics.row import sized

_SHOWN = ("value", "low", "high", "n", "method")


@dataclass(frozen=True)
class _Level:
    """One control level: its groups, and the gap between them in one metric."""

    control: Cell  # () without control features
    metric: str
    groups: dict[Cell, NDArray[np.intp]]
    gap: gaps.Gap | None  # of a `Rate`
    interval: Interval
    n: int


def intervals(cases: Cases, which: str) -> pd.DataFrame:
    """Return values with intervals; columns (metric, value | low | high | n | method).

    Raises:
        BadInput: not "overall", "by_group" or "difference".
    """
    cells = cases.cells
    control = cells.index(list(cells.control_rows()), cells.control_names) if cells.control_names else pd.Index([which])
    if which == "overall":
        index, blocks = control, {m: _block(cases, m, cells.control_rows()) for m in cases.metrics}
    elif which == "by_group":
        index = cells.index(list(cells.group_rows()), cells.names)
        blocks = {m: _block(cases, m, cells.group_rows()) for m in cases.metrics}
    elif which == "difference":
        index = control
        blocks = {m: [_shown(level.interval, level.n) for level in _levels(cases, m)] for m in cases.metrics}
    else:
        raise BadInput(f"Intervals are there for 'overall', 'by_group' and 'difference'; got {which!r}.")
    frames = {name: pd.DataFrame(rows, columns=list(_SHOWN), index=index) for name, rows in blocks.items()}
    return pd.concat(frames, axis=1)


def tests(cases: Cases, which: str) -> pd.DataFrame:
    """Return omnibus, gap and pair tests, a row a test, corrected within metric and kind.

    Raises:
        BadInput: not "difference".
    """
    if which != "difference":
        raise BadInput(f"Tests are there for 'difference'; got {which!r}.")
    found = [row for metric in cases.metrics for level in _levels(cases, metric) for row in _tested(cases, level)]
    table = pd.DataFrame(found)
    family = list(zip(table["metric"], table["test"], strict=True))
    p_values = [None if p is None or p != p else float(p) for p in table["p_value"]]
    adjusted = multiplicity.adjust(p_values, family=family, correction=cases.asked.correction)
    table["p_adj"] = [one.p_adj for one in adjusted]
    table["n_tests"] = [one.tests for one in adjusted]
    columns = ["metric", *cases.cells.control_names, "test", "group", "reference", "value", "low", "high", "null_q95"]
    numbers = ["value", "low", "high", "null_q95", "p_value", "p_adj"]
    return table[[*columns, "p_value", "p_adj", "n_tests", "method"]].astype(dict.fromkeys(numbers, "float64"))


def rows(cases: Cases) -> list[Measure]:
    """Return overall values, values by group and gaps as measures, p-values corrected."""
    found: list[Measure] = []
    for metric, function in cases.metrics.items():
        facts: dict[str, Any] = {"direction": function.direction if isinstance(function, Rate) else "none"}
        facts["unit"] = "share" if isinstance(function, Rate) else "value"
        for names, part in (
            (cases.cells.control_names, cases.cells.control_rows()),
            (cases.cells.names, cases.cells.group_rows()),
        ):
            found += [
                _row(cases, metric, members, cut=dict(zip(names, c, strict=True)), facts=facts)
                for c, members in part.items()
            ]
        found += [_gap_row(cases, level) for level in _levels(cases, metric)]
    return detectable.beside(measures.adjust(found, cases.asked.correction), set(cases.cells.names))


def _row(
    cases: Cases, metric: str, members: NDArray[np.intp], *, cut: dict[str, Any], facts: dict[str, Any]
) -> Measure:
    counts = cases.counts(metric, members, shrunk=False)
    n = len(members) if counts is None else counts[1]
    control = ",".join(cases.cells.control_names)
    row = measures.number(metric, cases.interval(metric, members), n=n, slice=cut, control=control, **facts)
    flags = sized(n, row.value, set(row.flags) - {"small_n"}, small=cases.asked.min_n)
    if counts is None:
        return dataclasses.replace(row, flags=flags)
    fewer = cases.counts(metric, members, shrunk=True) or counts
    return dataclasses.replace(row, k_pos=counts[0], n_effective=fewer[1], flags=flags)


def _gap_row(cases: Cases, level: _Level) -> Measure:
    cut = dict(zip(cases.cells.control_names, level.control, strict=True))
    by, control = ",".join(map(str, cases.cells.sensitive.columns)), ",".join(cases.cells.control_names)
    if level.gap is None:
        row = measures.number(
            level.metric, level.interval, n=level.n, slice=cut, slice_by=by, control=control,
            contrast="between_groups", unit="difference",
        )  # fmt: skip
        smallest = min((len(members) for members in level.groups.values() if len(members)), default=0)
    else:
        row = measures.of_gap(level.metric, level.gap, slice=cut, slice_by=by, control=control)
        counts = _counts(cases, level.metric, level.groups, shrunk=False).values()  # clusters shrink only the evidence
        smallest = min((size for _, size in counts if size), default=0)
        seen, total = level.interval, sum(k for k, _ in counts)
        row = dataclasses.replace(row, value=seen.value, ci_low=seen.low, ci_high=seen.high, n=level.n, k_pos=total)
    return dataclasses.replace(
        row, flags=sized(smallest, row.value, set(row.flags) - {"small_n"}, small=cases.asked.min_n)
    )


def _levels(cases: Cases, metric: str) -> Iterator[_Level]:
    width = len(cases.cells.control_names)
    parts: dict[Cell, dict[Cell, NDArray[np.intp]]] = {}
    for cell, members in cases.cells.group_rows().items():
        parts.setdefault(cell[:width], {})[cell[width:]] = members
    generator = np.random.default_rng(cases.asked.random_state)
    for control, groups in parts.items():
        if isinstance(cases.metrics[metric], Rate):
            gap = gaps.gap(_counts(cases, metric, groups, shrunk=True), rng=generator, level=cases.asked.level)
            yield _Level(control, metric, groups, gap, *_plain(cases, metric, groups, gap))
        else:
            interval = _redrawn(cases, metric, groups, generator)
            yield _Level(control, metric, groups, None, interval, sum(map(len, groups.values())))


def _counts(
    cases: Cases, metric: str, groups: dict[Cell, NDArray[np.intp]], *, shrunk: bool
) -> dict[str, tuple[int, int]]:
    """Return counts by group; the names are the cell's levels, joined (or as Python writes them, if alike)."""
    alike = len({" / ".join(map(str, cell)) for cell in groups}) < len(groups)
    return {
        repr(cell) if alike else " / ".join(map(str, cell)): cases.counts(metric, members, shrunk=shrunk) or (0, 0)
        for cell, members in groups.items()
    }


def _plain(cases: Cases, metric: str, groups: dict[Cell, NDArray[np.intp]], gap: gaps.Gap) -> tuple[Interval, int]:
    """Return the gap's interval around the plain shares, which clusters do not change, and how many cases count."""
    plain = _counts(cases, metric, groups, shrunk=False)
    n = sum(size for _, size in plain.values())
    if cases.cluster is None or gap.value is None or gap.low is None or gap.high is None:
        return gap.interval, n
    shares = [k / size for k, size in plain.values() if size]
    value = max(shares) - min(shares)
    said = f"{gap.method}; effective n = {gap.n}"
    return Interval(value, min(gap.low, value), max(gap.high, value), gap.level, said), n


def _redrawn(cases: Cases, metric: str, groups: dict[Cell, NDArray[np.intp]], rng: np.random.Generator) -> Interval:
    """Return the gap of a metric that is no share, with a bootstrap within groups, not calibrated against chance."""
    level, full = cases.asked.level, [members for members in groups.values() if len(members)]
    if len(full) < 2:
        return Interval(None, None, None, level, "undefined: fewer than two groups with members")

    def distance(parts: list[NDArray[np.intp]]) -> float:
        values = [cases.value(metric, part) for part in parts]
        return float(np.nanmax(values) - np.nanmin(values)) if not np.isnan(values).all() else float("nan")

    value = distance(full)
    units = [clusters_of(None if cases.cluster is None else cases.cluster[part], len(part)) for part in full]
    drawn = [
        distance([part[_again(unit, rng)] for part, unit in zip(full, units, strict=True)])
        for _ in range(RESAMPLES // 4)
    ]
    low, high = (float(bound) for bound in np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2]))
    return Interval(
        value, min(low, value), max(high, value), level, "percentile bootstrap within groups, above 0 by chance"
    )


def _again(units: list[NDArray[np.intp]], rng: np.random.Generator) -> NDArray[np.intp]:
    return np.concatenate([units[at] for at in rng.integers(0, len(units), len(units))])


def _tested(cases: Cases, level: _Level) -> Iterator[dict[str, Any]]:
    shared = {"metric": level.metric, **dict(zip(cases.cells.control_names, level.control, strict=True))}
    nothing = dict.fromkeys(("group", "reference", "value", "low", "high", "null_q95", "p_value"))
    gap = level.gap
    if gap is None:
        bounds = {"value": level.interval.value, "low": level.interval.low, "high": level.interval.high}
        yield shared | nothing | bounds | {"test": "gap", "method": f"no test: {level.metric} does not know its counts"}
        return
    yield shared | nothing | {
        "test": "omnibus", "value": gap.omnibus.statistic, "p_value": gap.omnibus.p_value, "method": gap.omnibus.method,
    }  # fmt: skip
    yield shared | nothing | {
        "test": "gap", "group": gap.highest, "reference": gap.lowest, "value": level.interval.value,
        "low": gap.low, "high": gap.high, "null_q95": gap.null_q95, "p_value": gap.p_value, "method": "permutation",
    }  # fmt: skip
    counts = _counts(cases, level.metric, level.groups, shrunk=True)
    for pair in gaps.pairwise(counts, level=cases.asked.level):
        yield shared | nothing | {
            "test": "pair", "group": pair.group, "reference": pair.reference, "value": pair.difference.value,
            "low": pair.difference.low, "high": pair.difference.high, "p_value": pair.p_value, "method": pair.method,
        }  # fmt: skip


def _block(cases: Cases, metric: str, parts: dict[Cell, NDArray[np.intp]]) -> list[tuple[Any, ...]]:
    found = []
    for members in parts.values():
        counts = cases.counts(metric, members, shrunk=False)
        found.append(_shown(cases.interval(metric, members), len(members) if counts is None else counts[1]))
    return found


def _shown(interval: Interval, n: int) -> tuple[Any, ...]:
    bounds = (interval.value, interval.low, interval.high)
    return (*(float("nan") if bound is None else bound for bound in bounds), n, interval.method)
