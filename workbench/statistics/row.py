"""One number of an audit with everything that must stand beside it, as a row of a table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict

from workbench.statistics.p_values import UpperBound

if TYPE_CHECKING:
    from workbench.statistics.intervals import Interval

Direction = Literal["higher", "lower", "none"]  # is better
Contrast = Literal["none", "between_groups", "between_groups_of_at_least_30", "to_overall", "to_reference", "paired"]
GAPS: tuple[Contrast, Contrast] = ("between_groups", "between_groups_of_at_least_30")  # the second beside the first
LEAST_P = "least_p"  # flag: no resample is as extreme, the p-value is an upper bound
SMALL, SUPPRESSED = 100, 30  # cases: below the first a number is flagged, below the second no headline shows it
FLAGS = (  # below and above the other groups together; reversed: the other way within strata
    *("small_n", "suppressed", "degenerate", "undefined", "reversed"),
    *("not_judged", "below_others", "above_others", LEAST_P),
)
DTYPES = {  # of the table; null, never NaN
    **dict.fromkeys(("n", "k_pos", "n_effective", "n_needed", "n_tests"), "Int64"),
    **dict.fromkeys(("value", "ci_low", "ci_high", "level", "detectable", "null_mean", "null_q95"), "Float64"),
    **dict.fromkeys(("p_value", "p_adj", "published_value"), "Float64"),
}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of an audit. None is null: not worked out, or not defined (then `flags` says so)."""

    metric: str  # "accuracy.gender"
    unit: str = "share"  # share, difference, ratio, nats, d, …
    direction: Direction = "none"
    label_set: str = ""
    template_set: str = ""
    slice_by: str = ""  # attributes of the slice, joined by commas; of the groups compared, in a gap
    slice: Mapping[str, str] = field(default_factory=dict)  # attribute -> value; empty for everybody
    control: str = ""  # attributes held fixed, joined by commas
    n: int | None = None  # cases counted
    k_pos: int | None = None  # of them, those that the metric counts
    n_effective: int | None = None  # what n are worth as independent cases; of shares only
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    level: float | None = None
    ci_method: str = ""
    detectable: float | None = None  # smallest difference that 80 of 100 runs would find: of a share, from other groups
    n_needed: int | None = None  # of a number that is not judged: about how many cases would be enough
    contrast: Contrast = "none"
    reference: str = ""  # what the contrast is against
    null_mean: float | None = None  # of the value if chance alone were at work
    null_q95: float | None = None
    p_value: float | None = None
    p_adj: float | None = None
    correction: str = ""
    n_tests: int | None = None  # of the family
    family: str = ""  # tests that are corrected together; metric and slice_by, unless given
    flags: tuple[str, ...] = ()  # of FLAGS
    published_value: float | None = None
    published_source: str = ""
    at_level: Callable[[float], Interval] | None = field(default=None, compare=False, repr=False)  # no column

    def __post_init__(self) -> None:
        unknown = [flag for flag in self.flags if flag not in FLAGS]
        if unknown:
            raise ValueError(f"no such flag: {unknown[0]!r}; known: {', '.join(FLAGS)}")
        for name, kind in DTYPES.items():
            number = getattr(self, name)
            if kind == "Float64" and number is not None and not math.isfinite(number):
                raise ValueError(f"{name} of {self.metric!r} is {number}: what is not defined is None")
        if isinstance(self.p_value, UpperBound):
            object.__setattr__(self, "flags", tuple(flag for flag in FLAGS if flag in {*self.flags, LEAST_P}))
        if not self.family:
            object.__setattr__(self, "family", f"{self.metric}|{self.slice_by}")

    @property
    def slice_json(self) -> str:
        """The slice as canonical JSON: sorted keys, no spaces, text as it is."""
        return canonical(self.slice)


class Extra(TypedDict, total=False):
    """Fields of a `Measure` that are taken as they are."""

    unit: str
    direction: Direction
    label_set: str
    template_set: str
    control: str
    contrast: Contrast
    reference: str
    null_mean: float | None
    null_q95: float | None
    detectable: float | None
    p_value: float | None
    family: str
    flags: tuple[str, ...]
    published_value: float | None
    published_source: str


def canonical(slice: Mapping[str, str]) -> str:
    """Return a slice as canonical JSON: sorted keys, no spaces, text as it is."""
    return json.dumps(
        {str(key): str(slice[key]) for key in sorted(slice, key=str)}, separators=(",", ":"), ensure_ascii=False
    )


def sized(n: int | None, value: float | None, flags: Iterable[str] = (), *, small: int = SMALL) -> tuple[str, ...]:
    """Return flags, in the order of FLAGS, for a number that n cases stand behind (of a gap: its smallest group)."""
    raised = set(flags)
    if n is not None and n < small:
        raised.add("small_n")
    if n is not None and n < SUPPRESSED:
        raised.add("suppressed")
    if value is None:
        raised.add("undefined")
    return tuple(flag for flag in FLAGS if flag in raised)
