"""Families of tests and what a slice could have shown: statsmodels, closed forms, simulated power."""

from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from workbench.errors import BadInput
from workbench.statistics.association import weat
from workbench.statistics.calibration import expected_calibration_error
from workbench.statistics.gaps import gap
from workbench.statistics.measures import number, of_gap
from workbench.statistics.multiplicity import adjust
from workbench.statistics.p_values import UpperBound, resampled, written
from workbench.statistics.paired import widest_difference
from workbench.statistics.power import minimum_detectable_difference

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@settings(deadline=None, max_examples=30)
@given(p_values, st.sampled_from([("holm", "holm"), ("bh", "fdr_bh")]))
def test_one_family_is_statsmodels(values: list[float], names: tuple[str, str]) -> None:
    result = adjust(values, correction=names[0])
    with mock.patch("gc.collect"):  # statsmodels' Holm calls it each time, which takes longer than all else here
        theirs = multipletests(values, method=names[1])[1].tolist()
    assert [one.p_adj for one in result] == pytest.approx(theirs)
    assert {one.tests for one in result} == {len(values)}
    assert [one.p_adj for one in adjust(values, correction="none")] == values


def test_by_hand() -> None:
    assert [one.p_adj for one in adjust([0.01, 0.04, 0.03])] == pytest.approx([0.03, 0.06, 0.06])
    assert [one.p_adj for one in adjust([0.01, 0.04, 0.03], correction="bh")] == pytest.approx([0.03, 0.04, 0.04])


def test_a_p_value_that_no_resample_reaches_is_a_bound_and_says_so() -> None:
    assert (resampled(0, 1999), written(resampled(0, 1999))) == (0.0005, "≤ 0.0005")
    assert (resampled(1, 1999), written(resampled(1, 1999))) == (0.001, "= 0.001")
    assert written(0.0005, bound=True) == "≤ 0.0005"
    assert (written(0.00004), written(0.5)) == ("< 0.0001", "= 0.50")
    assert [one.bound for one in adjust([resampled(0, 1999), 0.2, None])] == [True, False, False]


def test_every_test_by_resampling_says_where_no_draw_is_as_extreme() -> None:
    """Effects that no draw reaches, and the same without one."""
    rng = np.random.default_rng(0)
    sure, right = np.full(400, 0.9), (rng.random((3, 400)) < np.array([[0.2], [0.5], [0.8]])).astype(float)
    near = np.concatenate([rng.normal(1, 0.1, (12, 4)), rng.normal(0, 0.1, (12, 4))])
    seen = [
        gap({"a": (0, 200), "b": (200, 200)}, rng=0).p_value,
        expected_calibration_error(sure, right[0], rng=0).p_value,
        widest_difference(right.T, rng=rng)[1],
        weat(near, rng.normal(0, 0.1, (24, 4)), 12, rng=0).p_value,
    ]
    nothing = [
        gap({"a": (100, 200), "b": (100, 200)}, rng=0).p_value,
        expected_calibration_error(sure, rng.random(400) < 0.9, rng=0).p_value,
        widest_difference((rng.random((400, 3)) < 0.5).astype(float), rng=rng)[1],
        weat(rng.normal(0, 0.1, (24, 4)), rng.normal(0, 0.1, (24, 4)), 12, rng=0).p_value,
        weat(near[[0, 1, 12, 13]], near[[0, 1, 12, 13]][:, ::-1] * 0, 2, rng=0).p_value,  # all six splits: exact
    ]
    assert [isinstance(p, UpperBound) for p in seen] == [True] * 4
    assert [isinstance(p, UpperBound) for p in nothing] == [False] * 5
    row = of_gap("accuracy", gap({"a": (0, 200), "b": (200, 200)}, rng=0), slice_by="side")
    assert "least_p" in row.flags
    assert "least_p" not in number("x", gap({"a": (1, 2)}, rng=0).interval, p_value=0.0005).flags


def test_families_do_not_touch_and_untested_rows_do_not_count() -> None:
    result = adjust([0.01, None, 0.01, 0.5, 0.0], family=["a", "a", "b", "b", "c"])
    assert [one.p_adj for one in result] == [0.01, None, 0.02, 0.5, 0.0]
    assert [one.tests for one in result] == [1, 1, 2, 2, 1]
    assert adjust([]) == []


def test_what_is_no_p_value_is_refused() -> None:
    with pytest.raises(BadInput, match=r"got 1\.2"):
        adjust([1.2])
    with pytest.raises(BadInput, match="got nan"):
        adjust([math.nan])
    with pytest.raises(BadInput, match="'sidak'"):
        adjust([0.1], correction="sidak")
    with pytest.raises(BadInput, match="got 1 for 2"):
        adjust([0.1, 0.2], family=["a"])


def test_the_detectable_difference_has_a_closed_form() -> None:
    result = minimum_detectable_difference(400, 0.5)
    h = (1.959964 + 0.841621) / math.sqrt(400)  # Cohen's h of one sample against a known rate
    assert result.up == pytest.approx(math.sin(math.pi / 4 + h / 2) ** 2 - 0.5, abs=1e-5)
    assert result.down == pytest.approx(result.up)
    two = minimum_detectable_difference(400, 0.5, others=400)
    assert two.up == pytest.approx(math.sin(math.pi / 4 + h / math.sqrt(2) * 2 / 2) ** 2 - 0.5, abs=1e-5)


def test_the_power_is_what_it_says() -> None:
    rng, n, base = np.random.default_rng(0), 300, 0.3
    result = minimum_detectable_difference(n, base, others=n)
    first, second = rng.binomial(n, base, 20_000) / n, rng.binomial(n, base + result.up, 20_000) / n
    pooled = (first + second) / 2
    z = np.abs(first - second) / np.sqrt(2 * pooled * (1 - pooled) / n)
    assert np.mean(z > 1.959964) == pytest.approx(0.8, abs=0.02)


def test_out_of_reach_is_none() -> None:
    rare = minimum_detectable_difference(50, 0.01)
    assert rare.down is None
    assert rare.smallest == rare.up
    tiny = minimum_detectable_difference(1, 0.5)
    assert (tiny.up, tiny.down, tiny.smallest) == (None, None, None)
    assert minimum_detectable_difference(0, 0.5).up is None
    assert minimum_detectable_difference(100, 1.0).up is None
    for wrong in ({"n": -1, "base": 0.5}, {"n": 1, "base": 1.5}, {"n": 1, "base": 0.5, "power": 0.04}):
        with pytest.raises(BadInput):
            minimum_detectable_difference(**wrong)
