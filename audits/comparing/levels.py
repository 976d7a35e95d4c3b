"""Intervals at another level than the table has them: what a family of many numbers needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audits.run_directory.rows import known

SAME = 1e-6  # intervals that differ by less were made in the same way
NOTE = "interval widened by the normal quantile"


@dataclass(frozen=True)
class Bounds:
    """A value and its interval at some level."""

    value: float | None
    low: float | None
    high: float | None
    note: str = ""  # how the interval was come by, where not as the table says


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
