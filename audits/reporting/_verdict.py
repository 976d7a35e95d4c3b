"""The box at the top: the gate's outcome where there is one, else what stands out.

Says what was measured and draws no conclusion from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from audits.reporting._text import visible
from audits.reporting.record import Record

if TYPE_CHECKING:
    from audits.comparing.outcomes import GateResult

NO_FINDING = "No finding is supported by the numbers"


def verdict(records: Sequence[Record], gate: GateResult | None, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the content of the box.

    Args:
        records: the runs.
        gate: its outcome stands in the title where there is one.
        found: what stands out, best supported first.
    """
    title, text, kind = _of_gate(gate) if gate else _of_findings(records, found)
    return {"title": title, "text": text, "kind": kind, "found": found, "warnings": warnings(records)}


def warnings(records: Sequence[Record]) -> list[str]:
    """Return what must be known before a number is believed."""
    lines = []
    for record in records:
        name = visible(record.audit, 80)
        if record.of("partial"):
            lines.append(f"{name} is a partial run.")
        if record.of("status") != "success":
            lines.append(f"{name} did not end well ({visible(record.of('error') or record.of('status'), 200)}).")
        lines += [f"{name}: {visible(line, 300)}" for line in record.of("warnings", default=())]
        lines += [f"{name}: {visible(line, 300)}" for line in record.sanity]
    return list(dict.fromkeys(lines))[:12]


def _of_gate(gate: GateResult) -> tuple[str, str, str]:
    names = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR", "NOT_RUN")
    told = ", ".join(f"{n} {name.replace('_', ' ')}" for name in names if (n := gate.count(name)))  # type: ignore[arg-type]
    text = f"{len(gate.rules)} rules: {told}. Undecided rules count as “{gate.inconclusive}”."
    return f"Gate: {gate.outcome.replace('_', ' ')}", text, gate.outcome.lower().replace("_", "-")


def _of_findings(records: Sequence[Record], found: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
    every = sum(one.strength == "found" for record in records for one in record.findings)
    runs = f"{len(records)} run{'s' if len(records) != 1 else ''}"
    if not any(len(record.metrics) for record in records):
        return "Nothing was measured", f"{runs} without a single value.", "error"
    if not every:
        return NO_FINDING, f"{runs}; read the intervals before taking this as absence.", "none"
    shown = f"The {len(found)} best supported stand here, all of them below." if every > len(found) else ""
    title = f"{every} finding{'s' if every != 1 else ''} supported by the numbers"
    return title, f"{runs}, no thresholds given. {shown}".strip(), "found"
