"""Rates, differences and what may be said of them, against counts by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from audits.protocol import Published
from audits.rates import difference, gap, groups, rate, selected, spoken, with_published
from workbench.statistics.intervals import Interval, proportion
from workbench.statistics.measures import adjust, number, share


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
    assert found.p_value == pytest.approx(2 / 2**6)  # signs of six clusters that changed
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
