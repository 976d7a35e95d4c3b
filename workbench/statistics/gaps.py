"""Gaps between groups, largest minus smallest share, with a test and an interval from one statistic.

    statistic   the largest studentised difference of any two groups: Miettinen and Nurminen's score of each pair
    null        the same statistic where the successes are dealt to the groups at random, within strata if there are any
    p-value     how often chance gives a statistic as large
    interval    simultaneous over all pairs: each pair's score test, inverted at the null's critical value. It excludes
                0 exactly where p is below 1 - level

All groups that have members are compared, however small: a difference of two groups is measured in its own standard
error, so a few cases of one group do not hide a gap between others, and the interval is as wide as the smallest group
makes it. A gap is above 0 by chance alone, so the plain gap that chance gives (`null_mean`, `null_q95`) stands beside
it.

Source: Lum, Zhang and Bower 2022, arXiv:2205.05770 (bias of gap metrics); Westfall and Young 1993, Resampling-Based
Multiple Testing, section 2.6 (largest statistic under permutation); Miettinen and Nurminen 1985, Stat. Med. 4:213.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics import multiplicity, p_values
from workbench.statistics._checks import Counts, arrays, check_level, finite
from workbench.statistics._test_inversion import (
    TIE,
    bounds_of_difference,
    critical_value,
    normal_quantiles,
    score_of_difference,
)
from workbench.statistics.clusters import effective
from workbench.statistics.differences import difference, difference_test
from workbench.statistics.intervals import RESAMPLES, Interval
from workbench.statistics.omnibus import deal
from workbench.statistics.row import SUPPRESSED

if TYPE_CHECKING:
    import pandas as pd

METHOD = "studentised range, permutation"
_CELLS = 4_000_000  # of one block of resamples, to bound memory


@dataclass(frozen=True)
class Gap:
    """The distance between the extreme groups, and whether chance would do."""

    interval: Interval  # of largest minus smallest share, 0..1; undefined with fewer than two groups that have members
    null_mean: float | None  # of the gap if groups were alike
    null_q95: float | None
    p_value: float | None  # how often chance gives a studentised difference as large
    lowest: Any  # group with the smallest share, the first one given among equals; None where undefined
    highest: Any
    n: int  # of the groups compared
    k: int
    smallest: int  # size of the smallest group compared
    empty: tuple[Any, ...]  # groups without members: they have no share
    flags: tuple[str, ...]  # "degenerate": nobody or everybody counts in every group
    counts: Counts  # group -> (k, n) as independent cases


def gap(
    counts: Counts,
    *,
    rng: np.random.Generator | int,
    strata: Mapping[Any, Counts] | None = None,
    shares: Mapping[Any, float] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Gap:
    """Return the gap between the groups' shares, with interval, null and test.

    Args:
        counts: group -> (k, n).
        rng: generator or seed.
        strata: stratum -> the same groups' counts within it; they add up to `counts`. Chance then deals within strata.
        shares: group -> share that was measured, where `counts` are shrunk to independent cases; the value is theirs.
        resamples: of the null.
        level: of confidence.

    Raises:
        BadInput: counts that cannot be, strata that do not add up, a level outside (0, 1).
    """
    check_level(level)
    tables = [counts] if strata is None else list(strata.values())
    if strata is not None:
        _check_sums(counts, strata)
    arrays(counts)
    empty = tuple(group for group, (_, n) in counts.items() if n == 0)
    groups = [group for group, (_, n) in counts.items() if n]
    members = {group: counts[group] for group in groups}
    _, k, n = arrays(members)
    size, smallest = int(n.sum()), int(n.min()) if len(n) else 0
    if len(groups) < 2:
        nothing = Interval(None, None, None, level, "undefined: fewer than two groups with members")
        return Gap(nothing, None, None, None, None, None, size, int(k.sum()), smallest, empty, (), counts)
    share = k / n if shares is None else np.array([shares[group] for group in groups])
    value = float(share.max() - share.min())
    statistics, distances = _null(tables, groups, np.random.default_rng(rng), resamples=resamples)
    observed = float(_largest_score(k[None], n)[0])
    hits = int((statistics >= observed - TIE).sum())
    bounds = _GapBounds(k, n, value, observed, np.sort(statistics)[::-1], _method(empty))
    return Gap(
        interval=bounds(level),
        null_mean=float(distances.mean()),
        null_q95=float(np.quantile(distances, 0.95)),
        p_value=p_values.resampled(hits, resamples),
        lowest=groups[int(share.argmin())],
        highest=groups[int(share.argmax())],
        n=size,
        k=int(k.sum()),
        smallest=smallest,
        empty=empty,
        flags=("degenerate",) if k.sum() in (0, n.sum()) else (),
        counts=counts,
    )


def gap_of_cases(
    outcomes: ArrayLike,
    groups: Sequence[Any] | NDArray[Any],
    *,
    rng: np.random.Generator | int,
    cluster: Sequence[Hashable] | NDArray[Any] | None = None,
    level: float = 0.95,
) -> Gap:
    """Return the gap between groups of cases, some of which may show the same scene or person.

    Clusters that hold every group are matched: chance deals within them only, so that what the cases of a cluster share
    cannot look like a difference between groups. Elsewhere counts are divided by each group's design effect.

    Args:
        outcomes: (n,) 0 or 1.
        groups: (n,) the group of each case.
        rng: generator or seed.
        cluster: n names of what is one independent unit; None where each case is.
        level: of confidence.

    Raises:
        BadInput: outcomes that are not 0 or 1, other lengths.
    """
    import pandas as pd

    table = pd.DataFrame({"value": finite(outcomes), "group": pd.Series(list(groups), dtype=object)})
    counts = _counts(table)
    if cluster is None or pd.Series(list(cluster)).is_unique:
        return gap(counts, rng=rng, level=level)
    table["cluster"] = list(cluster)
    if matched(table["group"], table["cluster"]):
        strata = {name: _counts(part) for name, part in table.groupby("cluster", sort=True)}
        return gap(counts, rng=rng, strata=strata, level=level)
    parts = {name: part for name, part in table.groupby("group", sort=True)}
    fewer = {name: effective(part["value"].to_numpy(), part["cluster"].to_numpy()) for name, part in parts.items()}
    shares = {name: k / n for name, (k, n) in counts.items()}
    apart = gap(fewer, rng=rng, shares=shares, level=level)
    return dataclasses.replace(
        apart,
        interval=dataclasses.replace(apart.interval, method=f"{apart.interval.method}, design effect"),
        k=sum(k for k, _ in counts.values()),
        n=sum(n for _, n in counts.values()),
        smallest=min((n for _, n in counts.values()), default=0),
    )


def matched(groups: pd.Series[Any], cluster: pd.Series[Any]) -> bool:
    """Say whether there are several groups and every cluster holds all of them."""
    here = groups.groupby(cluster).nunique()
    return groups.nunique() > 1 and bool((here == groups.nunique()).all())


def _counts(table: pd.DataFrame) -> dict[Any, tuple[int, int]]:
    sums = table.groupby("group", sort=True)["value"].agg(["sum", "size"])
    return {name: (int(k), int(n)) for name, k, n in zip(sums.index, sums["sum"], sums["size"], strict=True)}


def in_large_groups(groups: Sequence[Any] | NDArray[Any] | pd.Series[Any]) -> NDArray[np.bool_] | None:
    """(n,) whether each case is of a group of at least 30; None where all are, or fewer than two groups are so large.

    What a second gap is taken over, which stands beside that of all groups.
    """
    import pandas as pd

    names = pd.Series(list(groups), dtype=object)
    sizes = names.value_counts()
    large = sizes[sizes >= SUPPRESSED].index
    return names.isin(large).to_numpy(bool) if 2 <= len(large) < len(sizes) else None


@dataclass(frozen=True)
class Pair:
    """Two groups set side by side."""

    group: Any
    reference: Any
    difference: Interval  # share of `group` minus share of `reference`, simultaneous over this family
    p_value: float | None  # of the score test that the interval inverts
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
    differences = [difference(counts[one], counts[other], level=level) for one, other in pairs]
    p_values = [difference_test(counts[one], counts[other]) for one, other in pairs]
    adjusted = multiplicity.adjust(p_values, correction=correction)
    return [
        Pair(*names, multiplicity.simultaneous(interval, test), test.p_value, test.p_adj, test.tests, "score")
        for names, interval, test in zip(pairs, differences, adjusted, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _GapBounds:
    """The interval of a gap at any level: all pairs' score tests, inverted at one critical value."""

    k: NDArray[np.int64]
    n: NDArray[np.int64]
    value: float
    observed: float  # largest studentised difference
    null: NDArray[np.float64]  # the same under chance, largest first
    method: str

    def __call__(self, level: float) -> Interval:
        critical = critical_value(self.null, level)
        one, other = np.triu_indices(len(self.n), 1)
        pairs = (self.k[one], self.n[one]), (self.k[other], self.n[other])
        low = 0.0
        if self.observed > critical:
            below, above = bounds_of_difference(*pairs, critical)
            low = max(float(np.maximum(below, -above).max()), TIE)
        critical_high = max(normal_quantiles(level)[1], min(critical, float(self.null[0])))
        below, above = bounds_of_difference(*pairs, critical_high)
        high = float(np.maximum(above, -below).max())
        return Interval(self.value, min(low, self.value), max(high, self.value), level, self.method, at_level=self)


def _method(empty: tuple[Any, ...]) -> str:
    return METHOD + (f"; without members: {', '.join(map(str, empty))}" if empty else "")


def _largest_score(k: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m, groups) successes -> (m,) largest studentised difference of any two groups."""
    one, other = np.triu_indices(len(n), 1)
    block = max(1, _CELLS // len(one))
    scores = [
        np.abs(score_of_difference((part[:, one], n[one]), (part[:, other], n[other]))).max(1)
        for part in (k[at : at + block] for at in range(0, len(k), block))
    ]
    return np.concatenate(scores)


def _null(
    tables: list[Counts], groups: list[Any], rng: np.random.Generator, *, resamples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (resamples,) largest studentised differences, and gaps, of successes dealt at random."""
    k, n = np.zeros((resamples, len(groups)), dtype=np.int64), np.zeros(len(groups), dtype=np.int64)
    for table in tables:
        part = np.array([table.get(group, (0, 0)) for group in groups], dtype=np.int64)
        k += deal(part[:, 0], part[:, 1], rng=rng, resamples=resamples)
        n += part[:, 1]
    distances: NDArray[np.float64] = np.ptp(k / n, axis=1)
    return _largest_score(k, n), distances


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
