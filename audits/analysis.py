"""The result of an audit: measures, the sentences that they support, and charts as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    from pandas import DataFrame


Strength = Literal["found", "not judged", "equivalent", "no evidence", "not measured", "note"]
FigureKind = Literal["intervals", "curve", "points", "matrix", "reliability", "bars"]


@dataclass(frozen=True)
class Finding:
    """One sentence that the numbers support, and how strongly."""

    text: str
    strength: Strength
    metric: str = ""  # of the measures behind it
    slice: Mapping[str, str] | None = None
    effect: float | None = None  # signed, in the metric's unit
    p_adj: float | None = None
    n: int | None = None
    by: str = ""  # attributes of the groups that are compared, joined by commas; empty where it is about no groups
    label_set: str = ""
    least_p: bool = False  # p_adj is the smallest that the resamples can give


@dataclass(frozen=True)
class Figure:
    """A chart as data; the report draws it.

    Columns of `data` by kind, those in brackets where they are known (`null`: the 95th percentile of chance):

    - intervals: name, value, low, high, [null], [series]; a dot with its interval a row
    - curve: x, value, [low, high], [null], [series]
    - points: series, x, value, [low, high]; one point each, with its name beside it
    - matrix: row, column, value
    - reliability: confidence, accuracy, low, high, n
    - bars: name, value, [low, high], [series]
    """

    key: str  # a file name without ending
    title: str
    kind: FigureKind
    data: DataFrame
    x: str  # axis title with unit
    y: str
    alt: str  # text alternative


@dataclass(frozen=True)
class Analysis:
    """What the analyse stage returns."""

    measures: Sequence[Measure]
    findings: Sequence[Finding] = ()
    figures: Sequence[Figure] = ()
    sanity: Sequence[str] = ()  # warnings about the run itself, such as a zero gradient
    tables: Mapping[str, DataFrame] | None = None  # further tables for the report: title -> table
