"""Findings in order of their evidence, and what stands out of them.

The order is fixed and said in the report: what was found before what was not; then the smaller adjusted p-value, the
larger effect, the larger n.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audits.analysis import Finding
from audits.run_directory.reader import Run
from audits.run_directory.rows import known

ORDER = ("found", "note", "equivalent", "no evidence", "not measured")
SIGNS = {
    "found": "●",
    "note": "i",
    "equivalent": "≈",
    "no evidence": "○",
    "not measured": "–",
}  # beside the words, never instead
STANDS_OUT = 5  # findings in the box at the top


@dataclass(frozen=True)
class Ranked:
    """One finding, and whose it is."""

    finding: Finding
    run: Run

    @property
    def sign(self) -> str:
        """The sign of its strength."""
        return SIGNS.get(self.finding.strength, "")


def rank(runs: Iterable[Run]) -> list[Ranked]:
    """Return the findings of all runs, the best supported first."""
    every = [Ranked(finding, run) for run in runs for finding in run.findings]
    return sorted(every, key=_key)


def stands_out(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return what was found and is best supported, at most `STANDS_OUT`, with at most two of one run first."""
    supported = [entry for entry in ranked if entry.finding.strength == "found"]
    seen: dict[int, int] = {}
    first: list[Ranked] = []
    later: list[Ranked] = []
    for entry in supported:
        seen[id(entry.run)] = seen.get(id(entry.run), 0) + 1
        (first if seen[id(entry.run)] <= 2 else later).append(entry)
    chosen = (first + later)[:STANDS_OUT]
    return sorted(chosen, key=_key)


def counts(ranked: Sequence[Ranked]) -> dict[str, int]:
    """Return how many findings there are of each strength, in `ORDER`."""
    return {strength: sum(entry.finding.strength == strength for entry in ranked) for strength in ORDER}


def _key(entry: Ranked) -> tuple[int, float, float, float, str]:
    finding = entry.finding
    place = ORDER.index(finding.strength) if finding.strength in ORDER else len(ORDER)
    p, effect, n = known(finding.p_adj), known(finding.effect), known(finding.n)
    return place, 2.0 if p is None else p, -abs(effect or 0.0), -(n or 0.0), finding.text
