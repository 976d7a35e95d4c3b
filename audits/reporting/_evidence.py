"""Findings in order of their evidence, what stands out of them, and the box at the top: that, or a gate's outcome.

The order is fixed and said in the report: what was found before what was not, differences between groups before the
rest; then the smaller adjusted p-value, the larger effect, the larger n.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audits.analysis import Finding
from audits.comparing.outcomes import WORST_FIRST, GateResult
from audits.reporting._text import visible
from audits.run_directory.reader import Run
from audits.run_directory.rows import known

ORDER = ("found", "not judged", "note", "equivalent", "no evidence", "not measured")
SIGNS = {
    "found": "●",
    "not judged": "?",
    "note": "i",
    "equivalent": "≈",
    "no evidence": "○",
    "not measured": "–",
}  # beside the words, never instead
NO_FINDING = "No finding"
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


def _key(entry: Ranked) -> tuple[int, bool, float, float, float, str]:
    finding = entry.finding
    place = ORDER.index(finding.strength) if finding.strength in ORDER else len(ORDER)
    p, effect, n = known(finding.p_adj), known(finding.effect), known(finding.n)
    return place, not finding.by, 2.0 if p is None else p, -abs(effect or 0.0), -(n or 0.0), finding.text


def verdict(runs: Sequence[Run], gate: GateResult | None, top: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the content of the box.

    `found` is what stands out, the best supported first; a gate's outcome stands in the title.
    """
    title, text, kind = _of_gate(gate) if gate else _of_findings(runs, top)
    return {"title": title, "text": text, "kind": kind, "found": top, "warnings": warnings(runs)}


def warnings(runs: Sequence[Run]) -> list[str]:
    """Return what must be known before a number is believed."""
    lines = []
    for run in runs:
        name = visible(run.audit, 80)
        if run.header.partial:
            lines.append(f"{name} is a partial run.")
        if run.status != "success":
            lines.append(f"{name} did not finish ({visible(run.header.error or run.status, 200)}).")
        lines += [f"{name}: {visible(line, 300)}" for line in run.warnings]
        lines += [f"{name}: {visible(line, 300)}" for line in run.sanity]
    return list(dict.fromkeys(lines))[:12]


def _of_gate(gate: GateResult) -> tuple[str, str, str]:
    outcomes = ", ".join(f"{n} {name.replace('_', ' ')}" for name in reversed(WORST_FIRST) if (n := gate.count(name)))
    text = f"{len(gate.rules)} rules: {outcomes}. Inconclusive rules count as “{gate.inconclusive}”."
    return f"Gate: {gate.outcome.replace('_', ' ')}", text, gate.outcome.lower().replace("_", "-")


def _of_findings(runs: Sequence[Run], top: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
    every = sum(one.strength == "found" for run in runs for one in run.findings)
    number = f"{len(runs)} run{'s' if len(runs) != 1 else ''}"
    if not any(len(run.metrics) for run in runs):
        return "Nothing was measured", f"{number} without a single value.", "error"
    if not every:
        return NO_FINDING, f"{number}; read the intervals before taking this as absence of effects.", "none"
    shown = "Top findings; full list below." if every > len(top) else ""
    title = f"{every} finding{'s' if every != 1 else ''} supported by the numbers"
    return title, f"{number}, no thresholds given. {shown}".strip(), "found"
