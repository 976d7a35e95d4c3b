"""What a rule of a thresholds file requires of a number, such as `ci_high <= 0.01`: read, never evaluated as code."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from workbench.errors import BadInput

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
COLUMNS = ("value", "ci_low", "ci_high")
CHANCE = ("null_mean", "null_q95")  # may stand on the right-hand side: "no larger than chance gives"
SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
LONGEST = 200  # characters
_FORM = re.compile(r"\s*(paired\.)?([a-z_]+)\s*(<=|>=|<|>)\s*([-+]?[0-9.eE+-]+|[a-z_0-9]+)\s*")


@dataclass(frozen=True)
class Requirement:
    """One comparison with a bound."""

    column: str  # one of `COLUMNS`
    sign: str  # one of `SIGNS`
    bound: float | str  # a number, or one of `CHANCE`
    paired: bool  # about the difference to a baseline

    @property
    def point(self) -> bool:
        """Whether the value alone is looked at, however uncertain."""
        return self.column == "value"

    @property
    def lenient(self) -> bool:
        """Whether a wide interval passes: the rule itself then asks for no precision."""
        return self.point or (self.column == "ci_low") == (self.sign in ("<=", "<"))

    def judge(self, numbers: dict[str, float | None]) -> Verdict | None:
        """Say where a number lies: wholly inside, wholly outside, or neither.

        Args:
            numbers: `value`, `ci_low`, `ci_high` and, where the bound is chance, `null_mean` and `null_q95`.

        Returns:
            None where a number that is asked for is not there.
        """
        bound = numbers.get(self.bound) if isinstance(self.bound, str) else self.bound
        number = numbers.get(self.column)
        if bound is None or number is None:
            return None
        inside = SIGNS[self.sign]
        if inside(number, bound):
            return "PASS"
        if self.point:
            return "FAIL"
        nearest = numbers.get("ci_low" if self.sign in ("<=", "<") else "ci_high")
        if nearest is None:
            return None
        return "INCONCLUSIVE" if inside(nearest, bound) else "FAIL"

    def __str__(self) -> str:
        bound = self.bound if isinstance(self.bound, str) else f"{self.bound:g}"
        return f"{'paired.' if self.paired else ''}{self.column} {self.sign} {bound}"


def parse(text: str) -> Requirement:
    """Read a requirement.

    Raises:
        BadInput: it has another form than "COLUMN SIGN BOUND", or names what is no column.
    """
    match = _FORM.fullmatch(text[:LONGEST]) if len(text) <= LONGEST else None
    if match is None:
        raise BadInput(
            'A requirement reads like "ci_high <= 0.01", "value <= 0.3", "ci_low <= null_q95" or '
            f'"paired.ci_low >= -0.01"; got {text[:LONGEST]!r}.'
        )
    paired, column, sign, right = match.groups()
    if column not in COLUMNS:
        raise BadInput(f"A requirement is about {', '.join(COLUMNS)}; got {column!r} in {text!r}.")
    if right in CHANCE:
        return Requirement(column, sign, right, bool(paired))
    try:
        bound = float(right)
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise BadInput(f"A bound is a number or one of {', '.join(CHANCE)}; got {right!r} in {text!r}.")
    return Requirement(column, sign, bound, bool(paired))
