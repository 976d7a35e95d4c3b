"""An interval without zero and the words "no evidence" never stand in one row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits import measuring
from audits.findings import strength
from workbench.statistics import gaps
from workbench.statistics.measures import adjust, number, of_gap
from workbench.statistics.paired import compare

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcd"), counts, min_size=2), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 200)), min_size=1, max_size=4),
)
def test_an_interval_without_zero_never_stands_beside_no_evidence(
    tables: list[dict[str, tuple[int, int]]], changes: list[tuple[int, int, int]]
) -> None:
    rows = [of_gap("gap", gaps.gap(table, rng=0, resamples=199), slice_by="group") for table in tables]
    for gained, lost, same in changes:
        if gained + lost + same:
            first = [0] * gained + [1] * (lost + same)
            paired = compare(first, [1] * gained + [0] * lost + [1] * same)
            rows.append(number("change", paired.difference, n=paired.n, p_value=paired.p_value, unit="difference"))
    for row in adjust(rows):
        without_zero = row.ci_low is not None and (row.ci_low > 0 or row.ci_high < 0)
        assert (strength(row) == "found") == without_zero == (row.p_adj is not None and row.p_adj < 0.05)
        assert not (without_zero and strength(row) == "no evidence")


@pytest.mark.parametrize("extra", [0, 10])
def test_a_few_images_of_another_group_do_not_take_a_finding_back(extra: int) -> None:
    """800 of 1000 against 700 of 1000 is found, p = 0.0005, with seven of ten of a third group beside it or not."""
    right = np.repeat([1.0, 0.0] * 3, [800, 200, 700, 300, 7, 3])[: 2000 + extra]
    groups = np.repeat(["a", "b", "c"], [1000, 1000, 10])[: 2000 + extra]
    row = measuring.gap(
        "accuracy",
        right,
        [str(at) for at in range(len(right))],
        groups=list(groups),
        rng=np.random.default_rng(0),
        slice_by="group",
    )
    (row,) = adjust([row])
    assert row.p_adj == pytest.approx(0.0005, abs=1e-6)
    assert 0.05 < row.ci_low < 0.1 < row.ci_high
    assert (row.ci_high < 0.15) == (extra == 0)  # the interval is as wide as the small group makes it
    assert strength(row, few=30) == "found"
    assert ("small_n" in row.flags) == (extra > 0)
