"""Constrained rankings: each group's share at every length, by hand and for many random lists."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.errors import BadInput
from workbench.remedies.reranking import rerank


def test_by_hand() -> None:
    scores, groups = [9, 8, 7, 6, 5, 4], ["a", "a", "a", "b", "b", "b"]
    assert rerank(scores, groups).tolist() == [0, 3, 1, 4, 2, 5]
    # two of three are a: at 2 either may come, and the best one does; at 3 one b is due
    assert rerank(scores, groups, targets={"a": 2, "b": 1}).tolist()[:3] == [0, 1, 3]


def test_the_paper_s_algorithms_run_by_hand() -> None:
    """Targets 1/4 and 3/4: floors of b are 0, 1, 2, 3, 3; where none is below its floor the two methods differ."""
    scores, groups, targets = [9, 8, 7, 6, 5], ["a", "b", "b", "b", "a"], {"a": 1, "b": 3}
    # 1: the best of all; 2 to 4: b is below its floor; 5: what is left
    assert rerank(scores, groups, targets=targets).tolist() == [0, 1, 2, 3, 4]
    # 1: a would need its first place by 1 / (1/4) = 4, b by 1 / (3/4) = 1.3; 2: a by 4, b its second by 2.7
    # 3: a by 4, b its third by 4: the better score; 4: b is below its floor; 5: what is left
    conservative = rerank(scores, groups, targets=targets, method="conservative")
    assert conservative.tolist() == [1, 2, 0, 3, 4]


@pytest.mark.parametrize("method", ["greedy", "conservative"])
def test_every_prefix_holds_the_shares(method: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        groups = rng.choice(["a", "b", "c"], 60, p=[0.6, 0.3, 0.1]).tolist()
        bias = {"a": 2.0, "b": 0.0, "c": -2.0}
        scores = rng.normal(size=60) + [bias[group] for group in groups]
        ranked = rerank(scores, groups, method=method)  # type: ignore[arg-type]
        assert sorted(ranked.tolist()) == list(range(60))
        for k in range(1, 61):
            for group in "abc":
                here = sum(groups[row] == group for row in ranked[:k])
                assert here >= math.floor(groups.count(group) * k / 60)
        for group in "abc":  # within a group the order stays
            own = [scores[row] for row in ranked if groups[row] == group]
            assert own == sorted(own, reverse=True)


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(BadInput, match="every group has a target"):
        rerank([1, 2], ["a", "b"], targets={"a": 1})
    with pytest.raises(BadInput, match="greedy"):
        rerank([1, 2], ["a", "b"], method="fair")  # type: ignore[arg-type]
