"""WEAT: the golden value, exact tests by hand, planted and absent associations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from workbench.errors import BadInput
from workbench.statistics import association

X, Y = [(1, 0), (0.8, 0.6)], [(0, 1), (0.6, 0.8)]
A, B = [(1, 0)], [(0, 1)]


def weat(targets: tuple[object, object], attributes: tuple[object, object], **more: object) -> association.Association:
    """WEAT of embeddings: their cosines, as an audit keeps them."""
    x, y, a, b = (np.asarray(one, float) for one in (*targets, *attributes))
    x, y, a, b = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (x, y, a, b))
    both = np.concatenate([x, y])
    return association.weat(both @ a.T, both @ b.T, len(x), **more)


def test_golden_value() -> None:
    result = weat((X, Y), (A, B), rng=0)
    assert result.statistic == pytest.approx(2.4)
    assert result.d.value == pytest.approx(1.441153, abs=5e-7)  # ddof = 1
    assert result.sizes == (2, 2, 1, 1)
    assert result.exact
    assert result.p_value == pytest.approx(2 / 6)  # the split and its mirror, of six
    assert weat((X, Y), (A, B), rng=0, alternative="greater").p_value == pytest.approx(1 / 6)
    mirrored = weat((Y, X), (A, B), rng=0)
    assert mirrored.d.value == pytest.approx(-1.441153, abs=5e-7)


def test_lengths_do_not_matter_and_order_does_not() -> None:
    longer = [[3 * a, 3 * b] for a, b in X]
    assert weat((longer, Y), (A, B), rng=0).d.value == pytest.approx(1.441153, abs=5e-7)
    assert weat((X[::-1], Y), (A, B), rng=0).d.value == pytest.approx(1.441153, abs=5e-7)


def test_an_exact_test_tries_every_split() -> None:
    rng = np.random.default_rng(0)
    x, y, a, b = (rng.normal(size=(size, 5)) for size in (4, 5, 3, 3))
    result = weat((x, y), (a, b), rng=0)
    rows = np.concatenate([x, y])
    unit = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (rows, a, b)]
    s = (unit[0] @ unit[1].T).mean(1) - (unit[0] @ unit[2].T).mean(1)
    seen = abs(s[:4].mean() - s[4:].mean())
    splits = []
    for chosen in itertools.combinations(range(9), 4):
        inside = np.isin(np.arange(9), chosen)
        splits.append(abs(s[inside].mean() - s[~inside].mean()))
    assert result.p_value == pytest.approx(np.mean(np.array(splits) >= seen - 1e-12))
    assert result.exact


def test_a_planted_association_is_found_and_an_absent_one_is_not() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 10, 32)) + 2 * np.eye(32)[:2, None]
    x, y = (rng.normal(size=(30, 32)) + shift * (np.eye(32)[0] - np.eye(32)[1]) for shift in (1, -1))
    planted = weat((x, y), (a, b), rng=0)
    assert planted.p_value < 0.001
    assert 0 < planted.d.low < planted.d.value < planted.d.high
    assert not planted.exact
    p, q = rng.normal(size=(2, 30, 32))
    absent = weat((p, q), (a, b), rng=0)
    assert absent.p_value > 0.05
    assert absent.d.low < 0 < absent.d.high
    assert absent == weat((p, q), (a, b), rng=0)


@pytest.mark.heavy
def test_no_association_raises_few_alarms() -> None:
    """2,000 runs of unrelated embeddings: the exact test rejects at most 5 %."""
    rng, runs = np.random.default_rng(5), 2000
    alarms = 0
    for _ in range(runs):
        x, y, a, b = rng.normal(size=(4, 5, 8))
        alarms += weat((x, y), (a, b), rng=0).p_value <= 0.05
    assert 0.02 <= alarms / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_nothing_varies() -> None:
    result = weat(([A[0]], [A[0]]), (A, B), rng=0)
    assert (result.d.value, result.p_value) == (None, None)
    assert result.d.method == "undefined: nothing varies"


@pytest.mark.parametrize(
    ("to_a", "to_b", "first", "message"),
    [
        (np.zeros((3, 2)), np.zeros((2, 2)), 1, "row a target"),
        (np.zeros((3, 2)), np.zeros((3, 2)), 3, "row a target"),
        (np.zeros((3, 0)), np.zeros((3, 2)), 1, "at least one word"),
        (np.full((3, 2), np.nan), np.zeros((3, 2)), 1, "must be a number"),
    ],
)
def test_what_are_no_cosines_is_refused(to_a: np.ndarray, to_b: np.ndarray, first: int, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        association.weat(to_a, to_b, first, rng=0)
    with pytest.raises(BadInput, match="'less'"):
        weat((X, Y), (A, B), rng=0, alternative="less")
