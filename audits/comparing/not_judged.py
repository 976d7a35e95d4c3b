"""Groups that a rule cannot judge: too few cases, or an interval too wide for a rule that passes wide intervals.

A gate names them and does not pass, unless the thresholds accept them with a reason.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from audits.comparing.expression import Requirement
from audits.comparing.outcomes import Check
from audits.comparing.thresholds import Accepted
from audits.equal_odds import LABEL, is_rate
from audits.run_directory.rows import known, slice_of
from workbench.statistics.row import GAPS, SUPPRESSED

Row = Mapping[str, Any]


def reason(row: Row, requirement: Requirement, min_n: int) -> str:
    """Say why a number cannot be judged at the precision that a rule asks for; empty where it can.

    A rule asks for `min_n` cases of the whole and of each group. One that passes a wide interval (it is about the value
    alone, or leaves the far end unbounded) also asks for the run's own precision: the flag `not_judged`.
    """
    n, needed = known(row.get("n")) or 0.0, known(row.get("n_needed"))
    if row.get("contrast") not in GAPS and (n < min_n or known(row.get("value")) is None):
        return f"not judged: {n:.0f} of the {max(min_n, 1)} cases that the rule asks for"
    if requirement.lenient and "not_judged" in str(row.get("flags") or "").split("|"):
        return "not judged: the interval is too wide" + (f"; about {needed:.0f} cases are needed" if needed else "")
    return ""


def groups_of(gap: Row, rows: Sequence[Row]) -> list[Row]:
    """Return a row for each group of a gap: its own metric's, or, where it has none, the one with the fewest cases.

    Of equalised odds, a row for each rate of each group.
    """
    where = slice_of(gap.get("slice"))
    names = {*filter(None, str(gap.get("slice_by") or "").split(",")), *where}

    def rate(row: Row) -> bool:
        return is_rate(str(row.get("metric")), str(gap.get("metric")))

    alike = [
        row
        for row in rows
        if str(row.get("contrast") or "none") == "none"
        and all((row.get(name) or "") == (gap.get(name) or "") for name in ("label_set", "template_set"))
        and (slice := slice_of(row.get("slice"))).keys() == (names | {LABEL} if rate(row) else names)
        and where.items() <= slice.items()
    ]
    chosen: dict[str, Row] = {}
    for row in sorted(alike, key=lambda row: (row.get("metric") != gap.get("metric"), known(row.get("n")) or 0.0)):
        chosen.setdefault(str(row["slice"]), row)
    return list(filter(rate, alike)) or list(chosen.values())


def accepted(check: Check, reasons: Sequence[Accepted], *, audit: str, metric: str) -> Check:
    """Return the check of a group that is not judged as accepted, with the reason, if the thresholds list the group."""
    where = slice_of(check.slice).items()
    for one in reasons if check.outcome == "NOT_JUDGED" else ():
        if one.slice.items() <= where and one.audit in (None, audit) and one.metric in (None, metric):
            return dataclasses.replace(check, outcome="ACCEPTED", why=f"{check.why}; accepted: {one.reason}")
    return check


def of_gap(gap: Row, rows: Sequence[Row], judge: Callable[[Row, int], Check | None]) -> tuple[Row, list[Check]]:
    """Return the row that a rule about a gap is held against, and a check for each group that it cannot judge.

    That is the gap between groups of at least 30 where all smaller groups are accepted as not judged.

    Args:
        gap: row of the metrics table.
        rows: the whole table.
        judge: row of a group, fewest cases that are asked for -> its check, None where it can be judged.
    """
    keys = ("metric", "label_set", "template_set", "slice", "slice_by")
    for row in rows if gap.get("contrast") == GAPS[0] else ():
        if row.get("contrast") == GAPS[1] and all(row.get(key) == gap.get(key) for key in keys):
            large, checks = of_gap(row, rows, judge)
            if all(check.outcome == "ACCEPTED" for check in checks if (check.n or 0) < SUPPRESSED):
                return large, checks
    least = SUPPRESSED if gap.get("contrast") == GAPS[1] else 0
    return gap, [check for row in groups_of(gap, rows) if (check := judge(row, least)) is not None]
