"""How often intervals of paired changes cover the true change: `python -m tests.workbench.statistics.paired_coverage`.

Cases that stand alone are counted exactly (all tables, by their probability); clusters are drawn.
"""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
from scipy import stats

from workbench.statistics.paired import compare

CHANGED = (0.01, 0.03, 0.1, 0.2, 0.3)  # share of cases that change
GAINED = (0.5, 0.3, 0.1)  # of them, those that gain
CLUSTERED = {  # number of images, images of a cluster -> shares of images that change
    (24, 2): (0.2, 0.3), (24, 3): (0.3,), (100, 2): (0.1, 0.2), (100, 4): (0.1, 0.2, 0.3),
    (1000, 2): (0.01, 0.03), (1000, 4): (0.01, 0.03),
}  # fmt: skip


def outcomes(gained: int, lost: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two runs of n cases in which so many changed."""
    first = np.array([0.0] * gained + [1.0] * lost + [1.0] * (n - gained - lost))
    return first, np.array([1.0] * gained + [0.0] * lost + [1.0] * (n - gained - lost))


@functools.cache
def _bounds(gained: int, lost: int, n: int) -> tuple[float, float]:
    result = compare(*outcomes(gained, lost, n)).difference
    assert result.low is not None
    assert result.high is not None
    return result.low, result.high


def alone(n: int, changed: float, part: float) -> float:
    """Coverage where n cases stand alone, `changed` of them are expected to change and `part` of those to gain."""
    gained, lost, total = part * changed, (1 - part) * changed, 0.0
    reach = int(n * changed + 7 * math.sqrt(n * changed)) + 3
    for b, c in itertools.product(range(min(n, reach) + 1), repeat=2):
        weight = 0.0 if b + c > n else stats.multinomial.pmf([b, c, n - b - c], n, [gained, lost, 1 - changed])
        if weight >= 1e-5:
            low, high = _bounds(b, c, n)
            total += weight * (low <= gained - lost <= high)
    return total


def clustered(sizes: list[int], changed: float, alike: float, *, runs: int, seed: int = 0) -> tuple[float, float]:
    """Coverage of a change with a third gained, and the share of false alarms with half gained.

    Args:
        sizes: cases of each cluster.
        changed: share of cases expected to change.
        alike: share of clusters that change as one; the others change case by case.
        runs: draws.
        seed: of the draws.
    """
    rng, covered, alarms = np.random.default_rng(seed), 0, 0
    names = np.repeat(np.arange(len(sizes)), sizes)
    for _ in range(runs):
        as_one = rng.random(len(sizes)) < alike
        draw = np.where(as_one[names], rng.random(len(sizes))[names], rng.random(len(names)))
        gained = changed / 3
        result = compare((draw >= gained) & (draw < changed), draw < gained, cluster=names).difference
        covered += (result.low or 0.0) <= -changed / 3 <= (result.high or 0.0)
        half = changed / 2
        alarms += (compare((draw >= half) & (draw < changed), draw < half, cluster=names).p_value or 0.0) < 0.05
    return covered / runs, alarms / runs


def main() -> None:
    """Print both tables."""
    for n, changed in itertools.product((24, 100, 1000), CHANGED):
        if 2.9 < changed * n < 31:
            figures = ", ".join(f"{alone(n, changed, part):.3f}" for part in GAINED)
            print(
                f"{n} cases, {changed:.0%} change, of them {'/'.join(f'{one:.0%}' for one in GAINED)} gain: {figures}"
            )
    for (n, size), shares in CLUSTERED.items():
        for changed, alike in itertools.product(shares, (0.0, 0.5, 1.0)):
            covered, alarms = clustered([size] * (n // size), changed, alike, runs=2000, seed=5)
            print(
                f"{n} images in clusters of {size}, {changed:.0%} change, {alike:.0%} of clusters as one: "
                f"covered {covered:.3f}, false alarms {alarms:.3f}",
                flush=True,
            )
    unequal = [1, 2, 3, 8]
    for name, sizes in (
        ("24 of 4", [4] * 24),
        ("24 of 1, 2, 3 or 8", unequal * 6),
        ("100 of 3", [3] * 100),
        ("100 of 1, 2, 3 or 8", unequal * 25),
        ("1,000 of 3", [3] * 1000),
    ):
        for changed, alike in itertools.product((0.03, 0.12, 0.3), (0.0, 0.5, 1.0)):
            covered, alarms = clustered(sizes, changed, alike, runs=300)
            print(
                f"clusters {name}, {changed:.0%} change, {alike:.0%} of clusters as one: "
                f"covered {covered:.3f}, false alarms {alarms:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
