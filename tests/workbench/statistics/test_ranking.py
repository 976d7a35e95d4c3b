"""Rankings: golden values, plain definitions, published nulls, and what random and one-sided orders must give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import BadInput
from workbench.statistics import _skew, ranking

GOLDEN = [0, 0, 1, 0, 1, 1]


def scores(groups: list[object], k: object, target: object = "dataset") -> tuple[dict[object, np.ndarray], np.ndarray]:
    """Skew of each group, and NDKL, at each k: what `measured` works out before it draws anything."""
    names, codes, shares = _skew.coded(groups, target)
    both = _skew.scored(codes[None], len(names), _skew.checked_k(k, len(codes)), shares=shares)
    return dict(zip(names, both.skew[0].T, strict=True)), both.ndkl[0]


def test_golden_values() -> None:
    measures = ranking.measured(GOLDEN, 4, rng=0)
    assert measures.max_skew[0].interval.value == pytest.approx(math.log(1.5))
    assert measures.min_skew[0].interval.value == pytest.approx(math.log(0.5))
    for groups, golden in ((GOLDEN, 0.370058), ([0, 1, 0, 1], 0.281645), ([0, 0, 1, 1], 0.452369)):
        whole = ranking.measured(groups, len(groups), rng=0)
        assert whole.ndkl[0].interval.value == pytest.approx(golden, abs=5e-7)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=25), st.sampled_from(["dataset", "uniform"]), st.data())
def test_all_k_at_once_are_the_plain_definitions(groups: list[str], target: str, data: st.DataObject) -> None:
    ks = data.draw(st.lists(st.integers(1, len(groups)), min_size=1, max_size=4))
    names = sorted(set(groups))
    q = {g: 1 / len(names) if target == "uniform" else groups.count(g) / len(groups) for g in names}
    result, divergence = scores(groups, ks, target)
    for at, k in enumerate(ks):
        for g in names:
            assert result[g][at] == pytest.approx(math.log(max(groups[:k].count(g), 1) / k / q[g]))
        above = below = 0.0
        for i in range(1, k + 1):
            part = {g: groups[:i].count(g) / i for g in names}
            above += sum(p * math.log(p / q[g]) for g, p in part.items() if p) / math.log2(i + 1)
            below += 1 / math.log2(i + 1)
        assert divergence[at] == pytest.approx(above / below, abs=1e-12)


def test_ties_go_by_sample_id_after_rounding() -> None:
    result = ranking.order([0.1, 0.3, 0.3 + 4e-7, 0.2], ["d", "b", "c", "a"])
    assert result.tolist() == [1, 2, 3, 0]
    assert ranking.order([0.3, 0.3 + 2e-6], ["a", "b"]).tolist() == [1, 0]
    ids, scores = [f"{i:03}" for i in range(50)], np.round(np.random.default_rng(0).random(50), 1)
    names = [ids[at] for at in ranking.order(scores, ids)]
    mixed = np.random.default_rng(1).permutation(50)
    again = ranking.order(scores[mixed], [ids[at] for at in mixed])
    assert [ids[mixed[at]] for at in again] == names  # whatever order they came in


def test_a_group_that_the_target_names_and_the_ranking_lacks_counts() -> None:
    result, _ = scores(["a", "a"], 2, {"a": 0.5, "b": 0.5})
    assert result["a"][0] == pytest.approx(math.log(2))
    assert result["b"][0] == pytest.approx(math.log(0.5 / 0.5))  # one of two, by the rule for zero counts


@pytest.mark.parametrize(
    ("groups", "k", "target", "message"),
    [
        ([], 1, "dataset", "at least one item"),
        (["a", None], 1, "dataset", "one is missing"),
        (["a", math.nan], 1, "dataset", "one is missing"),
        (["a"], 2, "dataset", r"1 to 1; got \[2\]"),
        (["a"], 0, "dataset", r"got \[0\]"),
        (["a"], [], "dataset", "got"),
        (["a"], 1, "census", "'census'"),
        (["a"], 1, {"b": 1.0}, "lacks 'a'"),
        (["a"], 1, {"a": 0.5}, "adding up to 1"),
    ],
)
def test_what_cannot_be_ranked_is_refused(groups: list[object], k: object, target: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        ranking.measured(groups, k, rng=0, target=target)


def test_scores_that_cannot_be_ordered_are_refused() -> None:
    with pytest.raises(BadInput, match="occurs twice"):
        ranking.order([1, 2], ["a", "a"])
    with pytest.raises(BadInput, match="2 scores and 1"):
        ranking.order([1, 2], ["a"])
    with pytest.raises(BadInput, match="finite"):
        ranking.order([1, math.nan], ["a", "b"])


def test_the_null_of_two_groups_is_hypergeometric() -> None:
    from scipy import stats

    groups = ["a"] * 30 + ["b"] * 30
    result = ranking.measured(groups, 10, rng=0)
    drawn = np.arange(11)
    weight = stats.hypergeom.pmf(drawn, 60, 30, 10)
    largest = np.log(np.maximum(drawn, 10 - drawn) / 10 / 0.5)
    assert result.max_skew[0].null_mean == pytest.approx(float(weight @ largest), abs=0.012)
    assert result.max_skew[0].interval.value == pytest.approx(math.log(2))
    assert result.max_skew[0].p_value < 0.01
    assert result.min_skew[0].interval.value == pytest.approx(math.log(0.1 / 0.5))
    # none of ten counts as one of ten, so that is as extreme
    assert result.min_skew[0].p_value == pytest.approx(weight[[0, 1, 9, 10]].sum(), abs=0.008)
    assert result.ndkl[0].p_value < 0.01


def test_published_size_of_chance() -> None:
    """Seven groups of FairFace's validation sizes in random order, first 100: mean 0.31, 95 % below 0.49."""
    sizes = [2085, 1556, 1516, 1623, 1209, 1415, 1550]
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(7), sizes)).tolist()
    result = ranking.measured(groups, 100, rng=0).max_skew[0]
    assert result.null_mean == pytest.approx(0.31, abs=0.01)
    assert result.null_q95 == pytest.approx(0.49, abs=0.02)
    assert result.interval.low == 0


