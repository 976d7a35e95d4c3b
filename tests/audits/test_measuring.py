"""Shares, means, gaps and changes, against counts by hand and separate computations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from audits import measuring
from audits.grouping import keyed, slices
from audits.slicing import gaps, groups, rate, selected
from workbench.statistics.intervals import proportion


@pytest.fixture
def samples() -> pd.DataFrame:
    """40 images of 10 clusters; all four of a cluster are right together, six clusters of ten are right."""
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


def test_four_images_of_one_cluster_count_as_one(samples: pd.DataFrame) -> None:
    row = rate(samples, "accuracy", {"label_set": "all"}, seed=0)
    assert (row.value, row.n, row.label_set, dict(row.slice)) == (0.6, 40, "all", {})
    alone = proportion(6, 10)
    assert (row.ci_low, row.ci_high) == pytest.approx((alone.low, alone.high), abs=0.06)
    assert row.ci_method == "Clopper-Pearson, effective n"  # ten clusters, one lost to their own spread
    assert (row.k_pos, row.n_effective) == (24, 9)
    apart = rate(samples.assign(cluster=samples["sample_id"]), "accuracy", {}, seed=0)
    assert (apart.ci_low, apart.ci_high) == pytest.approx((proportion(24, 40).low, proportion(24, 40).high))


def test_a_rate_keeps_to_its_slice_and_to_where_it_is_defined(samples: pd.DataFrame) -> None:
    row = rate(samples, "part", {"light": "grey"}, seed=0)
    assert (row.value, row.n) == (0.5, 18)  # views 1 and 3 of nine clusters: 0.25 and 0.75
    assert len(selected(samples, {"light": "grey"}, "part")) == 18
    none = rate(samples, "part", {"light": "green"}, seed=0)
    assert (none.value, none.n) == (None, 0)
    assert "undefined" in none.flags


def test_a_mean_has_students_interval_over_clusters_of_one_size() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(5, 1, (12, 3))
    cluster = [f"c{at}" for at in range(12) for _ in range(3)]
    row = measuring.mean("size", values.ravel(), cluster, rng=rng)
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values.mean(axis=1)))
    assert (row.value, row.ci_low, row.ci_high) == pytest.approx((values.mean(), low, high))
    alone = measuring.mean("size", values.ravel(), [str(at) for at in range(36)], rng=rng)
    low, high = stats.t.interval(0.95, 35, values.mean(), stats.sem(values.ravel()))
    assert (alone.ci_low, alone.ci_high) == pytest.approx((low, high))
    uneven = measuring.mean("size", values.ravel()[:-1], cluster[:-1], rng=rng)
    assert "cluster bootstrap" in uneven.ci_method
    near_one = measuring.mean("share", [1.0, 1.0, 1.0, 0.9], list("abcd"), rng=rng)
    assert near_one.ci_high == 1.0
    assert "degenerate" in measuring.mean("share", [0.5] * 9, list("abcdefghi"), rng=rng).flags


def test_a_gap_stands_beside_what_chance_gives(samples: pd.DataFrame) -> None:
    sided = samples.assign(side=["left" if name < "c5" else "right" for name in samples["cluster"]])
    (row,) = gaps(sided, "accuracy", {"label_set": "all"}, by=("side",), seed=0)
    assert row.value == pytest.approx(0.8)  # 5 of 5 clusters against 1 of 5
    assert (row.n, row.contrast, row.slice_by, row.reference) == (40, "between_groups", "side", "right to left")
    assert row.null_q95 is not None
    assert row.detectable is not None
    (even,) = gaps(sided, "accuracy", {}, by=("light",), seed=0)  # every cluster holds both lights
    assert (even.value, even.p_value, even.control) == (0.0, 1.0, "cluster")


def test_a_gap_of_means_finds_a_planted_one_and_no_other() -> None:
    rng = np.random.default_rng(1)
    names = ["a"] * 60 + ["b"] * 60 + ["c"] * 60
    result = []
    for shift in (0.0, 1.0):
        values = rng.normal(0, 1, 180) + shift * (np.array(names) == "b")
        cluster = [str(at) for at in range(180)]
        row = measuring.mean_gap("drop", values, cluster, groups=names, rng=rng, slice_by="group")
        means = [values[np.array(names) == name].mean() for name in "abc"]
        assert row.value == pytest.approx(max(means) - min(means))
        assert row.p_value is not None
        assert row.ci_low is not None
        assert (row.p_value < 0.05) == (row.ci_low > 0)  # test and bound come from the same draws
        result.append(row)
    assert result[0].p_value > 0.05 > result[1].p_value  # type: ignore[operator]
    assert result[1].reference.endswith("to b")
    few = measuring.mean_gap("drop", [1.0, 2.0, 3.0], list("xyz"), groups=["a", "a", "b"], rng=rng, slice_by="group")
    assert few.value is None  # three images tell no spread


def test_a_group_of_one_image_neither_hides_a_gap_of_means_nor_makes_one() -> None:
    """By hand: 0 and 1 are the means of two groups of 60; the one image of a third lies three deviations up."""
    rng, names = np.random.default_rng(4), ["a"] * 60 + ["b"] * 60 + ["c"]
    spread = np.tile([-1.0, 1.0], 60)
    fields: dict[str, Any] = {"groups": names, "slice_by": "group"}
    found = measuring.mean_gap(
        "drop", [*(spread + np.repeat([0, 1], 60)), 3.0], list(map(str, range(121))), rng=rng, **fields
    )
    assert (found.value, found.n) == (pytest.approx(3.0), 121)
    assert found.p_value < 0.001 < found.ci_low  # type: ignore[operator]
    assert found.ci_high == pytest.approx(3 + 1.96, abs=0.1)  # as wide as the one image makes it
    alarms = [
        measuring.mean_gap("drop", rng.normal(0, 1, 121), list(map(str, range(121))), rng=rng, **fields).p_value < 0.05  # type: ignore[operator]
        for _ in range(100)
    ]
    assert sum(alarms) <= 13


def test_a_gap_of_means_keeps_its_level() -> None:
    rng = np.random.default_rng(2)
    names = ["a"] * 40 + ["b"] * 40 + ["c"] * 40
    rows = [
        measuring.mean_gap(
            "drop",
            rng.choice([-1.0, 0.0, 1.0], 120, p=[0.3, 0.6, 0.1]),
            [str(at) for at in range(120)],
            groups=names,
            rng=rng,
            slice_by="group",
        )
        for _ in range(200)
    ]
    assert all((row.p_value < 0.05) == (row.ci_low > 0) for row in rows)  # type: ignore[operator]
    assert sum(row.p_value < 0.05 for row in rows) <= 20  # type: ignore[operator,misc]


def test_clusters_widen_a_gap_of_means() -> None:
    rng = np.random.default_rng(3)
    values = np.repeat(rng.normal(0, 1, 40), 5)
    names = ["a"] * 100 + ["b"] * 100
    apart = measuring.mean_gap("drop", values, [str(at) for at in range(200)], groups=names, rng=rng, slice_by="g")
    held = measuring.mean_gap("drop", values, [str(at // 5) for at in range(200)], groups=names, rng=rng, slice_by="g")
    assert held.p_value > 2 * apart.p_value  # type: ignore[operator]


def test_a_change_is_taken_image_by_image() -> None:
    before = [1.0] * 24 + [0.0] * 12
    cluster = [f"c{at // 4}" for at in range(36)]
    row = measuring.change("drop", [0.0] * 36, before, cluster=cluster, slice={"a": "b"})
    assert row.value == pytest.approx(24 / 36)
    assert (row.n, row.contrast, row.unit, dict(row.slice)) == (36, "paired", "difference", {"a": "b"})
    score = 24 / np.sqrt(6 * 4**2)  # Obuchowski 1998: changes over the root of the clusters' squared sums; six of four
    assert row.p_value == pytest.approx(2 * stats.norm.sf(score))
    same = measuring.change("drop", before, before, cluster=[str(at) for at in range(36)])
    assert (same.value, same.p_value) == (0.0, 1.0)
    nearly = measuring.change("drop", [0.0] * 4, [1.0, 1.0, 1.0, 0.9], cluster=list("abcd"))
    assert nearly.ci_high == 1.0  # no difference of two shares is larger
    distances = measuring.change("d", [0.0] * 4, [1.0, 1.0, 1.0, 0.9], cluster=list("abcd"), unit="d")
    assert distances.ci_high is not None
    assert distances.ci_high > 1


def test_groups_are_columns_of_text_with_a_few_values(samples: pd.DataFrame) -> None:
    assert groups(samples) == ["light"]
    assert groups(samples, but=("light",)) == []
    assert groups(samples.assign(place="one", many=samples["sample_id"])) == ["light"]
    assert groups(samples.assign(seldom=["x", *[""] * 39])) == ["light"]  # no value is no group


def test_slices_leave_out_rows_without_a_value() -> None:
    rows = pd.DataFrame({"race": ["a", "a", "b", ""], "sex": ["f", "m", "f", "f"], "outcome:x": [1.0, 0.0, 1.0, 1.0]})
    result = {tuple(slice.items()): len(part) for slice, part in slices(rows, [("race",), ("race", "sex")])}
    assert result == {
        (("race", "a"),): 2,
        (("race", "b"),): 1,
        (("race", "a"), ("sex", "f")): 1,
        (("race", "a"), ("sex", "m")): 1,
        (("race", "b"), ("sex", "f")): 1,
    }
    assert list(keyed(rows, ("race", "sex"))["group"]) == ["a · f", "a · m", "b · f"]
