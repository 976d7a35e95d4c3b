"""JUnit XML, which continuous integration shows as a list of tests.

A gate is a test a rule. A report without a gate is a test a run: did it end well, and did it measure anything?
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as Tree

from audits.comparing.outcomes import GateResult, RuleResult
from audits.reporting._gates import check_text
from audits.reporting._page import ReportOptions
from audits.reporting._text import slice_text, visible
from audits.run_directory.reader import Run

MOST_CHECKS = 200  # of a rule


def write(runs: Sequence[Run], options: ReportOptions, out: Path) -> None:
    """Write the gate's outcome where there is one, else how the runs ended."""
    out.write_text(gate(options.gate) if options.gate else _runs(runs), encoding="utf-8")


def gate(result: GateResult) -> str:
    """Return the outcomes of a gate: FAIL is a failure, ERROR an error, NOT_RUN skipped.

    A rule with a group that is not judged is a failure. An undecided one is a failure where the gate counts it as one,
    else skipped with its reason; a rule that only warns never fails.
    """
    suite = Tree.Element("testsuite", name=visible(result.title or "gate", 120))
    kinds = [_case(suite, rule, result.inconclusive) for rule in result.rules]
    return _closed(suite, kinds)


def _case(suite: Tree.Element, rule: RuleResult, inconclusive: str) -> str:
    case = Tree.SubElement(suite, "testcase", classname=visible(rule.audit or "all", 120), name=visible(rule.id, 200))
    lines = [f"{check.outcome} {slice_text(check.slice)}: {check_text(check)}" for check in rule.checks[:MOST_CHECKS]]
    unjudged = ", ".join(slice_text(check.slice) for check in rule.checks if check.outcome == "NOT_JUDGED")
    names = f" Not judged: {unjudged}." if unjudged else ""
    message = visible(f"{rule.metric} {rule.require}: {rule.outcome}.{names} {rule.message}".strip(), 2000)
    kind = _kind(rule, inconclusive)
    if kind:
        Tree.SubElement(case, kind, message=message, type=rule.outcome).text = "\n".join(lines)
    else:
        Tree.SubElement(case, "system-out").text = "\n".join([message, *lines])
    return kind


def _kind(rule: RuleResult, inconclusive: str) -> str:
    if rule.outcome == "ERROR":
        return "error"
    if rule.outcome == "NOT_RUN":
        return "skipped"
    if rule.outcome == "NOT_JUDGED" and rule.severity == "fail":
        return "failure"
    if rule.outcome == "PASS" or (rule.outcome == "INCONCLUSIVE" and inconclusive == "pass"):
        return ""
    if rule.severity == "warn" or (rule.outcome == "INCONCLUSIVE" and inconclusive == "warn"):
        return "skipped"
    return "failure"


def _runs(runs: Sequence[Run]) -> str:
    suite = Tree.Element("testsuite", name="audits")
    kinds = []
    for run in runs:
        case = Tree.SubElement(suite, "testcase", classname=visible(run.audit, 120), name=visible(run.run_id, 200))
        kind, message = "", f"{len(run.metrics)} values, {len(run.findings)} findings"
        if run.status != "success":
            kind, message = "error", str(run.header.error or f"status {run.status}")
        elif not len(run.metrics):
            kind, message = "error", "nothing was measured"
        elif run.header.partial:
            kind, message = "skipped", "a partial run"
        if kind:
            Tree.SubElement(case, kind, message=visible(message, 600))
        else:
            findings = [visible(f"{one.strength}: {one.text}", 400) for one in run.findings]
            Tree.SubElement(case, "system-out").text = "\n".join([message, *findings])
        kinds.append(kind)
    return _closed(suite, kinds)


def _closed(suite: Tree.Element, kinds: Sequence[str]) -> str:
    counts = {"tests": len(kinds), "failures": kinds.count("failure")}
    counts |= {"errors": kinds.count("error"), "skipped": kinds.count("skipped")}
    for name, number in counts.items():
        suite.set(name, str(number))
    root = Tree.Element("testsuites", {name: str(number) for name, number in counts.items()})
    root.append(suite)
    Tree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Tree.tostring(root, encoding="unicode") + "\n"
