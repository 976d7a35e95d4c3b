"""Markdown for a pull request: short, every number with its interval, nothing in it read as markup."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audits.comparing.outcomes import GateResult, RuleResult
from audits.reporting._evidence import counts, rank, stands_out, warnings
from audits.reporting._gates import check_text, deciding, not_judged
from audits.reporting._numbers import count, written
from audits.reporting._page import ReportOptions, version
from audits.reporting._plain import plain
from audits.reporting._tables import title
from audits.reporting._text import markdown_cell, markdown_row, slice_text
from audits.run_directory.reader import Run
from audits.run_directory.rows import known, rows, slice_of
from workbench.statistics.row import GAPS

SIGNS = {"PASS": "✅", "FAIL": "❌", "NOT_JUDGED": "❔", "INCONCLUSIVE": "❔", "ERROR": "⚠️", "NOT_RUN": "➖"}
MOST_ROWS = 20  # of a table
SENTENCE = 300  # characters


def write(runs: Sequence[Run], options: ReportOptions, out: Path) -> None:
    """Write what a reviewer should see."""
    out.write_text(report(runs, options.gate), encoding="utf-8")


def report(runs: Sequence[Run], judged: GateResult | None = None) -> str:
    """Return the runs in short: the gate, what stands out, the overall value of each metric."""
    ranked = rank(runs)
    models = list(dict.fromkeys(markdown_cell(run.model) for run in runs))
    lines = [f"## Audits of {', '.join(models)}", ""]
    if judged:
        lines += [*gate(judged).splitlines()[1:], ""]
    by_strength = ", ".join(f"{n} {strength}" for strength, n in counts(ranked).items() if n)
    lines += [f"{len(runs)} run{'s' if len(runs) != 1 else ''}; findings: {by_strength or 'none'}.", ""]
    lines += [markdown_cell(sentence, 2000) + "\n" for sentence in plain(runs)]
    lines += [f"- {_sentence(entry.finding.text)} (`{entry.run.audit}`)" for entry in stands_out(ranked)]
    lines += [f"- **Note:** {_sentence(line)}" for line in warnings(runs)[:5]]
    lines += ["", "| audit | metric | value | interval | n |", "|---|---|---:|---:|---:|"]
    each = max(2, MOST_ROWS // len(runs))
    chosen = [(run, row) for run in runs for row in headlines(run)[:each]]
    left = sum(len(headlines(run)) for run in runs) - len(chosen)
    for run, row in chosen:
        number = written(row)
        name = headline(row)
        cells = (run.audit, name, number.value, number.interval, count(row.get("n")))
        lines.append(markdown_row(cells))
    if left:
        lines += ["", f"{left} further metrics are in the report."]
    lines += ["", f"<sub>CLIP Workbench {version()}; label sets and limits are in the report.</sub>", ""]
    return "\n".join(lines)


def headlines(run: Run) -> list[dict[str, object]]:
    """Return each metric's overall value and the gaps between groups, without what stands on too small an n.

    Metrics that findings are about come first, the best supported before the others.
    """
    first = {entry.finding.metric: at for at, entry in reversed(list(enumerate(rank([run]))))}
    chosen = [
        row
        for row in rows(run.metrics)
        if not slice_of(row.get("slice"))
        and known(row.get("value")) is not None
        and str(row.get("contrast") or "none") in ("none", *GAPS, "paired")
        and (row.get("contrast") in GAPS or "suppressed" not in str(row.get("flags") or ""))
    ]
    return sorted(chosen, key=lambda row: first.get(str(row["metric"]), len(first)))


def headline(row: dict[str, object]) -> str:
    """Name a headline: metric, what kind of difference it is, label set."""
    by = str(row.get("slice_by") or "").replace(",", " and ")
    kinds: dict[str, str] = {
        GAPS[0]: f", gap by {by}",
        GAPS[1]: f", gap by {by}, groups of at least 30",
        "paired": ", paired difference",
    }
    kind = kinds.get(str(row.get("contrast")), "")
    return title(str(row["metric"])) + kind + (f" ({row['label_set']})" if row.get("label_set") else "")


def gate(result: GateResult) -> str:
    """Return the outcome of a gate, rule by rule."""
    lines = [
        "",
        f"### {SIGNS[result.outcome]} Gate: {result.outcome.replace('_', ' ')}",
        "",
        "| | rule | requires | measured |",
        "|---|---|---|---|",
    ]
    lines += [_rule(rule) for rule in result.rules]
    lines += ["", *(f"- {_sentence(line)}" for line in not_judged(result))]
    names = ", ".join(markdown_cell(name) for name in dict.fromkeys(result.protocols))
    return "\n".join([*lines, "", *([f"Protocols: {names}.", ""] if names else [])])


def _rule(rule: RuleResult) -> str:
    worst = deciding(rule)
    measured = f"{slice_text(worst[0].slice)}: {check_text(worst[0])}" if worst else rule.message
    if len(rule.checks) > 1:
        measured += f"; {len(worst)} of {len(rule.checks)} numbers {rule.outcome.replace('_', ' ')}"
    only = " (warns only)" if rule.severity == "warn" else ""
    requirement = f"{rule.metric} {rule.require}"
    cells = (rule.id + only, requirement, measured)
    head = f"| {SIGNS[rule.outcome]} {rule.outcome.replace('_', ' ')} | "
    return head + " | ".join(markdown_cell(cell, SENTENCE) for cell in cells) + " |"


def _sentence(text: str) -> str:
    return markdown_cell(text, SENTENCE)
