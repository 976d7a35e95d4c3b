"""Metrics by group for people who bring their own predictions: fairlearn's MetricFrame with intervals and tests on top.

Names and shapes are MetricFrame's; `.ci()`, `.test()`, `.tidy()`, `.samples()` are ours. Knows no model and no picture.
"""

from __future__ import annotations

import functools
from typing import Any, Literal, Unpack

import numpy as np
import pandas as pd

from audits import _frame_measures
from audits._frame_inputs import Asked, Inputs, cases
from audits.contracts import OUTCOME
from audits.metrics import Rate
from workbench.errors import BadInput, Unsupported
from workbench.statistics import measures

Between = Literal["between_groups", "to_overall"]


class AuditFrame:
    """Metrics of predictions, overall and by group.

    With one metric, results are a number or a Series; with a dict of metrics, a Series or a DataFrame; with control
    features, one row a control level. Combinations that nobody belongs to are NaN rows, as are shares of no cases.
    """

    def __init__(self, **asked: Unpack[Asked]) -> None:
        """Take predictions and groups.

        Args:
            **asked: by name:
                metrics: a function (y_true, y_pred) -> number, or a dict of them; those of `audits.metrics` know their
                    counts and get exact intervals, others get a bootstrap.
                y_true, y_pred: (n,) each.
                sensitive_features: (n,) or (n, features): Series, DataFrame, dict of columns, array or list.
                control_features: the same; groups are compared within each control level.
                sample_ids: n names of the cases, for `samples()`.
                cluster: n names of what is one independent unit, such as the person in a picture.
                ci: interval of shares: "auto", "wilson" or "clopper-pearson".
                level: of confidence, 0.95.
                correction: "holm", "bh" or "none".
                min_n: groups of fewer cases are flagged small_n, 100.
                random_state: seed of what is drawn, 0.

        Raises:
            BadInput: no cases, columns of different lengths, something missing, an unknown option.
        """
        self._cases = cases(Inputs(**asked))

    @functools.cached_property
    def _tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Values by control level, and by control and sensitive level; a column a metric."""
        cells = self._cases.cells
        overall, groups = (
            pd.DataFrame(
                {name: [self._cases.value(name, rows) for rows in part.values()] for name in self._cases.metrics},
                index=cells.index(list(part), names) if names else [0],
            )
            for part, names in ((cells.control_rows(), cells.control_names), (cells.group_rows(), cells.names))
        )
        return overall, groups

    @property
    def overall(self) -> Any:
        """Each metric over everybody, or over everybody of a control level."""
        return self._shaped(self._tables[0])

    @property
    def by_group(self) -> Any:
        """Each metric in each combination of control and sensitive levels."""
        table = self._tables[1].copy()
        return table.iloc[:, 0] if self._cases.single else table

    @property
    def control_levels(self) -> list[str] | None:
        """Names of the control features."""
        return self._cases.cells.control_names or None

    @property
    def sensitive_levels(self) -> list[str]:
        """Names of the sensitive features."""
        return self._cases.cells.names[len(self._cases.cells.control_names) :]

    def group_min(self) -> Any:
        """Return the smallest value of any group."""
        return self._shaped(self._within(self._tables[1], "min"))

    def group_max(self) -> Any:
        """Return the largest value of any group."""
        return self._shaped(self._within(self._tables[1], "max"))

    def difference(self, method: Between = "between_groups") -> Any:
        """Return the largest distance between two groups, or of a group to everybody.

        Raises:
            BadInput: no such method.
        """
        overall, groups = self._tables
        if _known(method) == "between_groups":
            return self._shaped(self._within(groups, "max") - self._within(groups, "min"))
        return self._shaped(self._within((groups - self._spread(overall)).abs(), "max"))

    def ratio(self, method: Between = "between_groups") -> Any:
        """Return the smallest ratio of two groups, or of a group and everybody (the smaller one above): 0..1.

        Raises:
            BadInput: no such method.
        """
        overall, groups = self._tables
        if _known(method) == "between_groups":
            return self._shaped(self._within(groups, "min") / self._within(groups, "max"))
        ratios = groups / self._spread(overall)
        return self._shaped(self._within(ratios.where(~(ratios > 1), 1 / ratios), "min"))

    def ci(self, which: str = "by_group") -> pd.DataFrame:
        """Return values with intervals: columns (metric, value | low | high | n | method); one metric: no first level.

        Args:
            which: "overall", "by_group" or "difference".

        Raises:
            BadInput: something else.
        """
        found = _frame_measures.intervals(self._cases, which)
        return found.droplevel(0, axis=1) if self._cases.single else found

    def test(self, which: str = "difference") -> pd.DataFrame:
        """Return tests of group differences, a row a test, corrected within (metric, kind of test).

        Kinds: "omnibus" (are all groups alike), "gap" (would chance give a distance as large), "pair" (two groups).
        Columns: metric, the control features, test, group, reference, value, low, high, null_q95, p_value, p_adj,
        n_tests, method.

        Raises:
            BadInput: something else than "difference".
        """
        return _frame_measures.tests(self._cases, which)

    def tidy(self) -> pd.DataFrame:
        """Return everything as the one long table of audits (`workbench.statistics.measures.table`)."""
        return measures.table(_frame_measures.rows(self._cases))

    def samples(self) -> pd.DataFrame:
        """Return a row a case: sample_id, features, y_true, y_pred, and a column `outcome:METRIC` for each share.

        Outcomes are 1, 0, or NaN where the case does not count; they are what two runs are compared by.
        """
        given, cells = self._cases, self._cases.cells
        ids = range(len(given.true)) if given.asked.sample_ids is None else given.asked.sample_ids
        table = pd.concat([cells.sensitive] if cells.control is None else [cells.control, cells.sensitive], axis=1)
        table.insert(0, "sample_id", list(ids))
        table["y_true"], table["y_pred"] = given.true, given.said
        for name, metric in given.metrics.items():
            if isinstance(metric, Rate):
                table[OUTCOME + name] = metric.outcomes(given.true, given.said)
        return table

    def to_metric_frame(self) -> Any:
        """Return the same as a fairlearn MetricFrame.

        Raises:
            Unsupported: fairlearn is not installed.
        """
        try:
            from fairlearn.metrics import MetricFrame
        except ImportError:
            raise Unsupported("A MetricFrame needs fairlearn, which is not installed: pip install fairlearn") from None
        given = self._cases
        return MetricFrame(
            metrics=next(iter(given.metrics.values())) if given.single else dict(given.metrics),
            y_true=given.true,
            y_pred=given.said,
            sensitive_features=given.cells.sensitive,
            control_features=given.cells.control,
        )

    def _within(self, groups: pd.DataFrame, how: Literal["min", "max"]) -> pd.DataFrame:
        names = self._cases.cells.control_names
        if not names:
            return groups.agg(how).to_frame().T
        found = groups.groupby(level=names, sort=False).agg(how)
        return found.reindex(self._tables[0].index)

    def _spread(self, overall: pd.DataFrame) -> pd.DataFrame:
        """Return each control level's overall values, once for every group in it."""
        groups, width = self._tables[1], len(self._cases.cells.control_names)
        repeated = np.repeat(overall.to_numpy(), len(groups) // len(overall), axis=0) if width else overall.to_numpy()
        return pd.DataFrame(np.broadcast_to(repeated, groups.shape), index=groups.index, columns=groups.columns)

    def _shaped(self, table: pd.DataFrame) -> Any:
        """Return a table as MetricFrame does: without control features one row, with a single metric one column."""
        single, controlled = self._cases.single, bool(self._cases.cells.control_names)
        if controlled:
            return table.iloc[:, 0].copy() if single else table.copy()
        return table.iloc[0, 0] if single else table.iloc[0].rename(None)


def _known(method: str) -> str:
    if method not in ("between_groups", "to_overall"):
        raise BadInput(f"A comparison is 'between_groups' or 'to_overall'; got {method!r}.")
    return method
