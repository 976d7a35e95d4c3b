"""Measures by group of an audit that names people: shares, gaps beside chance, paired changes, charts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.contracts import OUTCOME
from audits.equal_odds import equalised_odds, rates_by_group
from audits.findings import gap_finding
from audits.grouping import SEPARATOR, By, gap_rows, keyed, sides, slices
from audits.seeds import generator
from audits.slicing import Sliced, divides_truth, follows
from workbench.statistics.measures import Measure, adjust
from workbench.statistics.row import GAPS, Direction


class Grouped(Sliced):
    """Settings of an audit that must name the attributes to compare."""

    slice_by: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field()


@dataclass
class Study:
    """Collects the measures of one audit; a metric is a column of the samples, an outcome or any number in each row."""

    samples: DataFrame
    compared: Sequence[By]  # attributes and intersections whose groups are compared
    rng: np.random.Generator
    measures: list[Measure] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    tables: dict[str, DataFrame] = field(default_factory=dict)

    def shares(self, metric: str, label_set: str, direction: Direction = "none", *, answer: str = "") -> None:
        """Measure a 0/1 metric for everybody, by group and intersection, with the gaps between groups.

        Values of an attribute that follows from the truth are answers, not groups: others are compared within each.
        Where the truth follows from the groups, as white from race, they are compared within each value of `answer`,
        the attribute that the model was to predict: between two truths a gap is one of answers.
        """
        every = self._values(metric, label_set)
        rows = every.dropna(subset=["value"])
        facts: dict[str, Any] = {"label_set": label_set, "direction": direction}
        for slice, part in [({}, every), *slices(every, self.compared)]:
            known = part.dropna(subset=["value"])
            self.measures.append(measuring.share(metric, known["value"], list(known["cluster"]), slice=slice, **facts))
        for by in self.compared:
            own = tuple(name for name in by if follows(rows, name))
            rest = tuple(name for name in by if name not in own)
            if not rest:
                self._answers(metric, label_set, by)
                continue
            within = own or ((answer,) if answer and divides_truth(rows, rest) else ())
            for slice, part in slices(rows, [within]) if within else [({}, rows)]:
                known = keyed(part, rest)
                fields = {**sides(known, rest), "slice": slice, "rng": self.rng, "label_set": label_set}
                self.measures += gap_rows(measuring.gap, metric, known["value"], **fields)

    def _answers(self, metric: str, label_set: str, by: By) -> None:
        """Add the table of how often each value of a predicted attribute is recognised."""
        rows = [
            (SEPARATOR.join(one.slice.values()), one.n, one.value, one.ci_low, one.ci_high)
            for one in self.measures
            if (one.metric, one.label_set, one.contrast, tuple(one.slice)) == (metric, label_set, "none", by)
        ]
        table = pd.DataFrame(rows, columns=["true value", "n", "recognised", "low", "high"])
        self.tables[f"Answers: {label_set}, by {' and '.join(by)}".replace("_", " ")] = table

    def means(self, metric: str, label_set: str) -> None:
        """Measure a metric that is a probability or a difference of two in each row: for everybody and by group."""
        rows = self._rows(metric, label_set)
        for slice, part in [({}, rows), *slices(rows, [by for by in self.compared if len(by) == 1])]:
            fields: dict[str, Any] = {"slice": slice, "label_set": label_set, "unit": "probability"}
            row = measuring.mean(metric, part["value"], list(part["cluster"]), rng=self.rng, **fields)
            self.measures.append(row)

    def changes(self, metric: str, before: str, after: str, *, by_group: bool = True) -> None:
        """Measure what another label set changes for the same images: for everybody, and by group if asked."""
        first, second = (self._rows(metric, name).set_index("sample_id") for name in (before, after))
        both = first.join(second["value"].rename("after"), how="inner").reset_index()
        compared = [by for by in self.compared if by_group and len(by) == 1]
        for slice, part in [({}, both), *slices(both, compared)]:
            fields: dict[str, Any] = {"cluster": list(part["cluster"]), "slice": slice, "label_set": after}
            fields |= {"reference": f"label set {before}", "family": f"{metric}|change of label set"}
            self.measures.append(measuring.change(metric, part["value"], part["after"], **fields))

    def confusion(self, label_set: str, values: Sequence[str]) -> None:
        """Add the confusion matrix of a label set: shares of each true value's row, and a table of counts."""
        rows = self.samples[self.samples["label_set"] == label_set]
        rows = rows[rows["y_true"].isin(values)]
        if rows.empty:
            return
        table = pd.crosstab(rows["y_true"], rows["y_pred"])
        table = table.reindex(index=list(values), columns=list(values), fill_value=0)
        table = table[table.sum(axis=1) > 0]
        self.tables[f"Confusion matrix: {label_set} (counts)"] = table.rename_axis(columns=None).reset_index()
        shares = table.div(table.sum(axis=1), axis=0).rename_axis("row").reset_index()
        long = shares.melt("row", None, "column", "value")
        alt = f"Confusion matrix of {label_set}: true value by row, predicted value by column; each row adds up to 1."
        key = f"confusion-{label_set.replace(', ', '-').replace(' ', '-')}"
        title = f"Confusion matrix, {label_set}"
        self.figures.append(Figure(key, title, "matrix", long, x="predicted", y="true", alt=alt))

    def odds(self, label_set: str, *, seed: int) -> None:
        """Measure equalised odds of a label set by every attribute that does not follow from the truth."""
        rows = self.samples[self.samples["label_set"] == label_set]
        rows = rows[rows["y_true"] != ""]
        for by in self.compared:
            rng, own = generator(seed, "equalised odds", label_set, *by), any(follows(rows, name) for name in by)
            if not own:
                self.measures += equalised_odds(rows, by, rng=rng, label_set=label_set)
                self.measures += rates_by_group(rows, by, label_set=label_set)

    def analysis(self, sentence: Callable[[str], str], figures: Sequence[str] = ()) -> Analysis:
        """Correct for the number of tests; return the measures with a sentence a gap and a chart a metric.

        `sentence` says what a metric is, to stand before "differs by"; the metrics in `figures` get charts.
        """
        measures = adjust(self.measures)
        charts = [chart for metric in figures for chart in self._charts(metric, measures)]
        sentences = [gap_finding(m, sentence(m.metric)) for m in measures if m.contrast in GAPS]
        return Analysis(measures, sentences, [*charts, *self.figures], tables=self.tables)

    def _values(self, metric: str, label_set: str) -> DataFrame:
        rows = self.samples[self.samples["label_set"] == label_set]
        column = OUTCOME + metric if OUTCOME + metric in rows.columns else metric
        return rows.assign(value=rows[column].astype(float))

    def _rows(self, metric: str, label_set: str) -> DataFrame:
        return self._values(metric, label_set).dropna(subset=["value"])

    def _charts(self, metric: str, measures: Sequence[Measure]) -> Iterator[Figure]:
        """Yield one chart an attribute: a dot with its interval for each group, one series a label set."""
        for by in self.compared:
            rows = [
                (SEPARATOR.join(m.slice.values()), m.value, m.ci_low, m.ci_high, m.label_set)
                for m in measures
                if m.metric == metric and m.contrast == "none" and tuple(m.slice) == by and m.n
            ]
            if rows:
                data = pd.DataFrame(rows, columns=["name", "value", "low", "high", "series"])
                attributes = " and ".join(name.replace("_", " ") for name in by)
                key = f"{metric}-by-{'-'.join(by)}".replace("_", "-")
                alt = (
                    f"{metric} by {attributes}: a dot with its 95 % interval for each group, one series per label set."
                )
                title = f"{metric} by {attributes}"
                yield Figure(key, title, "intervals", data, x=f"{metric} (share)", y=attributes, alt=alt)
