"""Which model is best: ties are called ties, models are dropped early and rightly, samples hold every class."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.probes.choosing import BELOW, BEST, EVEN, ROUNDS, staged, standings, surviving


def outcomes(rng: np.random.Generator, accuracies: list[float], n: int) -> dict[str, np.ndarray]:
    """Right or wrong of models that find the same images hard, as models do."""
    hard = rng.normal(size=n)
    cuts = [float(np.quantile(rng.normal(size=100_000) * 1.25, accuracy)) for accuracy in accuracies]
    return {str(number): (hard + 0.75 * rng.normal(size=n) < cut).astype(float) for number, cut in enumerate(cuts)}


def test_the_standings_by_hand() -> None:
    """300 images: b loses 30 and gains none, c gains 5 and loses 6."""
    a = np.ones(300)
    a[:20] = 0
    b, c = a.copy(), a.copy()
    b[100:130] = 0
    c[:5], c[200:206] = 1, 0
    result = standings({"a": a, "b": b, "c": c})
    assert [result[name].verdict for name in "abc"] == [BEST, BELOW, EVEN]
    difference = result["b"].difference
    assert difference is not None
    assert difference.value == pytest.approx(-0.1)
    assert (difference.high or 0) < 0
    assert result["a"].difference is None
    # c: mean change -1/300, variance 11/300 - 1/90000; (1.96 + 0.84) squared is 7.849
    assert result["c"].needed == pytest.approx(7.849 * (11 / 300 - 1 / 90000) * 90000, rel=1e-3)


def test_a_sample_holds_every_class_in_its_share() -> None:
    y = np.repeat(np.arange(8), [800, 400, 200, 200, 100, 100, 100, 100])
    stages = staged(y, seed=0)
    assert sorted(np.concatenate(stages)) == list(range(2000))
    assert [len(stage) for stage in stages] == [125, 125, 250, 500, 1000]
    assert np.abs(np.bincount(y[stages[0]], minlength=8) - np.bincount(y) / 16).max() <= 1


def test_early_dropping_keeps_the_right_leader_at_half_the_cost() -> None:
    """Four models, 2,000 images, 200 simulations: the best model leads, or is not distinguishable from the leader."""
    rng, good, cost = np.random.default_rng(0), 0, 0
    for _ in range(200):
        accuracies = sorted(rng.uniform(0.5, 0.95, 4), reverse=True)
        right = outcomes(rng, accuracies, 2000)
        alive, seen, paid = list(right), 0, 0
        for share in ROUNDS:
            new = round(share * 2000)
            paid += (new - seen) * len(alive)
            seen = new
            if share < 1:
                alive = surviving({name: right[name][:seen] for name in alive}, rounds=len(ROUNDS) - 1)
        result = standings({name: right[name] for name in alive})
        good += result["0"].verdict != BELOW if "0" in result else 0
        cost += paid
    assert good >= 190
    assert cost / (200 * 4 * 2000) <= 0.5
