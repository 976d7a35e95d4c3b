"""What may be said of a gap, and which published number stands beside which of ours.

Knows measures only. Verbs: found, no evidence of, not measured.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from audits.analysis import Finding, Strength

if TYPE_CHECKING:
    from audits.protocol import Protocol as Rules
    from workbench.statistics.measures import Measure

ALPHA = 0.05
LABEL_SET = "label_set"  # key in a published number's slice that names the label set


def gap_findings(measures: Sequence[Measure], sentence: Callable[[str], str]) -> list[Finding]:
    """Return a sentence for every gap between groups.

    Args:
        measures: with `p_adj` filled in.
        sentence: metric -> what it is the share of, to stand before "differs".
    """
    return [_gap_finding(m, sentence(m.metric)) for m in measures if m.contrast == "between_groups"]


def _gap_finding(measure: Measure, what: str) -> Finding:
    groups = " and ".join(name.replace("_", " ") for name in measure.slice_by.split(","))
    told = f" (labels: {measure.label_set})" if measure.label_set else ""
    if measure.value is None or measure.p_adj is None:
        text = f"Not measured: whether {what} differs by {groups}{told}; there are too few groups or pictures."
        return Finding(text, "not measured", measure.metric, {}, n=measure.n)
    null = (
        "" if measure.null_q95 is None else f"; chance alone gives up to {_points(measure.null_q95)} in 95 of 100 runs"
    )
    which = f", {measure.reference}" if measure.value > 0 else ""
    size = f"largest gap {_points(measure.value)}{which}{null}, p = {measure.p_adj:.3g} after correction"
    found = measure.p_adj < ALPHA
    start = "Found:" if found else "No evidence that"
    verb = f"{what} differs by {groups}{told}: {size}, n = {measure.n}."
    strength: Strength = "found" if found else "no evidence"
    return Finding(f"{start} {verb}", strength, measure.metric, {}, measure.value, measure.p_adj, measure.n)


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"


def published(measures: Sequence[Measure], rules: Rules) -> list[Measure]:
    """Return the measures with a protocol's published numbers beside those that they are about."""
    known = {}
    for row in rules.published:
        slice = {name: value for name, value in row.slice.items() if name != LABEL_SET}
        key = (row.metric, row.slice.get(LABEL_SET, ""), tuple(sorted(slice.items())))
        known[key] = (row.value, f"{row.model}: {row.source}")
    told = []
    for measure in measures:
        key = (measure.metric, measure.label_set, tuple(sorted(measure.slice.items())))
        if measure.contrast == "none" and key in known:
            value, source = known[key]
            measure = dataclasses.replace(measure, published_value=value, published_source=source)
        told.append(measure)
    return told
