"""Metrics by group for people who bring their own predictions: fairlearn's MetricFrame with intervals and tests.

Everything that MetricFrame has is MetricFrame's; `.ci()`, `.test()`, `.tidy()` and `.samples()` are added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame
from numpy.typing import NDArray

from audits import detectable, precision
from audits.contracts import OUTCOME
from audits.metrics import Rate
from workbench.errors import BadInput
from workbench.statistics import gaps, measures, multiplicity, omnibus
from workbench.statistics._checks import check_level, clusters_of
from workbench.statistics.clusters import effective
from workbench.statistics.intervals import Interval, jackknife, proportion
from workbench.statistics.measures import Measure
from workbench.statistics.row import GAPS, Contrast, sized

Cell = tuple[Any, ...]  # one level of each feature
Rows = NDArray[np.intp]
_CHOICES = {"ci": ("auto", "wilson", "clopper-pearson"), "correction": (*multiplicity.CORRECTIONS, "none")}


class AuditFrame(MetricFrame):  # type: ignore[misc]  # fairlearn has no types
    """Metrics of predictions, overall and by group, with intervals and tests.

    Metrics of `audits.metrics` know their counts and get exact intervals and tests; others get a jackknife and no test.

    Example:
        >>> import audits
        >>> from audits import metrics
        >>> frame = audits.AuditFrame(
        ...     metrics=metrics.accuracy,
        ...     y_true=[1, 1, 0, 0],
        ...     y_pred=[1, 0, 0, 0],
        ...     sensitive_features={"group": ["a", "a", "b", "b"]},
        ... )
        >>> float(frame.overall), float(frame.difference())
        (0.75, 0.5)
    """

    def __init__(
        self,
        *,
        sample_ids: Sequence[Any] | None = None,
        cluster: Sequence[Any] | None = None,
        ci: Literal["auto", "wilson", "clopper-pearson"] = "auto",
        level: float = 0.95,
        correction: multiplicity.Correction = "holm",
        min_n: int = 100,
        **arguments: Any,
    ) -> None:
        """Take predictions and groups.

        Args:
            sample_ids: n names of the cases, for `samples()`.
            cluster: n names of what is one independent unit, such as the person in an image.
            ci: interval of shares; "auto" is the project's policy (`workbench.statistics.intervals`), "wilson" and
                "clopper-pearson" are for comparison.
            level: of confidence.
            correction: of p-values and intervals within a family: "holm", "bh" or "none".
            min_n: groups of fewer cases are flagged small_n.
            **arguments: MetricFrame's: metrics, y_true, y_pred, sensitive_features, control_features, sample_params,
                n_boot, ci_quantiles, random_state.

        Raises:
            ValueError: as MetricFrame.
            BadInput: no cases, a truth, prediction, group or id missing, an option that does not exist.
        """
        if not len(arguments.get("y_true", "?")):
            raise BadInput("A frame needs cases, each with a truth and a prediction; got none.")
        super().__init__(**arguments)
        check_level(level)
        for name, choice in (("ci", ci), ("correction", correction)):
            if choice not in _CHOICES[name]:
                raise BadInput(f"{name} is one of {', '.join(_CHOICES[name])}; got {choice!r}.")
        self._method, self._level, self._correction, self._min_n = ci, level, correction, min_n
        self._cases = _cases(arguments, sample_ids, cluster)

    def ci(self, which: str = "by_group") -> pd.DataFrame:
        """Return values with intervals: columns (metric, value | low | high | n | method); one metric: no first level.

        Args:
            which: "overall", "by_group" or "difference" (largest minus smallest group).

        Raises:
            BadInput: something else.
        """
        if which not in ("overall", "by_group", "difference"):
            raise BadInput(f"Intervals are there for 'overall', 'by_group' and 'difference'; got {which!r}.")
        names = self._names if which == "by_group" else self._names[: self._width]
        cells = self._cases.groups if which == "by_group" else self._cases.overall
        frames = {}
        for metric in self._cases.metrics:
            if which == "difference":
                whole = [gap for gap in self._gaps if gap.metric == metric and gap.contrast == GAPS[0]]
                rows = [(gap.interval, gap.n) for gap in whole]
            else:
                rows = [self._interval(metric, members)[:2] for members in cells.values()]
            lines = [(i.value, i.low, i.high, n, i.method) for i, n in rows]
            frames[metric] = pd.DataFrame(lines, columns=["value", "low", "high", "n", "method"])
        table = pd.concat(frames, axis=1)
        if len(names) > 1:
            table.index = pd.MultiIndex.from_tuples(list(cells), names=names)
        else:
            table.index = pd.Index([cell[0] if cell else which for cell in cells], name=names[0] if names else None)
        numbers = {column: float for column in table.columns if column[1] in ("value", "low", "high")}
        table = table.astype(numbers)
        return table.droplevel(0, axis=1) if self._cases.single else table

    def test(self, which: str = "difference") -> pd.DataFrame:
        """Return tests of group differences, a row a test, corrected within (metric, kind of test).

        Kinds: "omnibus" (are all groups alike), "gap" (largest minus smallest group), "pair" (two groups), and "gap,
        groups of at least 30" where some are smaller. Intervals of gaps and pairs are simultaneous within their family.
        Columns: metric, the control features, test, group, reference, value, low, high, null_q95, p_value, p_adj,
        least_p (no resample is as extreme: p_value and p_adj are upper bounds), n_tests, method.

        Raises:
            BadInput: something else than "difference".
        """
        if which != "difference":
            raise BadInput(f"Tests are there for 'difference'; got {which!r}.")
        rows = [row for gap in self._gaps for row in self._tests(gap)]
        family = [(row["metric"], row["test"]) for row in rows]
        adjusted = multiplicity.adjust([row["p_value"] for row in rows], family=family, correction=self._correction)
        for row, test in zip(rows, adjusted, strict=True):
            bounds = multiplicity.simultaneous(row.pop("interval"), test)
            row |= {"value": bounds.value, "low": bounds.low, "high": bounds.high}
            row |= {"p_adj": test.p_adj, "least_p": test.bound, "n_tests": test.tests}
        numbers = ["value", "low", "high", "null_q95", "p_value", "p_adj"]
        columns = [
            "metric",
            *self._names[: self._width],
            "test",
            "group",
            "reference",
            *numbers,
            "least_p",
            "n_tests",
            "method",
        ]
        return pd.DataFrame(rows).reindex(columns=columns).astype(dict.fromkeys(numbers, "float64"))

    def tidy(self) -> pd.DataFrame:
        """Return everything as the long table of audits (`workbench.statistics.measures.table`)."""
        rows: list[Measure] = []
        for metric in self._cases.metrics:
            for cells in (self._cases.overall, self._cases.groups):
                rows += [self._row(metric, cell, members) for cell, members in cells.items()]
            rows += [self._gap_row(gap) for gap in self._gaps if gap.metric == metric]
        names = set(self._names)
        return measures.table(
            precision.marked(detectable.beside(measures.adjust(rows, self._correction), names), names)
        )

    def samples(self) -> pd.DataFrame:
        """Return a row a case: sample_id, features, y_true, y_pred, and a column `outcome:METRIC` for each share.

        Outcomes are 1, 0, or NaN where the case does not count; they are what two runs are compared by.
        """
        cases = self._cases
        table = pd.DataFrame({"sample_id": cases.sample_ids, **dict.fromkeys(self._names)}, dtype=object)
        for cell, members in cases.groups.items():
            for at, part in enumerate(cell, start=1):
                table.iloc[members, at] = part
        table["y_true"], table["y_pred"] = cases.true, cases.predicted
        for name, metric in cases.metrics.items():
            if isinstance(metric, Rate):
                table[OUTCOME + name] = metric.outcomes(cases.true, cases.predicted)
        return table

    @property
    def _width(self) -> int:
        return len(self.control_levels or [])

    @property
    def _names(self) -> list[str]:
        """Names of all features, control features in front."""
        return [*(self.control_levels or []), *self.sensitive_levels]

    def _interval(self, metric: str, rows: Rows) -> tuple[Interval, int, int | None, int | None]:
        """Return a metric of some cases, their number, and of a `Rate` the hits and the number of independent cases."""
        cases = self._cases
        outcomes, counted = cases.outcomes(metric, rows)
        cluster = None if cases.cluster is None else cases.cluster[counted]
        if outcomes is None:
            interval = jackknife(
                cases.kinds(metric, rows),
                lambda part: cases.value(metric, rows[part]),
                rng=cases.seed,
                cluster=cluster,
                level=self._level,
            )
            return interval, len(rows), None, None
        share = proportion(*effective(outcomes, cluster), level=self._level, method=self._method)
        hits, n, independent = int(outcomes.sum()), len(outcomes), share.n
        if cluster is None or share.low is None or share.high is None:
            return share, n, hits, independent
        bounds = min(share.low, hits / n), max(share.high, hits / n)
        method = f"{share.method}, effective n = {independent}"
        return Interval(hits / n, *bounds, self._level, method), n, hits, independent

    @cached_property
    def _gaps(self) -> list[_Gap]:
        """The gap between the groups of each control level, in each metric; where some are small, a second one."""
        return [
            gap
            for metric in self._cases.metrics
            for control in self._cases.overall
            for gap in self._gap(metric, control)
        ]

    def _gap(self, metric: str, control: Cell) -> Iterator[_Gap]:
        cases = self._cases
        groups = {cell[self._width :]: rows for cell, rows in cases.groups.items() if cell[: self._width] == control}
        outcomes, counted = cases.outcomes(metric, cases.overall[control])
        alike = len({" / ".join(map(str, cell)) for cell in groups}) < len(groups)
        every = np.empty(len(cases.true), dtype=object)
        for cell, rows in groups.items():
            every[rows] = repr(cell) if alike else " / ".join(map(str, cell))
        names = every[counted]
        large = gaps.in_large_groups(names)
        for contrast, keep in zip(GAPS, (np.ones(len(names), dtype=bool), large), strict=True):
            if keep is None:
                continue
            if outcomes is None:
                yield self._plain_gap(metric, control, contrast, names[keep], counted[keep])
                continue
            cluster = None if cases.cluster is None else cases.cluster[counted][keep]
            gap = gaps.gap_of_cases(outcomes[keep], names[keep], rng=cases.seed, cluster=cluster, level=self._level)
            yield _Gap(metric, control, contrast, gap.interval, gap.n, gap.smallest, gap)

    def _plain_gap(self, metric: str, control: Cell, contrast: Contrast, names: NDArray[Any], rows: Rows) -> _Gap:
        """Return the gap of a metric that does not know its counts."""
        parts = [rows[names == name] for name in dict.fromkeys(names)]
        values = [self._cases.value(metric, part) for part in parts]
        value = float(np.nanmax(values) - np.nanmin(values)) if len(values) > 1 else None
        method = f"no interval and no test: {metric} does not know its counts" if value is not None else "undefined"
        interval = Interval(value, None, None, self._level, method)
        return _Gap(metric, control, contrast, interval, len(rows), min(map(len, parts), default=0), None)

    def _tests(self, gap: _Gap) -> Iterator[dict[str, Any]]:
        shared = {"metric": gap.metric, **dict(zip(self._names, gap.control, strict=False))}
        kind = "gap" if gap.contrast == GAPS[0] else "gap, groups of at least 30"
        if gap.share is None:
            yield shared | {"test": kind, "interval": gap.interval, "p_value": None, "method": gap.interval.method}
            return
        ends = {"group": gap.share.highest, "reference": gap.share.lowest, "null_q95": gap.share.null_q95}
        facts = {"interval": gap.interval, "p_value": gap.share.p_value, "method": gap.interval.method}
        yield shared | ends | facts | {"test": kind}
        if gap.contrast != GAPS[0]:
            return
        whole = omnibus.omnibus([gap.share.counts], rng=self._cases.seed)
        statistic = Interval(whole.statistic, None, None, self._level, whole.method)
        yield shared | {"test": "omnibus", "interval": statistic, "p_value": whole.p_value, "method": whole.method}
        for pair in gaps.pairwise(gap.share.counts, level=self._level, correction="none"):
            ends = {"group": pair.group, "reference": pair.reference}
            facts = {"interval": pair.difference, "p_value": pair.p_value, "method": pair.method}
            yield shared | ends | facts | {"test": "pair"}

    def _row(self, metric: str, cell: Cell, members: Rows) -> Measure:
        function = self._cases.metrics[metric]
        interval, n, hits, independent = self._interval(metric, members)
        row = measures.number(
            metric,
            interval,
            n=n,
            slice=dict(zip(self._names, cell, strict=False)),
            control=",".join(self.control_levels or []),
            unit="share" if isinstance(function, Rate) else "value",
            direction=function.direction if isinstance(function, Rate) else "none",
        )
        return replace(row, k_pos=hits, n_effective=independent, flags=self._flags(row, n))

    def _gap_row(self, gap: _Gap) -> Measure:
        where: dict[str, Any] = {
            "slice": dict(zip(self._names, gap.control, strict=False)),
            "slice_by": ",".join(self.sensitive_levels),
            "control": ",".join(self.control_levels or []),
        }
        if gap.share is not None:
            row = measures.of_gap(gap.metric, gap.share, contrast=gap.contrast, **where)
        else:
            row = measures.number(gap.metric, gap.interval, n=gap.n, contrast=gap.contrast, unit="difference", **where)
        return replace(row, flags=self._flags(row, gap.smallest))

    def _flags(self, row: Measure, n: int) -> tuple[str, ...]:
        return sized(n, row.value, set(row.flags) - {"small_n"}, small=self._min_n)


@dataclass(frozen=True)
class _Gap:
    """The gap between the groups of one control level in one metric."""

    metric: str
    control: Cell  # () without control features
    contrast: Contrast
    interval: Interval
    n: int
    smallest: int  # cases of the smallest group compared
    share: gaps.Gap | None  # of a `Rate`


@dataclass(frozen=True, eq=False)
class _Cases:
    """Arrays of one length, named metrics, and the rows of every cell; a cell that nobody belongs to holds no rows."""

    metrics: Mapping[str, Any]
    params: Mapping[str, Mapping[str, Any]]  # metric -> name -> (n,): arguments that are split with the cases
    single: bool  # one metric was given, not a dict of them
    true: NDArray[Any]  # (n,)
    predicted: NDArray[Any]  # (n,)
    overall: Mapping[Cell, Rows]  # control level -> rows; () holds everybody where nothing is controlled
    groups: Mapping[Cell, Rows]  # levels of control and sensitive features -> rows
    sample_ids: list[Any]
    cluster: NDArray[Any] | None
    seed: int

    def value(self, metric: str, rows: Rows) -> float:
        params = {name: np.asarray(column)[rows] for name, column in self.params.get(metric, {}).items()}
        return (
            float(self.metrics[metric](self.true[rows], self.predicted[rows], **params)) if rows.size else float("nan")
        )

    def kinds(self, metric: str, rows: Rows) -> Rows:
        """(m,) equal numbers for cases that are the same to the metric."""
        columns = [self.true, self.predicted, *self.params.get(metric, {}).values()]
        table = pd.DataFrame({at: list(np.asarray(column)[rows]) for at, column in enumerate(columns)}).map(repr)
        return np.asarray(table.groupby(list(table)).ngroup(), np.intp)

    def outcomes(self, metric: str, rows: Rows) -> tuple[NDArray[np.float64] | None, Rows]:
        """Return outcomes, 0 or 1, of the cases that count, and their rows; None and all rows where it is no `Rate`."""
        function = self.metrics[metric]
        if not isinstance(function, Rate):
            return None, rows
        outcomes = function.outcomes(self.true[rows], self.predicted[rows])
        return outcomes[~np.isnan(outcomes)], rows[~np.isnan(outcomes)]


def _cases(arguments: Mapping[str, Any], sample_ids: Sequence[Any] | None, cluster: Sequence[Any] | None) -> _Cases:
    true, predicted = (np.asarray(arguments[name]) for name in ("y_true", "y_pred"))
    true, predicted = (one.reshape(len(one)) if one.size == len(one) else one for one in (true, predicted))
    n = len(true)
    cells = MetricFrame(
        metrics={"rows": lambda first, _: first},
        y_true=np.arange(n),
        y_pred=np.arange(n),
        sensitive_features=arguments["sensitive_features"],
        control_features=arguments.get("control_features"),
    )
    overall, groups = (_rows(table["rows"]) for table in (cells.overall, cells.by_group))
    for kind, column in (("truth", true), ("prediction", predicted)):
        if number := int(pd.isna(column).sum()):
            raise BadInput(
                f"Every case needs a {kind}; {number} of {n} are missing. Leave those cases out, and say so."
            )
    ids = list(range(n)) if sample_ids is None else list(sample_ids)
    if len(ids) != n or len(set(ids)) != n:
        raise BadInput(f"Each of the {n} cases needs a sample id of its own; got {len(set(ids))}.")
    clusters_of(cluster, n)
    numbers = None if cluster is None else pd.factorize(pd.Series(list(cluster)))[0]
    metrics, params, seed = arguments["metrics"], arguments.get("sample_params") or {}, arguments.get("random_state")
    single = not isinstance(metrics, dict)
    if single:
        name = str(getattr(metrics, "__name__", "metric"))
        metrics, params = {name: metrics}, {name: params}
    seed = seed if isinstance(seed, int) else 0
    return _Cases(metrics, params, single, true, predicted, overall, groups, ids, numbers, seed)


def _rows(cells: Any) -> dict[Cell, Rows]:
    if not isinstance(cells, pd.Series):
        return {(): cells}
    none = np.empty(0, dtype=np.intp)
    return {
        key if isinstance(key, tuple) else (key,): rows if isinstance(rows, np.ndarray) else none
        for key, rows in cells.items()
    }
