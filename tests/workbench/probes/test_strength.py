"""The search for the penalty: one peak is found among all 96 steps; CoOp's bracket step by step."""

from __future__ import annotations

import math

import pytest

from workbench.probes.strength import GRID, bracket_search, parametric_search


def test_the_grid_is_the_papers() -> None:
    assert (len(GRID), GRID[0], GRID[-1]) == (97, pytest.approx(1e-6), pytest.approx(1e6))
    assert GRID[9] / GRID[1] == pytest.approx(10)


@pytest.mark.parametrize("peak", [0, 3, 16, 41, 55, 70, 96])
def test_one_peak_is_found_with_fifteen_fits_at_most(peak: int) -> None:
    tried: list[float] = []

    def score(strength: float) -> tuple[float]:
        tried.append(strength)
        return (-abs(math.log10(strength) - math.log10(GRID[peak])),)

    sweep = parametric_search(score)
    assert sweep.strength == max(GRID, key=lambda one: -abs(math.log10(one) - math.log10(GRID[peak])))
    assert len(tried) == len(set(tried)) <= 15
    assert [point for point, _ in sweep.points] == sorted(tried)


def test_of_equal_penalties_the_strongest_is_chosen() -> None:
    assert parametric_search(lambda strength: (float(strength <= 1.0),)).strength == pytest.approx(1.0)


def test_equal_accuracies_are_told_apart_by_the_log_loss() -> None:
    """Accuracy is flat up to 1e2; the log loss is smallest at 1e-1."""
    sweep = parametric_search(lambda strength: (float(strength <= 100), -abs(math.log10(strength) + 1)))
    assert sweep.strength == pytest.approx(0.1)
    assert {score for _, score in sweep.points} == {0.0, 1.0}


def test_the_bracket_takes_the_steps_of_coop() -> None:
    """By hand: the peak at C = 100 gives C 10..1000; the better end stays, the other moves to the middle."""
    best = 10**1.7

    def score(strength: float) -> tuple[float]:
        return (-abs(math.log10(1 / strength) - math.log10(best)),)

    left, right = 1.0, 3.0  # log10 of C
    for _ in range(8):
        if abs(left - 1.7) > abs(right - 1.7):
            chosen, left = right, (left + right) / 2
        else:
            chosen, right = left, (left + right) / 2
    assert bracket_search(score).strength == pytest.approx(10**-chosen)


def test_equal_ends_of_the_bracket_keep_the_stronger_penalty() -> None:
    assert bracket_search(lambda strength: (0.5,)).strength == pytest.approx(10**-5.0)
