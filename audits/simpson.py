"""Gaps that turn round: two groups compared as they come, and within each group of a second attribute.

Works on the samples of any audit. Says that a direction turned, and how sure both directions are; not why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audits.analysis import Analysis, Finding, Strength
from audits.contracts import OUTCOME
from workbench.statistics.clusters import effective
from workbench.statistics.multiplicity import adjust
from workbench.statistics.simpson import Reversal, compared, evidence, reversals

if TYPE_CHECKING:
    from pandas import DataFrame

    from workbench.statistics._checks import Counts
    from workbench.statistics.measures import Measure

ALPHA = 0.05
MOST = 50  # groups of a second attribute
TABLE = "Directions that turn round with a second attribute held fixed"


@dataclass(frozen=True)
class Gap:
    """A gap that is looked into: yes/no values of pictures in groups, and what it is called."""

    measure: Measure  # flagged where the gap turns round
    name: str  # in sentences: "accuracy.gender"
    by: str  # the column of the groups
    rows: DataFrame  # columns `value` (0 or 1), `cluster`, `by` and the second attributes


@dataclass(frozen=True)
class Turn:
    """A pair of groups whose order turns round, with the evidence for each direction."""

    gap: Gap
    held: str  # the second attribute
    pair: Reversal
    crude: float  # adjusted p of the difference as they come
    within: float  # adjusted p of the difference with the second attribute held fixed

    @property
    def sure(self) -> bool:
        """Whether either direction is beyond chance: without that, both may be noise."""
        return min(self.crude, self.within) < ALPHA


def gaps_of(measures: Sequence[Measure], samples: DataFrame) -> Iterator[Gap]:
    """Yield the gaps between groups of one attribute that the samples hold picture by picture."""
    for measure in measures:
        outcome, by = f"{OUTCOME}{measure.metric}", measure.slice_by
        if measure.contrast != "between_groups" or outcome not in samples or by not in samples:
            continue
        keep = samples[outcome].notna() & (samples[by] != "") & (samples["label_set"] == measure.label_set)
        for name, value in measure.slice.items():
            keep &= samples[name] == value
        rows = samples[keep].assign(value=samples[outcome])
        if len(rows) and rows["sample_id"].is_unique and np.isin(rows["value"].astype(float), (0.0, 1.0)).all():
            yield Gap(measure, measure.metric, by, rows)


def added(analysis: Analysis, gaps: Sequence[Gap], attributes: Sequence[str], *, title: str = TABLE) -> Analysis:
    """Return the analysis with what was seen of gaps that turn round: findings, a table, and a flag on each such gap.

    Args:
        analysis: of an audit.
        gaps: what is looked into.
        attributes: second attributes that may be held fixed.
        title: of the table.
    """
    turns, pairs = _turns(gaps, attributes)
    if not pairs:
        return analysis
    sure = {id(turn.gap.measure) for turn in turns if turn.sure}
    measures = [
        replace(one, flags=tuple(dict.fromkeys((*one.flags, "reversed")))) if id(one) in sure else one
        for one in analysis.measures
    ]
    tables = {**(analysis.tables or {}), **({title: _table(turns)} if turns else {})}
    return replace(
        analysis, measures=measures, findings=[*analysis.findings, *_findings(turns, pairs, gaps)], tables=tables
    )


def _turns(gaps: Sequence[Gap], attributes: Sequence[str]) -> tuple[list[Turn], int]:
    """Return the pairs that turn round, and how many were looked at; both directions of all pairs are one family."""
    seen: list[tuple[Gap, str, Reversal, tuple[float, float]]] = []
    pairs = 0
    for gap in gaps:
        for held in attributes:
            if held == gap.by or not 2 <= gap.rows[held].nunique() <= MOST:
                continue
            strata = _strata(gap.rows, gap.by, held, shrunk=False)
            pairs += compared(strata)
            if turned := reversals(strata):
                fewer = _strata(gap.rows, gap.by, held, shrunk=True)
                seen += [(gap, held, one, evidence(fewer, one.higher, one.lower)) for one in turned]
    p_values = [p for *_, both in seen for p in both]
    adjusted = [one.p_adj or 0.0 for one in adjust([*p_values, *([1.0] * 2 * (pairs - len(seen)))])]
    turns = [
        Turn(gap, held, pair, adjusted[2 * at], adjusted[2 * at + 1]) for at, (gap, held, pair, _) in enumerate(seen)
    ]
    return sorted(turns, key=lambda turn: (not turn.sure, turn.within, turn.crude, -turn.pair.crude)), pairs


def _strata(rows: DataFrame, by: str, held: str, *, shrunk: bool) -> dict[str, Counts]:
    """Return stratum -> group -> (k, n); `shrunk`: what independent pictures would tell."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for (stratum, group), part in rows[rows[held] != ""].groupby([held, by], sort=True):
        names = list(part["cluster"]) if shrunk and not part["cluster"].is_unique else None
        found.setdefault(str(stratum), {})[str(group)] = effective(part["value"].to_numpy(float), names)
    return dict(found)


