"""Outcomes of a gate, written for a table."""

from __future__ import annotations

from typing import Any

from audits.comparing.outcomes import WORST_FIRST, Check, GateResult, RuleResult
from audits.reporting._numbers import count, written
from audits.reporting._text import slice_text, visible

MOST_CHECKS = 12  # of a rule, in a page
COLUMNS = ("rule", "outcome", "requires", "group", "value", "interval", "n", "reason")


def gate_rows(result: GateResult) -> list[tuple[str, ...]]:
    """Write each rule in one row of `COLUMNS`, with the check that decided it."""
    rows: list[tuple[str, ...]] = []
    for rule in result.rules:
        check = next(iter(deciding(rule)), None)
        outcome = rule.outcome.replace("_", " ") + (" (warns only)" if rule.severity == "warn" else "")
        head = (visible(rule.id), outcome, visible(f"{rule.metric} {rule.require}", 120))
        if check is None:
            rows.append((*head, "", "", "", "", visible(rule.message)))
            continue
        number = written({"value": check.value, "ci_low": check.ci_low, "ci_high": check.ci_high, "unit": check.unit})
        more = f"1 of {len(rule.checks)} numbers" if len(rule.checks) > 1 else ""
        reason = "; ".join(filter(None, (check.why, more, visible(rule.message))))
        rows.append((*head, slice_text(check.slice), number.value, number.interval, count(check.n), reason))
    return rows


def not_judged(result: GateResult) -> list[str]:
    """Return a line for each group that a rule did not judge, accepted ones with the reason."""
    lines = [
        f"{slice_text(check.slice)}, {visible(rule.metric)}: {check_text(check)}."
        for outcome in ("NOT_JUDGED", "ACCEPTED")
        for rule in result.rules
        for check in rule.checks
        if check.outcome == outcome
    ]
    return list(dict.fromkeys(lines))


def deciding(rule: RuleResult) -> list[Check]:
    """Return the checks with the rule's outcome, else all of them, the worst first."""
    same = [check for check in rule.checks if check.outcome == rule.outcome]
    return same or sorted(rule.checks, key=lambda check: WORST_FIRST.index(check.outcome))


def rule_row(rule: RuleResult) -> dict[str, Any]:
    """Write one rule: its worst checks first."""
    checks = sorted(rule.checks, key=lambda check: WORST_FIRST.index(check.outcome))
    several = len({check.model for check in checks}) > 1
    shown = [
        {
            "name": (f"{visible(check.model, 60)}, " if several else "") + slice_text(check.slice),
            "outcome": check.outcome.replace("_", " "),
            "kind": kind(check.outcome),
            "text": check_text(check),
        }
        for check in checks[:MOST_CHECKS]
    ]
    return {
        "id": visible(rule.id),
        "metric": visible(rule.metric, 80),
        "require": visible(rule.require, 80) + (" (the value alone)" if rule.point else ""),
        "outcome": rule.outcome.replace("_", " "),
        "kind": kind(rule.outcome),
        "severity": rule.severity,
        "message": visible(rule.message, 400),
        "checks": shown,
        "more": max(0, len(checks) - MOST_CHECKS),
    }


def kind(outcome: str) -> str:
    """Return the style sheet's name of an outcome."""
    return outcome.lower().replace("_", "-")


def check_text(check: Check) -> str:
    """Write the number that was held against a rule, at the rule's own level."""
    number = written({"value": check.value, "ci_low": check.ci_low, "ci_high": check.ci_high, "unit": check.unit})
    level = f", {100 * check.level:.4g} % interval" if number.interval else ""
    n = f", n = {count(check.n)}" if check.n is not None else ""
    why = f"; {visible(check.why)}" if check.why else ""
    return f"{number.text}{level}{n}{why}"
