"""A run, or a folder of runs, held against a thresholds file: may it be released?"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audits.comparing import comparison as comparing
from audits.comparing import expression, holding, not_judged
from audits.comparing.holding import Number
from audits.comparing.outcomes import Check, GateResult, NotComparable, Outcome, RuleResult
from audits.comparing.thresholds import Inconclusive, Rule, Thresholds
from audits.comparing.thresholds import check as check_thresholds
from audits.comparing.thresholds import read as read_thresholds
from audits.run_directory.reader import Run, RunLike, open_runs
from audits.run_directory.rows import rows
from workbench import errors
from workbench.errors import BadInput
from workbench.statistics.row import GAPS


@dataclass(frozen=True)
class JudgedRuns:
    """What is judged, and what it is compared with."""

    candidates: Sequence[Run]
    baselines: Sequence[Run] = ()
    joined: dict[str, Any] = field(default_factory=dict)  # run_id -> parts of the comparison, made when first asked for


def gate(
    run: RunLike | Sequence[RunLike],
    thresholds: Path | str | Mapping[str, Any] | Thresholds,
    *,
    baseline: RunLike | None = None,
    inconclusive: Inconclusive | None = None,
) -> GateResult:
    """Hold runs against thresholds.

    `run` and `baseline` (for rules about `paired.` differences) are run directories, or folders that hold some.
    `inconclusive` is what an undecided rule counts as; without it the thresholds decide.

    Returns:
        The outcome of each rule, and an exit code: 0 passed, 1 failed, 4 a group is not judged and not accepted so,
        or a rule is undecided and that counts as a failure, 7 a rule matched nothing or nothing was judged.

    Raises:
        BadInput: thresholds or runs that cannot be read.
        NotComparable: a partial run, or a baseline that was not measured alike.

    Example:
        >>> import audits
        >>> run = audits.run("limits/counting", "fake")
        >>> rule = {"id": "counts", "metric": "accuracy", "require": "value >= 0.9"}
        >>> audits.gate(run, {"schema": 1, "rules": [rule]}).outcome
        'FAIL'
    """
    given = read_thresholds(thresholds) if isinstance(thresholds, Path | str) else check_thresholds(thresholds)
    policy = inconclusive or given.defaults.inconclusive
    if policy not in ("fail", "warn", "pass"):
        raise BadInput(f"An inconclusive rule counts as fail, warn or pass; got {policy!r}.")
    runs = JudgedRuns(open_runs(run), open_runs(baseline) if baseline else ())
    if partial := [record.run_id for record in (*runs.candidates, *runs.baselines) if record.header.partial]:
        raise NotComparable(f"A partial run is not judged: {', '.join(partial[:4])}. Run it without a limit.")
    results = [_judge(rule, given, runs) for rule in given.rules]
    outcome, code = _sum(results, policy)
    return GateResult(
        outcome=outcome,
        exit_code=code,
        rules=results,
        inconclusive=policy,
        runs=[record.run_id for record in runs.candidates],
        baseline=[record.run_id for record in runs.baselines],
        title=given.title,
        protocols=[f"{run.audit}: {run.header.spec.protocol}" for run in runs.candidates],
    )


def _judge(rule: Rule, given: Thresholds, runs: JudgedRuns) -> RuleResult:
    requirement, defaults = expression.parse(rule.require), given.defaults
    records = {
        record.run_id: record
        for record in runs.candidates
        if rule.audit in (None, record.audit) and rule.model in (None, record.model, str(record.header.spec.model))
    }
    problem = _problem(rule, list(records.values()), paired=requirement.paired, baseline=bool(runs.baselines))
    if problem:
        return _without(rule, *problem)
    min_n = defaults.min_n if rule.min_n is None else rule.min_n
    level, correction = rule.level or defaults.level, rule.correction or defaults.correction

    def accept(check: Check) -> Check:
        reasons = given.accept_not_judged
        return not_judged.accepted(check, reasons, audit=records[check.run_id].audit, metric=rule.metric)

    def group(record: Run, row: Mapping[str, Any], least: int) -> Check | None:
        why = not_judged.reason(row, requirement, max(min_n, least))
        return accept(holding.blank(_number(row, record), level, "NOT_JUDGED", why=why)) if why else None

    numbers: list[Number] = []
    groups: list[Check] = []
    for record in records.values():
        if requirement.paired:
            numbers += _paired(rule, record, runs)
            continue
        table = list(rows(record.metrics))
        for row in filter(functools.partial(holding.about, rule), table):
            held: Mapping[str, Any] = row
            if row.get("contrast") in GAPS:
                held, checks = not_judged.of_gap(row, table, functools.partial(group, record))
                groups += checks
            numbers.append(_number(held, record, "" if held is row else "between groups of at least 30"))
    if not numbers:
        return _without(rule, "ERROR", _nothing(rule, list(records.values())))
    family = holding.hold(numbers, requirement, level=level, correction=correction, min_n=min_n)
    every = [*map(accept, family), *groups]
    return RuleResult(
        id=rule.id,
        audit=rule.audit or "",
        metric=rule.metric,
        require=str(requirement),
        outcome=holding.worst([check.outcome for check in every]),
        severity=rule.severity,
        tests=len(family),
        checks=every,
        message=rule.why,
        point=requirement.point,
    )


def _problem(rule: Rule, records: Sequence[Run], *, paired: bool, baseline: bool) -> tuple[Outcome, str] | None:
    """Return why a rule cannot be held against anything."""
    broken = [record for record in records if record.status != "success"]
    if not records:
        what = " and ".join(part for part in (rule.audit, rule.model) if part)
        return "ERROR", f"No run is about {what}."
    if broken:
        return "ERROR", f"{broken[0].run_id} did not finish (status {broken[0].status})."
    if rule.baseline == "required" and not baseline:
        return "ERROR", "The rule needs a baseline, and none was given."
    return ("NOT_RUN", "No baseline was given.") if paired and not baseline else None


def _number(row: Mapping[str, Any], record: Run, note: str = "") -> Number:
    def bounds(level: float) -> holding.Bounds:
        made = holding.at_level(row, level)
        return replace(made, note="; ".join(filter(None, (note, made.note))))

    return Number(row, record.run_id, record.model, bounds)


def _paired(rule: Rule, record: Run, runs: JudgedRuns) -> list[Number]:
    """Return the differences to the baseline's run of the same audit; their intervals are made anew at each level."""
    base = _base(record, runs.baselines)
    if record.run_id not in runs.joined:
        joined, _ = comparing.joined_samples(base, record, allow_mismatch=False)
        attributes = tuple(name for name in base.header.dataset.attributes if name in joined.columns)
        runs.joined[record.run_id] = list(comparing.parts(joined, attributes))
    numbers = []
    for part in runs.joined[record.run_id]:
        where = {part.by: part.value} if part.by else {}
        row = {"metric": part.metric, "label_set": part.label_set, "slice": where, "slice_by": part.by}
        if holding.about(rule, {**row, "contrast": "paired"}):
            numbers.append(_paired_number(part, base, record))
    return numbers


