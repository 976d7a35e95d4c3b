"""Gaps between groups beside what chance alone gives: a largest minus a smallest share is never below zero.

Works on counts (k of n a group), so that ten thousand resamples take milliseconds. Knows no attribute and no picture.

    value   largest minus smallest share
    low     largest simultaneous lower bound over all pairs: a bootstrap of the largest studentised error, so that it is
            above 0 without a true gap at most (1 - level) / 2 of the time
    high    largest upper Newcombe bound over all pairs: the truly extreme pair is among them
    null    the same total of successes dealt to the groups at random, within control strata where there are any
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput
from workbench.statistics import intervals, multiplicity
from workbench.statistics._checks import Counts, arrays, check_level
from workbench.statistics.intervals import RESAMPLES, Interval
from workbench.statistics.omnibus import Omnibus, deal, omnibus

METHOD = "max-t bootstrap to Newcombe over pairs"
__all__ = ["Gap", "Omnibus", "Pair", "between_variance", "gap", "omnibus", "pairwise"]
_CELLS = 4_000_000  # of one block of resamples, to bound memory


@dataclass(frozen=True)
class Gap:
    """The distance between the extreme groups, and whether chance would do."""

    value: float | None  # largest minus smallest share, 0..1; None with fewer than two groups that have members
    low: float | None
    high: float | None
    level: float
    method: str
    null_mean: float | None  # of the gap if groups were alike
    null_q95: float | None
    p_value: float | None  # permutation: how often chance gives a gap as large
    lowest: Any  # group with the smallest share, the first one given among equals; None where undefined
    highest: Any
    ratio: float | None  # smallest / largest share; None where the largest is 0
    omnibus: Omnibus
    between_variance: float | None  # of the groups' true shares, noise taken off; may be below 0
    n: int
    k: int
    smallest: int  # size of the smallest group that has members
    empty: tuple[Any, ...]  # groups without members: they have no share
    flags: tuple[str, ...]  # "degenerate": nobody or everybody counts in every group

    @property
    def interval(self) -> Interval:
        """The value with its bounds."""
        return Interval(self.value, self.low, self.high, self.level, self.method)


def gap(
    counts: Counts,
    *,
    rng: np.random.Generator | int,
    strata: Mapping[Any, Counts] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Gap:
    """Return the gap between the groups' shares, with interval, null and tests.

    Args:
        counts: group -> (k, n).
        rng: generator or seed.
        strata: stratum -> the same groups' counts within it; they add up to `counts`. Chance then deals within strata.
        resamples: of the bootstrap and of the null.
        level: of confidence.

    Raises:
        BadInput: counts that cannot be, strata that do not add up, a level outside (0, 1).

    Source:
        Lum, Zhang and Bower 2022, arXiv:2205.05770 (bias of gap metrics); Romano and Wolf 2005, Econometrica
        73:1237 (largest of studentised errors).
    """
    check_level(level)
    tables = [counts] if strata is None else list(strata.values())
    if strata is not None:
        _check_sums(counts, strata)
    groups, k, n = arrays(counts)
    empty = tuple(group for group, size in zip(groups, n, strict=True) if size == 0)
    kept = [group for group in groups if group not in empty]
    if len(kept) < 2:
        return _undefined(level, k, n[n > 0], empty=empty)
    members = {group: counts[group] for group in kept}
    return _of_members(members, tables, rng=rng, resamples=resamples, level=level, empty=empty)


def _of_members(
    counts: Counts,
    tables: list[Counts],
    *,
    rng: np.random.Generator | int,
    resamples: int,
    level: float,
    empty: tuple[Any, ...],
) -> Gap:
    groups, k, n = arrays(counts)
    generator = np.random.default_rng(rng)
    share = k / n
    value = float(share.max() - share.min())
    low, high = _bounds(k, n, generator, resamples=resamples, level=level)
    null = _null(tables, groups, generator, resamples=resamples)
    return Gap(
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=level,
        method=METHOD + (f"; without members: {', '.join(map(str, empty))}" if empty else ""),
        null_mean=float(null.mean()),
        null_q95=float(np.quantile(null, 0.95)),
        p_value=float((1 + (null >= value - 1e-12).sum()) / (1 + len(null))),
        lowest=groups[int(share.argmin())],
        highest=groups[int(share.argmax())],
        ratio=float(share.min() / share.max()) if share.max() > 0 else None,
        omnibus=omnibus(tables, rng=generator, resamples=resamples),
        between_variance=between_variance(counts),
        n=int(n.sum()),
        k=int(k.sum()),
        smallest=int(n.min()),
        empty=empty,
        flags=("degenerate",) if k.sum() in (0, n.sum()) else (),
    )


def between_variance(counts: Counts) -> float | None:
    """Return the variance of the groups' true shares, with the part that is only sampling noise taken off.

    Groups of fewer than two members have no noise estimate and are left out; None with fewer than two groups left.

    Source:
        Lum, Zhang and Bower 2022, arXiv:2205.05770, section 4.
    """
    _, k, n = arrays(counts)
    k, n = k[n > 1], n[n > 1]
    if len(n) < 2:
        return None
    share = k / n
    return float(share.var(ddof=1) - (share * (1 - share) / (n - 1)).mean())


@dataclass(frozen=True)
class Pair:
    """Two groups set side by side."""

    group: Any
    reference: Any
    difference: Interval  # share of `group` minus share of `reference`
    p_value: float | None  # Fisher exact where an expected count is below 5, else score
    p_adj: float | None
    tests: int  # of this family
    method: str


def pairwise(
    counts: Counts,
    *,
    reference: Hashable | None = None,
    level: float = 0.95,
    correction: multiplicity.Correction = "holm",
) -> list[Pair]:
    """Return every pair of groups, or every group against one, tested and corrected as one family.

    Raises:
        BadInput: counts that cannot be, or a reference that is no group.
    """
    groups, _, _ = arrays(counts)
    if reference is not None and reference not in counts:
        raise BadInput(f"The reference must be one of the groups {', '.join(map(str, groups))}; got {reference!r}.")
    if reference is None:
        pairs = [(one, other) for at, other in enumerate(groups) for one in groups[at + 1 :]]
    else:
        pairs = [(one, reference) for one in groups if one != reference]
    tests = [_two(counts[one], counts[other]) for one, other in pairs]
    adjusted = multiplicity.adjust([p for p, _ in tests], correction=correction)
    return [
        Pair(
            one, other, intervals.difference(counts[one], counts[other], level=level), p, fixed.p_adj, fixed.tests, name
        )
        for (one, other), (p, name), fixed in zip(pairs, tests, adjusted, strict=True)
    ]


def _two(first: tuple[int, int], second: tuple[int, int]) -> tuple[float | None, str]:
    found = omnibus([{0: first, 1: second}], rng=0)
    if found.p_value is None and first[1] and second[1]:
        return 1.0, "nothing varies"
    return found.p_value, {"chi-square": "score"}.get(found.method, found.method)


def _check_sums(counts: Counts, strata: Mapping[Any, Counts]) -> None:
    groups = set(counts)
    for part in strata.values():
        arrays(part)
        groups |= set(part)
    for group in groups:
        parts = [part.get(group, (0, 0)) for part in strata.values()]
        total = (sum(k for k, _ in parts), sum(n for _, n in parts))
        if total != tuple(counts.get(group, (0, 0))):
            raise BadInput(
                f"The strata must add up to the counts; group {group!r} has {counts.get(group)} and {total}."
            )


def _undefined(level: float, k: NDArray[Any], n: NDArray[Any], *, empty: tuple[Any, ...]) -> Gap:
    nothing = Omnibus(None, None, None, "undefined: fewer than two groups")
    return Gap(
        None, None, None, level, "undefined: fewer than two groups with members", None, None, None, None, None, None,
        nothing, None, int(n.sum()), int(k.sum()), int(n.min()) if len(n) else 0, empty, (),
    )  # fmt: skip


def _null(tables: list[Counts], groups: list[Any], rng: np.random.Generator, *, resamples: int) -> NDArray[np.float64]:
    k, n = np.zeros((resamples, len(groups))), np.zeros(len(groups))
    for table in tables:
        part = np.array([table.get(group, (0, 0)) for group in groups], dtype=np.int64)
        k += deal(part[:, 0], part[:, 1], rng=rng, resamples=resamples)
        n += part[:, 1]
    share = k / n
    gaps: NDArray[np.float64] = share.max(1) - share.min(1)
    return gaps


def _bounds(
    k: NDArray[np.int64], n: NDArray[np.int64], rng: np.random.Generator, *, resamples: int, level: float
) -> tuple[float, float]:
    one, other = np.triu_indices(len(n), 1)
    shrunk = (k + 1) / (n + 2)  # an observed 0 is no proof of 0
    block = max(1, _CELLS // len(one))
    largest = [
        _largest_error(shrunk, n, rng.binomial(n, shrunk, size=(min(block, resamples - at), len(n))))
        for at in range(0, resamples, block)
    ]
    reach = float(np.quantile(np.concatenate(largest), (1 + level) / 2))
    spread = np.sqrt(shrunk * (1 - shrunk) / n)
    apart = np.abs(k[one] / n[one] - k[other] / n[other])
    low = float((apart - reach * np.hypot(spread[one], spread[other])).max())
    return max(0.0, low), _upper(k / n, n, level)


def _largest_error(true: NDArray[np.float64], n: NDArray[np.int64], k: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m, groups) resampled successes -> (m,) largest error of a pairwise difference, in its standard errors."""
    one, other = np.triu_indices(len(n), 1)
    shrunk = (k + 1) / (n + 2)
    spread, error = shrunk * (1 - shrunk) / n, k / n - true
    found: NDArray[np.float64] = (
        np.abs(error[:, one] - error[:, other]) / np.sqrt(spread[:, one] + spread[:, other])
    ).max(1)
    return found


def _upper(share: NDArray[np.float64], n: NDArray[np.int64], level: float) -> float:
    """Return the largest upper Newcombe bound over all ordered pairs (the hybrid formula, for all pairs at once)."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(np.rint(share * n), n, alpha=1 - level, method="wilson")
    above, below = np.asarray(high) - share, share - np.asarray(low)
    bounds = share[:, None] - share[None, :] + np.hypot(above[:, None], below[None, :])
    np.fill_diagonal(bounds, -math.inf)
    return min(1.0, float(bounds.max()))
