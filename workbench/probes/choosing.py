"""Which model is best for these images? Paired differences to the best, and models that can be dropped early."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.statistics.intervals import Interval
from workbench.statistics.multiplicity import adjust, simultaneous
from workbench.statistics.paired import compare

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEST, EVEN, BELOW = "the best", "not distinguishable from the best", "below the best"
ROUNDS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # of the images, after which models are dropped
DECIDED = 0.05  # probability of an error that all rounds and models share
POWER = 0.8  # with which the images that are still needed would show the difference


@dataclass(frozen=True)
class Standing:
    """Where a model stands beside the best one."""

    verdict: str  # BEST, EVEN or BELOW
    difference: Interval | None  # of accuracies, minus the best's; intervals of all models hold together
    p_value: float | None  # adjusted by Holm
    needed: int | None  # test images that would show this difference; None for the best, or without a difference


def standings(right: Mapping[str, NDArray[np.float64]], *, level: float = 0.95) -> dict[str, Standing]:
    """Compare each model with the best, image by image; tests of all models form one family.

    Args:
        right: model -> (n,) share of right answers on the same n images.
        level: of confidence.
    """
    best = max(right, key=lambda name: float(right[name].mean()))
    others = [name for name in right if name != best]
    pairs = [compare(right[best], right[name], level=level) for name in others]
    tests = adjust([pair.p_value for pair in pairs])
    answer = {best: Standing(BEST, None, None, None)}
    for name, pair, test in zip(others, pairs, tests, strict=True):
        below = test.p_adj is not None and test.p_adj < 1 - level
        change = right[name] - right[best]
        answer[name] = Standing(
            BELOW if below else EVEN, simultaneous(pair.difference, test), test.p_adj, _needed(change, level)
        )
    return {name: answer[name] for name in right}


def surviving(right: Mapping[str, NDArray[np.float64]], *, rounds: int = len(ROUNDS)) -> list[str]:
    """Return the models that may still be the best: those whose difference to the leader is not clearly below nought.

    Args:
        right: model -> (n,) share of right answers on the images that all of them have seen.
        rounds: how often this is asked in all; with the number of models it divides the error that is allowed.
    """
    leader = max(right, key=lambda name: float(right[name].mean()))
    level = 1 - DECIDED / (rounds * max(1, len(right) - 1))
    stays = []
    for name, one in right.items():
        high = compare(right[leader], one, level=level).difference.high
        if name == leader or high is None or high >= 0:
            stays.append(name)
    return stays


def staged(y: NDArray[np.intp], *, seed: int, rounds: Sequence[float] = ROUNDS) -> list[NDArray[np.intp]]:
    """Return the images' numbers in an order drawn class by class, cut where each round ends: a sample of every class.

    Args:
        y: (n,) numbers of classes.
        seed: of the order.
        rounds: shares of the images, ascending to 1.
    """
    rng = np.random.default_rng(seed)
    places = np.empty(len(y))
    for number in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == number))
        places[members] = (np.arange(len(members)) + rng.random()) / len(members)
    order = np.argsort(places, kind="stable")
    ends = [max(1, round(share * len(y))) for share in rounds]
    return [np.sort(order[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def _needed(change: NDArray[np.float64], level: float) -> int | None:
    """Return the images at which a paired test would show the mean change with the power above."""
    from scipy.stats import norm

    if not change.any() or not change.mean():
        return None
    quantiles = float(norm.ppf((1 + level) / 2) + norm.ppf(POWER))
    return math.ceil(quantiles**2 * float(change.var()) / float(change.mean()) ** 2)
