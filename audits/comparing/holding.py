"""One rule held against numbers: which rows it is about, and what each comes to when all of them count together.

Several numbers of one rule are a family. Under Holm, the one that is furthest outside is looked at with an interval at
level 1 - alpha / m, the next at 1 - alpha / (m - 1), and so on until one is not wholly outside; the rest is judged at
the level reached there. So the chance that any number fails while all are within the bound is at most alpha. The
intervals at these levels are made anew where a share's counts are known, else widened.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audits.comparing import not_judged
from audits.comparing.expression import CHANCE, Requirement
from audits.comparing.outcomes import WORST_FIRST, Check, Outcome
from audits.comparing.thresholds import Rule
from audits.run_directory.rows import known, slice_of

EVERY = "*"
SAME = 1e-6  # intervals that differ by less were made in the same way
NOTE = "interval widened by the normal quantile"


@dataclass(frozen=True)
class Bounds:
    """A value and its interval at some level."""

    value: float | None
    low: float | None
    high: float | None
    note: str = ""  # how the interval was come by, where not as the table says


@dataclass(frozen=True)
class Number:
    """One row of a metrics table or of a comparison, whose interval can be had at any level."""

    row: Mapping[str, Any]
    run_id: str
    model: str
    bounds: Callable[[float], Bounds]


def at_level(row: Mapping[str, Any], level: float) -> Bounds:
    """Return a row's interval at a level.

    A share whose counts stand in the row gets its interval anew, if that way reproduces the row's own interval. Any
    other interval is stretched on each side by the quotient of the normal quantiles; the note says so.
    """
    value, low, high, given = (known(row.get(name)) for name in ("value", "ci_low", "ci_high", "level"))
    if value is None or low is None or high is None or given is None or abs(given - level) < 1e-12:
        return Bounds(value, low, high)
    anew = _share(row, given, level)
    if anew is not None:
        return Bounds(value, *anew)
    from scipy.stats import norm

    factor = float(norm.ppf((1 + level) / 2) / norm.ppf((1 + given) / 2))
    ends = value - factor * (value - low), value + factor * (high - value)
    if row.get("unit") == "share":
        ends = max(0.0, ends[0]), min(1.0, ends[1])
    return Bounds(value, *ends, NOTE)


def about(rule: Rule, row: Mapping[str, Any]) -> bool:
    """Say whether a rule is about a row; slices, groups and label sets must fit, `*` fits every value."""
    where, required = slice_of(row.get("slice")), rule.slice
    if str(row.get("metric")) != rule.metric or where.keys() != required.keys():
        return False
    if any(expected not in (EVERY, where[key]) for key, expected in required.items()):
        return False
    contrast = str(row.get("contrast") or "none")
    if contrast != rule.contrast and not (contrast == "paired" and rule.contrast == "none"):
        return False  # a paired difference within one run is a number of its own
    for expected, name in ((rule.label_set, "label_set"), (rule.control, "control")):
        if expected is not None and str(row.get(name) or "") != expected:
            return False
    by = {part for part in str(row.get("slice_by") or "").split(",") if part}
    return not rule.by or by == set(rule.by)


def hold(
    numbers: Sequence[Number], requirement: Requirement, *, level: float, correction: str, min_n: int
) -> list[Check]:
    """Hold each number against a requirement.

    Args:
        numbers: m rows, a family.
        requirement: what each must fulfil.
        level: of the family, such as 0.95.
        correction: "holm" or "none".
        min_n: with fewer cases a number is not judged, whatever the value.

    Returns:
        m checks, in the order given.
    """
    checks: dict[int, Check] = {}
    for at, number in enumerate(numbers):
        if known(number.row.get("value")) is None and not slice_of(number.row.get("slice")):
            checks[at] = blank(number, level, "ERROR", why="the value is not defined on these data")
        elif why := not_judged.reason(number.row, requirement, min_n):
            checks[at] = blank(number, level, "NOT_JUDGED", why=why)
    left = [at for at in range(len(numbers)) if at not in checks]
    while left:
        here = 1 - (1 - level) / (len(left) if correction == "holm" and not requirement.point else 1)
        judged = {at: _check(numbers[at], requirement, here) for at in left}
        failed = [at for at in left if judged[at].outcome == "FAIL"]
        if not failed or correction != "holm" or requirement.point:
            checks |= judged
            break
        checks |= {at: judged[at] for at in failed}
        left = [at for at in left if at not in failed]
    return [checks[at] for at in range(len(numbers))]


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome that decides: the first of `WORST_FIRST`; where all are accepted, nothing is judged."""
    first = min(outcomes, key=WORST_FIRST.index)
    return "NOT_JUDGED" if first == "ACCEPTED" else first


def _check(number: Number, requirement: Requirement, level: float) -> Check:
    bounds = number.bounds(level)
    numbers: dict[str, float | None] = {"value": bounds.value, "ci_low": bounds.low, "ci_high": bounds.high}
    numbers |= {name: known(number.row.get(name)) for name in CHANCE}
    outcome = requirement.judge(numbers)
    if outcome is None:
        missing = requirement.bound if requirement.bound in CHANCE else requirement.column
        return blank(number, level, "ERROR", why=f"the row has no {missing}")
    crossed = f"the interval includes {requirement.bound}" if outcome == "INCONCLUSIVE" else ""
    check = blank(number, level, outcome, why="; ".join(filter(None, (crossed, bounds.note))))
    return dataclasses.replace(check, value=bounds.value, ci_low=bounds.low, ci_high=bounds.high)


def blank(number: Number, level: float, outcome: Outcome, *, why: str) -> Check:
    """Return a number as a check with an outcome and its reason."""
    bounds = number.bounds(level)
    n = known(number.row.get("n"))
    return Check(
        run_id=number.run_id,
        model=number.model,
        slice=str(number.row.get("slice") or "{}"),
        n=None if n is None else int(n),
        value=bounds.value,
        ci_low=bounds.low,
        ci_high=bounds.high,
        level=level,
        unit=str(number.row.get("unit") or ""),
        outcome=outcome,
        why=why,
    )


def _share(row: Mapping[str, Any], given: float, level: float) -> tuple[float, float] | None:
    from workbench.statistics.intervals import proportion

    k, n = known(row.get("k_pos")), known(row.get("n"))
    contrast = str(row.get("contrast") or "none")
    if k is None or n is None or not 0 <= k <= n or n < 1 or row.get("unit") != "share" or contrast != "none":
        return None
    before = proportion(int(k), int(n), level=given)
    same = all(
        mine is not None and abs(mine - float(row[name])) < SAME
        for mine, name in ((before.low, "ci_low"), (before.high, "ci_high"))
    )
    after = proportion(int(k), int(n), level=level)
    return (after.low, after.high) if same and after.low is not None and after.high is not None else None
