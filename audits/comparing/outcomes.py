"""What a comparison and a gate say, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import NOT_COMPARABLE, WorkbenchError
from workbench.results import html

if TYPE_CHECKING:
    from pandas import DataFrame

Outcome = Literal["PASS", "FAIL", "NOT_JUDGED", "INCONCLUSIVE", "ERROR", "NOT_RUN", "ACCEPTED"]  # accepted: not judged
WORST_FIRST: tuple[Outcome, ...] = ("ERROR", "FAIL", "NOT_JUDGED", "INCONCLUSIVE", "NOT_RUN", "PASS", "ACCEPTED")


class NotComparable(WorkbenchError):
    """Two runs that were not measured in the same way, or one that is not whole."""

    exit_code = NOT_COMPARABLE


@dataclass(frozen=True, repr=False)
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

    def to_frame(self) -> DataFrame:
        """Return `metrics`: a row per metric and slice, candidate minus base."""
        return self.metrics

    def to_dict(self) -> dict[str, Any]:
        """Return both runs, the models, what differed, and the rows of `metrics`."""
        facts = {"base": self.base, "candidate": self.candidate, "audit": self.audit, "models": list(self.models)}
        return {**facts, "mismatches": list(self.mismatches), "metrics": self.metrics.to_dict("records")}

    def __repr__(self) -> str:
        return f"Comparison({self.audit}, {self.models[1]} minus {self.models[0]}, {len(self.flips)} flips)"

    def _repr_html_(self) -> str:
        return html.block(repr(self), *map(html.paragraph, self.mismatches), html.table(self.metrics))


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


@dataclass(frozen=True, repr=False)
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

    def to_frame(self) -> DataFrame:
        """Return a row per rule: id, metric, require, outcome, severity, message."""
        import pandas as pd

        columns = ["id", "metric", "require", "outcome", "severity", "message"]
        return pd.DataFrame([[getattr(rule, name) for name in columns] for rule in self.rules], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Return outcome, exit code and the rows of `to_frame`."""
        rules = self.to_frame().to_dict("records")
        return {"outcome": self.outcome, "exit_code": self.exit_code, "rules": rules, "runs": list(self.runs)}

    def __repr__(self) -> str:
        return f"GateResult({self.outcome}, {self.count('PASS')} of {len(self.rules)} rules passed)"

    def _repr_html_(self) -> str:
        return html.block(repr(self), html.table(self.to_frame()))
