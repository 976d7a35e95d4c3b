"""Gaps that reverse (Simpson's paradox): two groups compared overall, and with a second attribute held fixed.

Works on the samples of any audit. Reports that a direction reverses and the evidence for both directions; not why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits.analysis import Analysis, Finding, Strength
from audits.contracts import OUTCOME
from audits.findings import ALPHA, detectable
from workbench.statistics._checks import Counts
from workbench.statistics.clusters import effective
from workbench.statistics.measures import Measure
from workbench.statistics.multiplicity import adjust
from workbench.statistics.p_values import written
from workbench.statistics.power import minimum_detectable_difference
from workbench.statistics.simpson import Reversal, compared, evidence, reversals

MOST = 50  # groups of a second attribute
TABLE = "Gaps that reverse when a second attribute is held fixed (Simpson's paradox)"


@dataclass(frozen=True)
class GroupGap:
    """A gap to check for reversals: yes/no values of images in groups, and its name."""

    measure: Measure  # flagged where the gap reverses
    name: str  # in sentences: "accuracy.gender"
    by: str  # the column of the groups
    rows: DataFrame  # columns `value` (0 or 1), `cluster`, `by` and the second attributes


@dataclass(frozen=True)
class Reversed:
    """A pair of groups whose order reverses, with the evidence for each direction."""

    gap: GroupGap
    held: str  # the second attribute
    pair: Reversal
    crude: float  # adjusted p of the overall difference
    within: float  # adjusted p of the difference with the second attribute held fixed

    @property
    def sure(self) -> bool:
        """Whether either direction is beyond chance: without that, both may be noise."""
        return min(self.crude, self.within) < ALPHA


def gaps_of(measures: Sequence[Measure], samples: DataFrame) -> Iterator[GroupGap]:
    """Yield the gaps between groups of one attribute that the samples hold image by image."""
    for measure in measures:
        outcome, by = f"{OUTCOME}{measure.metric}", measure.slice_by
        if measure.contrast != "between_groups" or outcome not in samples or by not in samples:
            continue
        keep = samples[outcome].notna() & (samples[by] != "") & (samples["label_set"] == measure.label_set)
        for name, value in measure.slice.items():
            keep &= samples[name] == value
        rows = samples[keep].assign(value=samples[outcome])
        if len(rows) and rows["sample_id"].is_unique and np.isin(rows["value"].astype(float), (0.0, 1.0)).all():
            yield GroupGap(measure, measure.metric, by, rows)


def added(analysis: Analysis, gaps: Sequence[GroupGap], attributes: Sequence[str], *, title: str = TABLE) -> Analysis:
    """Return the analysis with its reversals: findings, a table, and a flag on each gap that reverses.

    `attributes` are the second attributes that may be held fixed.
    """
    cases, pairs = _cases(gaps, attributes)
    if not pairs:
        return analysis
    sure = {id(case.gap.measure) for case in cases if case.sure}
    measures = [
        replace(one, flags=tuple(dict.fromkeys((*one.flags, "reversed")))) if id(one) in sure else one
        for one in analysis.measures
    ]
    tables = {**(analysis.tables or {}), **({title: _table(cases)} if cases else {})}
    alike: dict[tuple[int, str], list[Reversed]] = {}  # a sentence each
    for case in filter(lambda case: case.sure, cases):
        alike.setdefault((id(case.gap.measure), case.held), []).append(case)
    sentences = [_finding(same[0], len(same) - 1) for same in alike.values()]
    sentences = sentences or [_none_found(cases, pairs, gaps, attributes=attributes)]
    return replace(analysis, measures=measures, findings=[*analysis.findings, *sentences], tables=tables)


def _cases(gaps: Sequence[GroupGap], attributes: Sequence[str]) -> tuple[list[Reversed], int]:
    """Return the pairs that reverse, and how many were compared; both directions of all pairs are one family."""
    candidates: list[tuple[GroupGap, str, Reversal, tuple[float, float]]] = []
    pairs = 0
    for gap, held in _held_fixed(gaps, attributes):
        strata = _strata(gap.rows, gap.by, held, shrunk=False)
        pairs += len(compared(strata))
        if flipped := reversals(strata):
            fewer = _strata(gap.rows, gap.by, held, shrunk=True)
            candidates += [(gap, held, one, evidence(fewer, one.higher, one.lower)) for one in flipped]
    p_values = [p for *_, both in candidates for p in both]
    adjusted = [one.p_adj or 0.0 for one in adjust([*p_values, *([1.0] * 2 * (pairs - len(candidates)))])]
    cases = [
        Reversed(gap, held, pair, adjusted[2 * at], adjusted[2 * at + 1])
        for at, (gap, held, pair, _) in enumerate(candidates)
    ]
    return sorted(cases, key=lambda case: (not case.sure, case.within, case.crude, -case.pair.crude)), pairs


def _held_fixed(gaps: Sequence[GroupGap], attributes: Sequence[str]) -> Iterator[tuple[GroupGap, str]]:
    """Yield each gap with each second attribute that can be held fixed."""
    for gap in gaps:
        for held in attributes:
            if held != gap.by and 2 <= gap.rows[held].nunique() <= MOST:
                yield gap, held


def _strata(rows: DataFrame, by: str, held: str, *, shrunk: bool) -> dict[str, Counts]:
    """Return stratum -> group -> (k, n); `shrunk`: divided by the design effect of the clusters."""
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for (stratum, group), part in rows[rows[held] != ""].groupby([held, by], sort=True):
        names = list(part["cluster"]) if shrunk and not part["cluster"].is_unique else None
        counts.setdefault(str(stratum), {})[str(group)] = effective(part["value"].to_numpy(float), names)
    return dict(counts)


def _none_found(
    cases: Sequence[Reversed], pairs: int, gaps: Sequence[GroupGap], *, attributes: Sequence[str]
) -> Finding:
    """Return the sentence that nothing reverses beyond chance, with the smallest difference that could have been shown.

    That is the difference in the pair of groups with the most members in common strata, in a test at the level of all
    comparisons together.
    """
    metrics = list(dict.fromkeys(gap.measure.metric for gap in gaps))
    names = ", ".join(metrics[:3]) + (" and others" if len(metrics) > 3 else "")
    size, base = 0, 0.0
    for gap, held in _held_fixed(gaps, attributes):
        largest = round(max(compared(_strata(gap.rows, gap.by, held, shrunk=True)).values(), default=0.0))
        size, base = max((size, base), (largest, round(float(gap.rows["value"].mean()), 3)))
    smallest = minimum_detectable_difference(size, base, others=size, level=1 - ALPHA / (2 * pairs)).smallest
    n = max(len(gap.rows) for gap in gaps)
    text = (
        "No evidence that the direction between two groups reverses (Simpson's paradox) when a second attribute is "
        f"held fixed: {pairs} comparisons of {names}; {len(cases)} reverse, within what chance gives."
        f"{detectable(Measure(metric=names, n=n, detectable=smallest))}"
    )
    return Finding(text, "no evidence", gaps[0].name, {}, n=n)


def _finding(case: Reversed, more: int) -> Finding:
    gap, pair, both = case.gap, case.pair, max(case.crude, case.within) < ALPHA
    labels = f" (labels: {gap.measure.label_set})" if gap.measure.label_set else ""
    further = f"; {more} further pair{'s' if more != 1 else ''} likewise" if more else ""
    held = case.held.replace("_", " ")
    what = "reverses" if both else "does not persist"
    text = (
        f"{'Found: ' if both else ''}{gap.name} by {gap.by.replace('_', ' ')}{labels} {what} with {held} held fixed "
        f"(Simpson's paradox). Overall, {pair.higher} is {100 * pair.crude:.1f} points above {pair.lower} "
        f"(p {written(case.crude)}); within equal {held}, {100 * -pair.standardised:.1f} points below "
        f"(p {written(case.within)}; after correction)"
        f"{further}."
    )
    strength: Strength = "found" if both else "note"
    slice = dict(gap.measure.slice)
    return Finding(
        text, strength, gap.measure.metric, slice, pair.standardised, max(case.crude, case.within), len(gap.rows)
    )


def _table(cases: Sequence[Reversed]) -> DataFrame:
    rows = [
        (
            case.gap.name,
            case.gap.measure.label_set,
            case.gap.by,
            f"{case.pair.higher} minus {case.pair.lower}",
            case.pair.crude,
            case.crude,
            case.held,
            case.pair.standardised,
            case.within,
            "every stratum" if case.pair.complete else "on average",
        )
        for case in cases
    ]
    columns = ["metric", "label set", "groups of", "difference", "overall", "p adj., overall"]
    return pd.DataFrame(
        rows, columns=[*columns, "held fixed", "with it held fixed", "p adj., held fixed", "reverses in"]
    )
