"""What a comparison and a gate say, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.errors import NOT_COMPARABLE, WorkbenchError

if TYPE_CHECKING:
    from pandas import DataFrame

Outcome = Literal["PASS", "FAIL", "NOT_JUDGED", "INCONCLUSIVE", "ERROR", "NOT_RUN", "ACCEPTED"]  # accepted: not judged
WORST_FIRST: tuple[Outcome, ...] = ("ERROR", "FAIL", "NOT_JUDGED", "INCONCLUSIVE", "NOT_RUN", "PASS", "ACCEPTED")


class NotComparable(WorkbenchError):
    """Two runs that were not measured in the same way, or one that is not whole."""

    exit_code = NOT_COMPARABLE


@dataclass(frozen=True)
class Comparison:
    """Two runs, image by image."""

    base: str  # run_id
    candidate: str  # run_id
    audit: str
    metrics: DataFrame  # the tidy schema, contrast "paired": candidate minus base, a row a metric and slice
    flips: DataFrame  # images whose outcome changed
    correction: str
    tests: int  # how many p-values were adjusted, over all families
    mismatches: Sequence[str] = ()  # what differed and was let pass
    models: tuple[str, str] = ("", "")
    protocols: tuple[str, str] = ("", "")  # their names; changed settings stand in them


@dataclass(frozen=True)
class Check:
    """One number held against a rule, or one group that the rule cannot judge."""

    run_id: str
    model: str
    slice: str  # canonical JSON
    n: int | None
    value: float | None
    ci_low: float | None  # at `level`, not at the level of the metrics table
    ci_high: float | None
    level: float  # of the interval, after the family correction
    unit: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True)
class RuleResult:
    """What one rule came to: the worst of its checks; NOT_JUDGED where all of them are accepted as not judged."""

    id: str
    audit: str
    metric: str
    require: str
    outcome: Outcome
    severity: str
    tests: int  # numbers in the family
    checks: Sequence[Check] = ()
    message: str = ""
    point: bool = False  # the value alone was looked at, not its interval


@dataclass(frozen=True)
class GateResult:
    """What all rules came to."""

    outcome: Outcome
    exit_code: int
    rules: Sequence[RuleResult]
    inconclusive: str  # what was done with undecided rules: "fail", "warn" or "pass"
    runs: Sequence[str] = ()  # run_ids
    baseline: Sequence[str] = ()
    title: str = ""
    protocols: Sequence[str] = ()  # "audit: name" of the runs; changed settings stand in the name

    def count(self, outcome: Outcome) -> int:
        """Return how many rules came to that."""
        return sum(rule.outcome == outcome for rule in self.rules)