def test_one_group_and_the_whole_set_have_no_skew() -> None:
    for groups, k in ((["a"] * 5, 3), (["a", "b", "a", "b"], 4)):
        result = ranking.measured(groups, k, rng=0)
        assert result.max_skew[0].interval.value == pytest.approx(0)
        assert result.max_skew[0].p_value == 1
        assert result.max_skew[0].null_mean == pytest.approx(0)


def test_same_seed_same_answer_and_copies_in_a_cluster_tell_nothing_new() -> None:
    groups = np.random.default_rng(0).permutation(["a"] * 40 + ["b"] * 60).tolist()
    once = ranking.measured(groups, 20, rng=3)
    assert once == ranking.measured(groups, 20, rng=3)
    copied = np.repeat(groups, 4).tolist()
    four = ranking.measured(copied, 80, rng=3, cluster=np.repeat(np.arange(100), 4).tolist())
    blind = ranking.measured(copied, 80, rng=3)

    def width(result: ranking.Measured) -> float:
        return result.min_skew[0].interval.high - result.min_skew[0].interval.low

    assert width(four) == pytest.approx(width(once), rel=0.25)
    assert width(blind) < 0.75 * width(once)


@pytest.mark.heavy
def test_random_orders_raise_few_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 random rankings: tests reject at most 5 %, and the bounds of MaxSkew leave 0 at most 2.5 % of the time."""
    monkeypatch.setattr(ranking, "RESAMPLES", 200)  # enough for a level of 5 %
    rng, runs = np.random.default_rng(0), 2000
    result = [
        ranking.measured(rng.permutation(np.repeat([0, 1, 2], [30, 40, 50])).tolist(), 40, rng=rng) for _ in range(runs)
    ]
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    for name in ("max_skew", "min_skew", "ndkl"):
        assert np.mean([getattr(one, name)[0].p_value <= 0.05 for one in result]) <= limit, name
    assert np.mean([one.max_skew[0].interval.low > 0 for one in result]) <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / runs)
