"""Rates, differences and what may be said of them, against counts by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from audits.protocol import Published
from audits.rates import difference, gap, groups, rate, selected, spoken, with_published
from workbench.statistics import gaps
from workbench.statistics.intervals import Interval, proportion
from workbench.statistics.measures import adjust, number, of_gap, share
from workbench.statistics.paired import compare


@pytest.fixture
def samples() -> pd.DataFrame:
    """40 pictures of 10 clusters; all four of a cluster are right together, six clusters of ten are right."""
    rows = [
        {
            "sample_id": f"{cluster}-{view}",
            "variant": "clean",
            "label_set": "all",
            "cluster": f"c{cluster}",
            "light": "grey" if view % 2 else "colour",
            "number": view,
            "outcome:accuracy": float(cluster < 6),
            "outcome:part": 0.25 * view if cluster else None,
        }
        for cluster in range(10)
        for view in range(4)
    ]
    return pd.DataFrame(rows)


def test_four_pictures_of_one_cluster_count_as_one(samples: pd.DataFrame) -> None:
    found = rate(samples, "accuracy", {"label_set": "all"}, seed=0)
    assert (found.value, found.n, found.label_set, dict(found.slice)) == (0.6, 40, "all", {})
    alone = proportion(6, 10)
    assert (found.ci_low, found.ci_high) == pytest.approx((alone.low, alone.high), abs=0.06)
    assert found.ci_method == "Clopper-Pearson, effective n"  # ten clusters, one lost to their own spread
    assert (found.k_pos, found.n_effective) == (24, 9)
    apart = rate(samples.assign(cluster=samples["sample_id"]), "accuracy", {}, seed=0)
    assert (apart.ci_low, apart.ci_high) == pytest.approx((proportion(24, 40).low, proportion(24, 40).high))


def test_a_rate_keeps_to_its_slice_and_to_where_it_is_defined(samples: pd.DataFrame) -> None:
    found = rate(samples, "part", {"light": "grey"}, seed=0)
    assert (found.value, found.n) == (0.5, 18)  # views 1 and 3 of nine clusters: 0.25 and 0.75
    assert len(selected(samples, {"light": "grey"}, "part")) == 18
    none = rate(samples, "part", {"light": "green"}, seed=0)
    assert (none.value, none.n) == (None, 0)
    assert "undefined" in none.flags


def test_a_gap_stands_beside_what_chance_gives(samples: pd.DataFrame) -> None:
    sided = samples.assign(side=["left" if name < "c5" else "right" for name in samples["cluster"]])
    found = gap(sided, "accuracy", {"label_set": "all"}, by="side", seed=0)
    assert found.value == pytest.approx(0.8)  # 5 of 5 clusters against 1 of 5
    assert (found.n, found.contrast, found.slice_by) == (40, "between_groups", "side")
    assert found.null_q95 is not None
    even = gap(sided, "accuracy", {}, by="light", seed=0)
    assert even.value == 0.0
    assert even.p_value == 1.0


def test_a_difference_is_taken_picture_by_picture(samples: pd.DataFrame) -> None:
    second = samples.assign(**{"outcome:accuracy": 0.0}).iloc[::-1].iloc[4:]  # another order; one cluster is missing
    found = difference("drop", samples, second, outcome="accuracy", where={"label_set": "all"}, seed=0)
    assert found.value == pytest.approx(24 / 36)
    assert (found.n, found.contrast, found.unit) == (36, "paired", "difference")
    design = 4 * 9 / 8  # nine clusters of four that change as one; six of them changed
    assert found.p_value == pytest.approx(2 * t.sf(math.sqrt(24 / design), 8))
    paired = samples.assign(pair="p" + samples["cluster"] + samples["light"] + samples["number"].astype(str))
    again = difference("drop", paired, paired, outcome="accuracy", where={}, seed=0)
    assert (again.value, again.n) == (0.0, 40)


def test_groups_are_columns_of_text_with_a_few_values(samples: pd.DataFrame) -> None:
    assert groups(samples) == ["light"]
    assert groups(samples, but=("light",)) == []
    assert groups(samples.assign(place="one", many=samples["sample_id"])) == ["light"]


@pytest.mark.parametrize(
    ("low", "high", "p_value", "strength", "begins"),
    [
        (0.1, 0.3, None, "found", "Found: it rises by 20.0 points (95 % interval 10.0 to 30.0, n = 50)."),
        (0.1, 0.3, 0.2, "no evidence", "No evidence after correction for 1 tests that it rises"),
        (-0.1, 0.3, 0.01, "no evidence", "No evidence that it rises"),
        (-0.3, -0.1, 0.01, "found", "Found the other way round: it rises"),
    ],
)
def test_the_words_follow_interval_and_test(
    low: float, high: float, p_value: float | None, strength: str, begins: str
) -> None:
    interval = Interval((low + high) / 2, low, high, 0.95, "by hand")
    (measure,) = adjust([number("rise", interval, n=50, unit="difference", p_value=p_value)])
    told = spoken("it rises by {}", measure, few=30)
    assert told.strength == strength
    assert told.text.startswith(begins)
    assert spoken("it rises by {}", measure, few=51).strength == "not measured"
    assert "in {odd}" in spoken("it rises by {} in {odd}", measure, few=30).text
    assert spoken("it rises by {}", share("rise", 0, 0), few=1).strength == "not measured"


def test_a_published_number_stands_beside_the_same_slice_and_never_beside_a_gap(samples: pd.DataFrame) -> None:
    entries = [
        Published(metric="accuracy", slice={"label_set": "all"}, value=0.9, model="m", source="s"),
        Published(metric="accuracy", slice={"label_set": "all"}, value=0.1, model="later", source="s"),
    ]
    whole = rate(samples, "accuracy", {"label_set": "all"}, seed=0)
    part = rate(samples, "accuracy", {"label_set": "all", "light": "grey"}, seed=0)
    apart = gap(samples, "accuracy", {"label_set": "all"}, by="light", seed=0)
    found = with_published([whole, part, apart], entries)
    assert [m.published_value for m in found] == [0.9, None, None]
    assert found[0].published_source == "m; s"


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
        finding = spoken("accuracy differs by {}", row, few=1)
        without_zero = row.ci_low is not None and (row.ci_low > 0 or row.ci_high < 0)
        assert (finding.strength == "found") == without_zero == (row.p_adj is not None and row.p_adj < 0.05)
        assert not (without_zero and finding.strength == "no evidence")


def test_a_few_images_of_another_group_do_not_take_a_finding_back() -> None:
    """800 of 1000 against 700 of 1000 is found, p = 0.0005, with seven of ten of a third group beside it or not."""
    for extra in ([], ["c"] * 10):
        samples = pd.DataFrame({"group": ["a"] * 1000 + ["b"] * 1000 + extra})
        samples["outcome:accuracy"] = ([1.0] * 800 + [0.0] * 200 + [1.0] * 700 + [0.0] * 300 + [1.0] * 7 + [0.0] * 3)[
            : len(samples)
        ]
        samples["cluster"] = samples["sample_id"] = [str(at) for at in range(len(samples))]
        (row,) = adjust([gap(samples, "accuracy", {}, by="group", seed=0)])
        assert row.p_adj == pytest.approx(0.0005, abs=1e-6)
        assert 0.05 < row.ci_low < 0.1 < row.ci_high < 0.15
        assert spoken("accuracy differs by {}", row, few=30).strength == "found"
        assert "small_n" not in row.flags
