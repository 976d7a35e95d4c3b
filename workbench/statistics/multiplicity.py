"""Many tests at once: p-values adjusted by family, and intervals adjusted with them.

A family is a name. Holm for gates, Benjamini-Hochberg for exploration. Each row of a family has a level of its own, at
which its interval excludes the null value exactly where its adjusted p-value is below 1 - level: Bonferroni's level, or
for rows that a stepwise correction rejects, the level of the step at which it does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.errors import BadInput
from workbench.statistics.intervals import Interval
from workbench.statistics.p_values import UpperBound

Correction = Literal["holm", "bh", "none"]
CORRECTIONS = ("holm", "bh")


@dataclass(frozen=True)
class Adjusted:
    """A p-value after correction, and how many tests its family has."""

    p_value: float | None  # as it was
    p_adj: float | None  # None where there was no p-value
    tests: int  # of the family, those without a p-value not counted
    correction: str

    @property
    def bound(self) -> bool:
        """Whether no resample was as extreme, so that the p-value is an upper bound."""
        return isinstance(self.p_value, UpperBound)

    def level(self, level: float = 0.95) -> float:
        """Return the level of this row's interval, so that the family's intervals hold together at `level`."""
        if self.correction == "none" or self.tests < 2 or self.p_value is None or self.p_adj is None:
            return level
        rejected = self.p_value > 0 and self.p_adj < 1 - level
        return 1 - (1 - level) * (self.p_value / self.p_adj if rejected else 1 / self.tests)


def simultaneous(interval: Interval, test: Adjusted) -> Interval:
    """Return the interval that belongs to an adjusted p-value; as it is where it cannot be worked out anew.

    Its `level` stays that of the family; `method` names the correction.
    """
    level = test.level(interval.level)
    if interval.at_level is None or level == interval.level:
        return interval
    wider = interval.at_level(level)
    if wider.low is None or wider.high is None or interval.value is None:
        bounds = wider.low, wider.high
    else:
        bounds = min(wider.low, interval.value), max(wider.high, interval.value)
    method = f"{interval.method}; simultaneous, {test.correction}, {test.tests} tests"
    return dataclasses.replace(interval, low=bounds[0], high=bounds[1], method=method)


def adjust(
    p_values: Sequence[float | None],
    *,
    family: Sequence[Hashable] | None = None,
    correction: Correction = "holm",
) -> list[Adjusted]:
    """Return each p-value adjusted within its family, in the order given.

    Args:
        p_values: n of them, 0..1; None where a test could not be done: it stays None and is not counted.
        family: n names; without it all tests are one family.
        correction: "holm" (family-wise error), "bh" (false discovery rate) or "none".

    Raises:
        BadInput: a p-value outside 0..1, another number of families, or no such correction.

    Source:
        Holm 1979, Scand. J. Stat. 6:65; Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57:289.
    """
    if correction not in (*CORRECTIONS, "none"):
        raise BadInput(f"A correction is 'holm', 'bh' or 'none'; got {correction!r}.")
    families = [None] * len(p_values) if family is None else list(family)
    if len(families) != len(p_values):
        raise BadInput(f"Each p-value needs one family; got {len(families)} for {len(p_values)}.")
    wrong = [p for p in p_values if p is not None and not 0 <= p <= 1]
    if wrong:
        raise BadInput(f"A p-value lies between 0 and 1; got {wrong[0]}.")
    members: dict[Hashable, list[int]] = {}
    for at, name in enumerate(families):
        rows = members.setdefault(name, [])
        if p_values[at] is not None:
            rows.append(at)
    new: dict[int, float] = {}
    for rows in members.values():
        new.update(zip(rows, _adjusted([float(p_values[at] or 0.0) for at in rows], correction), strict=True))
    return [
        Adjusted(p, new.get(at), len(members[name]), correction)
        for at, (p, name) in enumerate(zip(p_values, families, strict=True))
    ]


def _adjusted(p_values: list[float], correction: Correction) -> list[float]:
    if correction == "none" or len(p_values) < 2:  # one test needs no correction
        return p_values
    if correction == "bh":
        from statsmodels.stats.multitest import fdrcorrection

        return [float(p) for p in fdrcorrection(p_values)[1]]
    # statsmodels' Holm collects garbage at each call, which takes a third of a second in a process with a model
    ascending, order = np.sort(p_values), np.argsort(p_values)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(ascending * np.arange(len(order), 0, -1)), 1.0)
    return [float(p) for p in adjusted]
