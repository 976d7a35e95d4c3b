"""The difference of two independent shares: its score interval, and the score test that the interval inverts."""

from __future__ import annotations

import functools

from workbench.statistics._checks import check_counts, check_level
from workbench.statistics._test_inversion import bounds_of_difference, normal_quantiles, score_of_difference
from workbench.statistics.intervals import Interval


def difference(first: tuple[int, int], second: tuple[int, int], *, level: float = 0.95) -> Interval:
    """Return k1 / n1 - k2 / n2, -1..1, of two independent shares, with Miettinen and Nurminen's score interval.

    It excludes 0 exactly where `difference_test` is below 1 - level.

    Args:
        first: (k1, n1).
        second: (k2, n2).
        level: of confidence.

    Raises:
        BadInput: counts that cannot be, a level outside (0, 1).

    Source:
        Miettinen and Nurminen 1985, Stat. Med. 4:213; compared with others by Newcombe 1998, Stat. Med. 17:873.
    """
    (k1, n1), (k2, n2) = first, second
    check_counts(k1, n1)
    check_counts(k2, n2)
    check_level(level)
    if n1 == 0 or n2 == 0:
        return Interval(None, None, None, level, "undefined: n = 0")
    low, high = bounds_of_difference(first, second, normal_quantiles(level)[1])
    again = functools.partial(_difference_at, first, second)
    return Interval(k1 / n1 - k2 / n2, float(low[0]), float(high[0]), level, "Miettinen-Nurminen score", at_level=again)


def difference_test(first: tuple[int, int], second: tuple[int, int]) -> float | None:
    """Return the two-sided p-value of the score test that two independent shares are equal; None without cases.

    Raises:
        BadInput: counts that cannot be.
    """
    check_counts(*first)
    check_counts(*second)
    if first[1] == 0 or second[1] == 0:
        return None
    from scipy.stats import norm

    return min(1.0, 2 * float(norm.sf(abs(float(score_of_difference(first, second))))))


def _difference_at(first: tuple[int, int], second: tuple[int, int], level: float) -> Interval:
    return difference(first, second, level=level)
