"""Simpson's paradox on the textbook's kidney stones, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import BadInput
from workbench.statistics import intervals
from workbench.statistics.simpson import reversals, standardised, totals

STONES = {  # Charig et al. 1986, Br. Med. J. 292:879
    "small": {"open": (81, 87), "closed": (234, 270)},
    "large": {"open": (192, 263), "closed": (55, 80)},
}


def test_the_textbook_case_is_found() -> None:
    (found,) = reversals(STONES)
    assert (found.higher, found.lower, found.complete) == ("closed", "open", True)
    assert found.crude == pytest.approx(289 / 350 - 273 / 350)
    assert found.strata == {
        "small": pytest.approx(234 / 270 - 81 / 87),
        "large": pytest.approx(55 / 80 - 192 / 263),
    }
    assert found.standardised == pytest.approx((357 * found.strata["small"] + 343 * found.strata["large"]) / 700)


def test_standardised_shares_of_the_textbook_case() -> None:
    found = standardised(STONES)
    assert found["open"].value == pytest.approx(0.8325, abs=5e-5)
    assert found["closed"].value == pytest.approx(0.7789, abs=5e-5)
    only = standardised(STONES, weights={"small": 1.0, "large": 0.0})
    wilson = intervals.proportion(81, 87, method="wilson")  # a single stratum is a plain share
    assert (only["open"].low, only["open"].high) == (pytest.approx(wilson.low), pytest.approx(wilson.high))
    assert totals(STONES) == {"open": (273, 350), "closed": (289, 350)}


def test_no_reversal_where_there_is_none() -> None:
    assert reversals({"x": {"a": (5, 10), "b": (7, 10)}, "y": {"a": (1, 10), "b": (3, 10)}}) == []
    assert reversals({"x": {"a": (5, 10), "b": (5, 10)}}) == []
    assert reversals({"x": {"a": (5, 10)}, "y": {"b": (1, 10)}}) == []  # no stratum in common
    assert reversals({}) == []


def test_a_reversal_in_most_strata_is_found_but_not_complete() -> None:
    strata = {**STONES, "odd": {"open": (0, 5), "closed": (5, 5)}}
    (found,) = reversals(strata)
    assert not found.complete


def test_a_missing_cell_is_undefined() -> None:
    found = standardised({"x": {"a": (5, 10), "b": (5, 10)}, "y": {"a": (5, 10)}})
    assert found["a"].value == 0.5
    assert found["b"].value is None
    with pytest.raises(BadInput, match="adding up to 1"):
        standardised(STONES, weights={"small": 0.5})
    with pytest.raises(BadInput, match="whole numbers"):
        reversals({"x": {"a": (3, 2)}})


def test_standardised_shares_cover() -> None:
    rng, runs, true = np.random.default_rng(0), 2000, 0.4 * 0.2 + 0.6 * 0.7
    hits = 0
    for k1, k2 in zip(rng.binomial(60, 0.2, runs).tolist(), rng.binomial(150, 0.7, runs).tolist(), strict=True):
        found = standardised({1: {"a": (k1, 60)}, 2: {"a": (k2, 150)}}, weights={1: 0.4, 2: 0.6})["a"]
        hits += found.low <= true <= found.high
    assert 0.93 <= hits / runs <= 0.97
