"""Linear remedies against hand computation, against a linear probe, and against what the papers promise."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from workbench.remedies.erasure import LinearMap, calibrated, leace, projection


def two_groups(n: int = 4000, dim: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(dim, dim))
    group = rng.integers(0, 2, n)
    return rng.normal(size=(n, dim)) @ mixing + group[:, None] * np.linspace(1, 2, dim), group


def test_a_projection_removes_what_is_named_and_nothing_else() -> None:
    removed = projection([[2.0, 0.0, 0.0], [4.0, 0.0, 0.0]])  # twice the same direction
    assert removed.matrix == pytest.approx(np.diag([0.0, 1.0, 1.0]))
    assert removed(np.array([[0.6, 0.8, 0.0]])) == pytest.approx(np.array([[0.0, 1.0, 0.0]]))
    assert projection(np.zeros(3)).matrix == pytest.approx(np.eye(3))


def test_leace_leaves_no_linear_trace_of_the_group() -> None:
    rows, group = two_groups()
    erased = leace(rows, group)
    after = rows @ erased.matrix.T + erased.shift
    assert after[group == 0].mean(axis=0) == pytest.approx(after[group == 1].mean(axis=0), abs=1e-8)
    assert after.mean(axis=0) == pytest.approx(rows.mean(axis=0), abs=1e-8)
    often = max(group.mean(), 1 - group.mean())
    assert LogisticRegression().fit(rows, group).score(rows, group) > often + 0.1
    assert LogisticRegression().fit(after, group).score(after, group) <= often + 0.005


def test_leace_is_the_closed_form_and_changes_least() -> None:
    rows, group = two_groups()
    erased = leace(rows, group)
    covariance = np.cov(rows.T, bias=True)
    cross = (rows - rows.mean(axis=0)).T @ (group - group.mean()) / len(rows)
    weights = np.linalg.solve(covariance, cross)  # of one group, W⁺ P W is the cross-covariance times these weights
    by_hand = np.eye(6) - np.outer(cross, weights) / (cross @ weights)
    assert erased.matrix == pytest.approx(by_hand, abs=5e-3)  # the covariance is shrunk a little
    centred = rows - rows.mean(axis=0)
    least, plain = (((centred @ one.matrix.T - centred) ** 2).sum(axis=1).mean() for one in (erased, projection(cross)))
    assert least < plain


def test_leace_takes_three_groups_and_fewer_rows_than_dimensions() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(["a", "b", "c"], 10)
    rows = rng.normal(size=(30, 64)) + np.repeat(rng.normal(size=(3, 64)), 10, axis=0)
    erased = leace(rows, group)
    after = rows @ erased.matrix.T + erased.shift
    means = [after[group == name].mean(axis=0) for name in "abc"]
    assert means[0] == pytest.approx(means[1], abs=1e-8)
    assert means[0] == pytest.approx(means[2], abs=1e-8)


def test_calibrated_prompts_bring_pairs_together() -> None:
    axes = np.eye(5)
    named = np.stack([axes[0], axes[0] + 0.1 * axes[1]])
    pairs = np.array([[axes[2] + 0.3 * axes[3], axes[2] - 0.3 * axes[3]]])
    moved = calibrated(named, pairs, weight=1000.0)
    first, second = moved(pairs[0])
    assert first @ second == pytest.approx(1, abs=1e-4)  # the pair's difference shrinks to 1 / (1 + 1000 * 0.36)
    assert moved.matrix @ axes[3] == pytest.approx(axes[3] / 361)
    assert moved.matrix @ axes[0] == pytest.approx(np.zeros(5))
    assert moved.matrix @ axes[1] == pytest.approx(np.zeros(5))
    assert moved.matrix @ axes[4] == pytest.approx(axes[4])


def test_a_map_survives_its_table() -> None:
    given = LinearMap(np.arange(9.0).reshape(3, 3), np.array([1.0, 2.0, 3.0]))
    assert given.packed.shape == (3, 4)
    again = LinearMap.unpacked(given.packed)
    assert again.matrix == pytest.approx(given.matrix)
    assert again.shift == pytest.approx(given.shift)
    assert np.linalg.norm(again(np.eye(3)), axis=1) == pytest.approx(1)