def _paired_number(part: comparing.Part, base: Run, record: Run) -> Number:
    @functools.cache
    def bounds(level: float) -> holding.Bounds:
        measure = comparing.measured(part, base.run_id, level=level)
        values = (measure.value, measure.ci_low, measure.ci_high) if measure else (None, None, None)
        return holding.Bounds(*values)

    first = comparing.measured(part, base.run_id)
    row = {} if first is None else {"n": first.n, "value": first.value, "unit": first.unit, "slice": first.slice_json}
    return Number(row, record.run_id, record.model, bounds)


def _base(record: Run, baselines: Sequence[Run]) -> Run:
    """Return the baseline's run that answers the same question.

    Raises:
        NotComparable: there is none, or more than one.
    """
    same_audit = [one for one in baselines if one.audit == record.audit]
    same = [one for one in same_audit if one.header.hashes.protocol == record.header.hashes.protocol]
    same = [one for one in same if one.header.hashes.dataset == record.header.hashes.dataset] or same
    chosen = same or same_audit
    if len(chosen) != 1:
        raise NotComparable(f"The baseline holds {len(chosen)} runs of {record.audit!r}; one is needed.")
    return chosen[0]


def _without(rule: Rule, outcome: Outcome, message: str) -> RuleResult:
    audit, requirement = rule.audit or "", str(expression.parse(rule.require))
    return RuleResult(rule.id, audit, rule.metric, requirement, outcome, rule.severity, 0, (), message)


def _nothing(rule: Rule, records: Sequence[Run]) -> str:
    have = sorted({str(name) for record in records if len(record.metrics) for name in record.metrics["metric"]})
    if rule.metric not in have:
        return f"No row has the metric {rule.metric!r}; there are: {', '.join(have[:12]) or 'none'}."
    where = ", ".join(f"{key} {value}" for key, value in rule.slice.items()) or "everybody"
    by = ", ".join(rule.by) or "any"
    return f"The metric {rule.metric!r} has no row for {where}, contrast {rule.contrast}, by {by}."


def _sum(results: Sequence[RuleResult], policy: str) -> tuple[Outcome, int]:
    """Return the outcome of all rules together, and its exit code."""
    failing = [rule for rule in results if rule.outcome == "FAIL" and rule.severity == "fail"]
    unsure = [rule for rule in results if rule.outcome == "INCONCLUSIVE" and rule.severity == "fail"]
    unjudged = any(rule.outcome == "NOT_JUDGED" and rule.severity == "fail" for rule in results)
    if failing:
        return "FAIL", errors.FAILED
    if any(rule.outcome == "ERROR" for rule in results):
        return "ERROR", errors.NOTHING_MEASURED
    if all(rule.outcome == "NOT_RUN" for rule in results):
        return "NOT_RUN", errors.NOTHING_MEASURED
    if unjudged or (unsure and policy == "fail"):
        return "INCONCLUSIVE", errors.INCONCLUSIVE
    return ("INCONCLUSIVE", errors.DONE) if unsure and policy == "warn" else ("PASS", errors.DONE)
