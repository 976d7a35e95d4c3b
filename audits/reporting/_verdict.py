"""The box at the top: the gate's outcome where there is one, else what stands out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audits.comparing.outcomes import GateResult
from audits.reporting._text import visible
from audits.run_directory.reader import Run

NO_FINDING = "No finding"


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
    names = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR", "NOT_RUN")
    outcomes = ", ".join(f"{n} {name.replace('_', ' ')}" for name in names if (n := gate.count(name)))  # type: ignore[arg-type]
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