def _findings(turns: Sequence[Turn], pairs: int, gaps: Sequence[Gap]) -> Iterator[Finding]:
    sure = [turn for turn in turns if turn.sure]
    told: dict[tuple[int, str], list[Turn]] = {}
    for turn in sure:
        told.setdefault((id(turn.gap.measure), turn.held), []).append(turn)
    for same in told.values():
        yield _finding(same[0], len(same) - 1)
    if not sure:
        text = (
            "No evidence that a direction between two groups turns round when a second attribute is held fixed: "
            f"{pairs} comparisons of {_names(gaps)} looked at, {len(turns)} turn within what chance gives."
        )
        yield Finding(text, "no evidence", gaps[0].name, {}, n=max(len(gap.rows) for gap in gaps))


def _names(gaps: Sequence[Gap]) -> str:
    names = list(dict.fromkeys(gap.measure.metric for gap in gaps))
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")


def _finding(turn: Turn, more: int) -> Finding:
    gap, pair, both = turn.gap, turn.pair, max(turn.crude, turn.within) < ALPHA
    labels = f" (labels: {gap.measure.label_set})" if gap.measure.label_set else ""
    further = f"; {more} further pair{'s' if more != 1 else ''} likewise" if more else ""
    held = turn.held.replace("_", " ")
    what = "turns round" if both else "does not hold"
    text = (
        f"{'Found: ' if both else ''}{gap.name} by {gap.by.replace('_', ' ')}{labels} {what} with {held} held fixed. "
        f"As they come, {pair.higher} is {100 * pair.crude:.1f} points above {pair.lower} (p = {turn.crude:.2g}); "
        f"within equal {held}, {100 * -pair.standardised:.1f} points below (p = {turn.within:.2g}; after correction)"
        f"{further}."
    )
    strength: Strength = "found" if both else "note"
    slice = dict(gap.measure.slice)
    return Finding(
        text, strength, gap.measure.metric, slice, pair.standardised, max(turn.crude, turn.within), len(gap.rows)
    )


def _table(turns: Sequence[Turn]) -> DataFrame:
    import pandas as pd

    rows = [
        (
            turn.gap.name,
            turn.gap.measure.label_set,
            turn.gap.by,
            f"{turn.pair.higher} minus {turn.pair.lower}",
            turn.pair.crude,
            turn.crude,
            turn.held,
            turn.pair.standardised,
            turn.within,
            "every stratum" if turn.pair.complete else "on average",
        )
        for turn in turns
    ]
    columns = ["metric", "label set", "groups of", "difference", "as they come", "p adj., as they come"]
    return pd.DataFrame(rows, columns=[*columns, "held fixed", "with it held fixed", "p adj., held fixed", "turns in"])
