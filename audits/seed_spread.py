"""How much a number moves from seed to seed: runs that differ in their seed alone, and the spread as further rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.run_directory.reader import Run
from audits.run_directory.rows import known, rows
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, number, table
from workbench.statistics.row import GAPS

if TYPE_CHECKING:
    from pandas import DataFrame

PREFIX = "between_seeds."
_KEY = ("metric", "label_set", "template_set", "slice_by", "control", "contrast")
_GAP: dict[str, str] = {GAPS[0]: ".gap", GAPS[1]: ".gap_of_at_least_30"}


def spread_of(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """Return the standard deviation of a number over seeds, with the interval of a normal one; in the number's unit."""
    from scipy.stats import chi2

    x, free = np.asarray(values, float), len(values) - 1
    deviation = float(x.std(ddof=1))
    if x.min() == x.max():
        return Interval(0.0, None, None, level, f"degenerate: equal for all {len(x)} seeds")
    low, high = (
        deviation * float(np.sqrt(free / chi2.ppf(share, free))) for share in ((1 + level) / 2, (1 - level) / 2)
    )
    return Interval(deviation, low, high, level, f"standard deviation over {len(x)} seeds, chi-square")


def between_seeds(runs: Sequence[Run]) -> list[Measure]:
    """Return the spread of each number of everybody, and of each gap, that every run has."""
    values: dict[tuple[str, ...], list[float]] = {}
    units: dict[tuple[str, ...], str] = {}
    for run in runs:
        for row in rows(run.metrics):
            value = known(row.get("value"))
            if value is not None and str(row["slice"]) == "{}":
                key = tuple(str(row[name] or "") for name in _KEY)
                values.setdefault(key, []).append(value)
                units[key] = str(row["unit"])
    spreads: list[Measure] = []
    for key, numbers in values.items():
        if len(numbers) == len(runs):
            fields: dict[str, Any] = dict(zip(_KEY, key, strict=True))
            fields |= {"unit": "difference" if units[key] == "share" else units[key], "contrast": "none"}
            name = PREFIX + fields.pop("metric") + _GAP.get(key[-1], "")
            seeds = ", ".join(str(run.header.spec.seed) for run in runs)
            spreads.append(number(name, spread_of(numbers), **fields, reference=f"seeds {seeds}"))
    return spreads


def groups(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """Yield the runs that differ in their seed alone, two or more of them, by seed."""
    alike: dict[tuple[Any, ...], dict[int, Run]] = {}
    for run in runs:
        head = run.header
        if head.status == "success":
            key = (head.spec.audit, head.spec.audit_version, head.spec.device, head.spec.limit, str(head.hashes))
            alike.setdefault(key, {})[head.spec.seed] = run
    yield from ([by_seed[seed] for seed in sorted(by_seed)] for by_seed in alike.values() if len(by_seed) > 1)


def with_spread(runs: Sequence[Run]) -> list[Run]:
    """Return the runs; the first of each group has the spread between its seeds among its metrics."""
    import pandas as pd

    spreads = {group[0].folder: between_seeds(group) for group in groups(runs)}
    result = []
    for run in runs:
        if spreads.get(run.folder):
            more: DataFrame = table(spreads[run.folder])
            names = run.metrics.iloc[:1].reset_index(drop=True)
            front = [name for name in run.metrics.columns if name not in more.columns]
            more = pd.concat([names[front].loc[[0] * len(more)].reset_index(drop=True), more], axis=1)
            run = Run(run.folder, run.allow_unfinished)
            vars(run)["metrics"] = pd.concat([run.metrics, more], ignore_index=True)
        result.append(run)
    return result
