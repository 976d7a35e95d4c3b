"""Wilson intervals against the closed form, published examples and the coverage that they promise."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import BadInput
from workbench.stats import share


def closed_form(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """The roots of (p - pi)^2 = z^2 pi (1 - pi) / n, as Wilson gives them."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = successes + z * z / 2
    half = z * math.sqrt(successes * (n - successes) / n + z * z / 4)
    return (middle - half) / (n + z * z), (middle + half) / (n + z * z)


@settings(deadline=None)  # the first call imports statsmodels
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_equals_the_closed_form(counts: tuple[int, int], confidence: float) -> None:
    found = share(*counts, confidence=confidence)
    low, high = closed_form(*counts, confidence)
    assert found.value == counts[0] / counts[1]
    assert found.low == pytest.approx(low, abs=1e-9)
    assert found.high == pytest.approx(high, abs=1e-9)
    assert found.low - 1e-12 <= found.value <= found.high + 1e-12


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe 1998, Stat. Med. 17:857, table I, method 3 (score, no continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_equals_published_examples(successes: int, n: int, low: float, high: float) -> None:
    found = share(successes, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert (found.n, found.method) == (n, "Wilson")


@pytest.mark.parametrize("truth", [0.05, 0.5, 0.9])
def test_covers_the_truth_about_as_often_as_it_says(truth: float) -> None:
    drawn = np.random.default_rng(7).binomial(30, truth, size=4000)
    found = {int(k): share(int(k), 30) for k in np.unique(drawn)}
    covered = np.mean([found[int(k)].low <= truth <= found[int(k)].high for k in drawn])
    assert 0.92 < covered < 0.985  # Wald's would be 0.78 at 0.05


def test_nothing_counted_is_not_zero() -> None:
    found = share(0, 0)
    assert found.n == 0
    assert all(math.isnan(value) for value in (found.value, found.low, found.high))
    assert str(found) == "not measured (n = 0)"


def test_is_said_with_its_interval_count_and_method() -> None:
    assert str(share(81, 263)) == "30.8 % (95 % interval 25.5 to 36.6 %, n = 263, Wilson)"


@pytest.mark.parametrize("arguments", [(3, 2), (-1, 2), (0, -1), (1, 2, 0.0), (1, 2, 1.0), (1, 2, 95.0)])
def test_impossible_counts_are_refused(arguments: tuple[float, ...]) -> None:
    with pytest.raises(BadInput):
        share(*arguments)  # type: ignore[arg-type]
