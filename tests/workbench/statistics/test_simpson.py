"""Simpson's paradox on the textbook's kidney stones, and where there is none."""

from __future__ import annotations

import pytest

from workbench.errors import BadInput
from workbench.statistics.simpson import reversals

STONES = {  # Charig et al. 1986, Br. Med. J. 292:879
    "small": {"open": (81, 87), "closed": (234, 270)},
    "large": {"open": (192, 263), "closed": (55, 80)},
}


def test_the_textbook_case_is_found() -> None:
    (result,) = reversals(STONES)
    assert (result.higher, result.lower, result.complete) == ("closed", "open", True)
    assert result.crude == pytest.approx(289 / 350 - 273 / 350)
    assert result.strata == {
        "small": pytest.approx(234 / 270 - 81 / 87),
        "large": pytest.approx(55 / 80 - 192 / 263),
    }
    assert result.standardised == pytest.approx((357 * result.strata["small"] + 343 * result.strata["large"]) / 700)


def test_no_reversal_where_there_is_none() -> None:
    assert reversals({"x": {"a": (5, 10), "b": (7, 10)}, "y": {"a": (1, 10), "b": (3, 10)}}) == []
    assert reversals({"x": {"a": (5, 10), "b": (5, 10)}}) == []
    assert reversals({"x": {"a": (5, 10)}, "y": {"b": (1, 10)}}) == []  # no stratum in common
    assert reversals({}) == []


def test_a_reversal_in_most_strata_is_found_but_not_complete() -> None:
    strata = {**STONES, "odd": {"open": (0, 5), "closed": (5, 5)}}
    (result,) = reversals(strata)
    assert not result.complete


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadInput, match="whole numbers"):
        reversals({"x": {"a": (3, 2)}})
