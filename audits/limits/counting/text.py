"""What the report says about counting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.analysis import Finding
from audits.shares import percent
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    pass

ALPHA = 0.05
_FEWEST = 30  # pictures below which nothing is concluded
HOW_TO_READ = """
The model chooses one of the counts for every picture. **Accuracy** is the share that is exactly right, **within
one** the share that misses by at most one, and the **mean absolute error** how far off it is on average.

Beside each stands **chance**: the same answers dealt to the pictures at random. It keeps a liking for one number,
so a model that always says "three" is not above it. Only what chance does not reach is counting, or something like
it.

**Slope** says how much the answer rises when one thing more is there: 1 for one that counts, 0 for one that does
not look.

The same sets are drawn twice: with things of **each the same** size, where more things cover more, and with **all
together the same** area. A model that judges how full a picture is does worse in the second; `area_change` compares
both picture by picture.
"""
LIMITS = """
- Few clean shapes on white: the easiest counting there is. Success here says nothing of crowds, overlap or photos.
- With equal total area, single things get smaller, and small things are harder to see; a loss there may be either.
- Number words stand in captions for many things ("two-storey"). A failure may lie in the text tower as well.
- One thing loses the plural's s in the prompt, so "one" differs from the others in more than its number.
- With about twenty pictures a cell, only large differences between cells can be found.
"""


def findings(measures: list[Measure]) -> list[Finding]:
    """Return the sentences that the measures support."""
    told = [_right(m) for m in measures if m.metric == "accuracy" and not m.slice]
    return [*told, *(_full(m) for m in measures if m.metric == "area_change" and m.value is not None)]


def _right(m: Measure) -> Finding:
    if (m.n or 0) < _FEWEST or m.value is None or m.null_mean is None or m.p_adj is None:
        return Finding(f"Counting is not measured, with {m.n} pictures.", "not measured", m.metric, n=m.n)
    above, chance = m.value - m.null_mean, percent(m.null_mean)
    if m.p_adj < ALPHA:
        text = f"Counts are right for {percent(m.value)} of {m.n} pictures; the same answers dealt at random: {chance}."
        return Finding(text, "found", m.metric, None, above, m.p_adj, m.n)
    text = f"No evidence of counting: {percent(m.value)} right, and {chance} by chance."
    return Finding(text, "no evidence", m.metric, None, above, m.p_adj, m.n)


def _full(m: Measure) -> Finding:
    value = m.value or 0.0
    if m.p_adj is not None and m.p_adj < ALPHA:
        way = f"{'falls' if value < 0 else 'rises'} by {percent(abs(value))}"
        text = f"Accuracy {way} when the total area stays the same: area is part of the answer."
        return Finding(text, "found", m.metric, None, abs(value), m.p_adj, m.n)
    text = f"No evidence that the area covered decides the answer ({m.n} pairs)."
    return Finding(text, "no evidence", m.metric, None, abs(value), m.p_adj, m.n)
