"""From rows to measures by group: shares with intervals, gaps beside chance, what was changed, and sentences on them.

Knows no label and no model: a metric is a column of 0..1 in the samples.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from audits.analysis import Analysis, Figure, Finding
from audits.bias import rates
from audits.bias.rates import SEPARATOR
from audits.bias.sentences import gap_findings, published
from audits.contracts import OUTCOME
from workbench.statistics.measures import Measure, adjust

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.protocol import Protocol as Rules


class Slices(Protocol):
    """The settings that say which groups are compared."""

    @property
    def slice_by(self) -> tuple[str, ...]:
        """Attributes whose groups are compared."""

    @property
    def crossed(self) -> tuple[tuple[str, ...], ...]:
        """Attributes whose intersections are compared."""


def needed(slice_by: Sequence[str], crossed: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return every attribute that is sliced by, once."""
    return tuple(dict.fromkeys((*slice_by, *itertools.chain.from_iterable(crossed))))


@dataclass
class Study:
    """Collects what one audit measures, by slice; a row whose value of an attribute is "" is in no group of it."""

    samples: DataFrame
    rules: Rules
    settings: Slices
    rng: np.random.Generator
    measures: list[Measure] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    tables: dict[str, DataFrame] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def shares(self, metric: str, label_set: str) -> None:
        """Measure a 0/1 metric: for everybody, by group with the gap between groups, and by intersection."""
        rows = self._rows(metric, label_set)
        for slice, part in self._slices(rows):
            self.measures.append(rates.share(metric, part, label_set=label_set, slice=slice))
        for by in self._compared():
            self.measures.append(rates.gap(metric, _keyed(rows, by), by=by, label_set=label_set, rng=self.rng))

    def means(self, metric: str, label_set: str) -> None:
        """Measure a metric that is any number in each row: for everybody and by group."""
        rows = self._rows(metric, label_set)
        for slice, part in self._slices(rows, crossed=False):
            self.measures.append(rates.mean(metric, part, label_set=label_set, slice=slice, rng=self.rng))

    def changes(self, metric: str, before: str, after: str, *, by_group: bool = True) -> None:
        """Measure what another label set changes for the same pictures: for everybody, and by group if asked."""
        first, second = (self._rows(metric, name).set_index("sample_id") for name in (before, after))
        both = first.join(second["value"].rename("after"), how="inner").reset_index()
        for slice, part in self._slices(both, crossed=False):
            if slice and not by_group:
                continue
            self.measures.append(rates.changed(metric, part, sets=(before, after), slice=slice))

    def confusion(self, label_set: str, values: Sequence[str]) -> None:
        """Draw who is taken for whom: shares of each true value's row."""
        import pandas as pd

        rows = self.samples[self.samples["label_set"] == label_set]
        rows = rows[rows["y_true"].isin(values)]
        if rows.empty:
            return
        table = pd.crosstab(rows["y_true"], rows["y_pred"]).reindex(
            index=list(values), columns=list(values), fill_value=0
        )
        table = table[table.sum(axis=1) > 0]
        self.tables[f"Who is taken for whom: {label_set} (counts)"] = table.rename_axis(columns=None).reset_index()
        long = (
            table.div(table.sum(axis=1), axis=0).rename_axis("row").reset_index().melt("row", None, "column", "value")
        )
        alt = f"Matrix of true against told values of {label_set}; each row adds up to 1."
        key = f"confusion-{label_set.replace(', ', '-').replace(' ', '-')}"
        self.figures.append(Figure(key, f"Told as, {label_set}", "matrix", long, x="told as", y="true", alt=alt))

    def analysis(self, sentence: Callable[[str], str], figures: Sequence[str] = ()) -> Analysis:
        """Correct for the number of tests, put the published numbers beside, and say what was found."""
        measures = published(adjust(self.measures), self.rules)
        drawn = [chart for metric in figures for chart in self._charts(metric, measures)]
        return Analysis(
            measures=measures,
            findings=[*self.findings, *gap_findings(measures, sentence)],
            figures=[*drawn, *self.figures],
            tables=self.tables,
        )

    def _rows(self, metric: str, label_set: str) -> DataFrame:
        rows = self.samples[self.samples["label_set"] == label_set]
        column = OUTCOME + metric if OUTCOME + metric in rows.columns else metric
        return rows.assign(value=rows[column]).dropna(subset=["value"])

    def _compared(self) -> tuple[tuple[str, ...], ...]:
        return (*((name,) for name in self.settings.slice_by), *self.settings.crossed)

    def _slices(self, rows: DataFrame, *, crossed: bool = True) -> Iterator[tuple[dict[str, str], DataFrame]]:
        yield {}, rows
        for by in self._compared():
            if len(by) == 1 or crossed:
                for key, part in _keyed(rows, by).groupby(list(by), sort=True):
                    yield dict(zip(by, map(str, key), strict=True)), part

    def _charts(self, metric: str, measures: Sequence[Measure]) -> Iterator[Figure]:
        """One chart an attribute: a dot with its interval for each group, label sets side by side."""
        import pandas as pd

        for by in self._compared():
            kept = [m for m in measures if m.metric == metric and m.contrast == "none" and tuple(m.slice) == by and m.n]
            data = pd.DataFrame(
                [(SEPARATOR.join(m.slice.values()), m.value, m.ci_low, m.ci_high, m.label_set) for m in kept],
                columns=["name", "value", "low", "high", "series"],
            )
            if not data.empty:
                told = " and ".join(name.replace("_", " ") for name in by)
                key = f"{metric}-by-{'-'.join(by)}".replace("_", "-")
                alt = f"{metric} for each {told}, as dots with 95 % intervals, one series a label set."
                yield Figure(key, f"{metric} by {told}", "intervals", data, x=f"{metric} (share)", y=told, alt=alt)


def _keyed(rows: DataFrame, by: Sequence[str]) -> DataFrame:
    """Add the group of each row; rows without a value of some attribute are left out."""
    known = rows[(rows[list(by)] != "").all(axis=1)]
    names = [SEPARATOR.join(values) for values in zip(*(known[name] for name in by), strict=True)]
    return known.assign(group=names)
