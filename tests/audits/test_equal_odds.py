"""Equalised odds against fairlearn, calibration gaps against a simulation, and both where nothing was planted."""

from __future__ import annotations

from statistics import mean
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import equalized_odds_difference

from audits.calibration import group_gap
from audits.calibration.group_gap import ece_gap
from audits.equal_odds import equalised_odds, rates_by_group
from workbench.statistics import gaps
from workbench.statistics.measures import Measure


def odds(*given: Any, **more: Any) -> Measure | None:
    """The first row, of all groups."""
    rows = equalised_odds(*given, **more)
    return rows[0] if rows else None


def answers(n: int, wrong: float, seed: int) -> pd.DataFrame:
    """Images of two kinds; in group b, a share of the cats is called dog."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"y_true": rng.choice(["cat", "dog"], n), "side": rng.choice(["a", "b"], n)})
    flip = (rng.random(n) < 0.1) | ((rows["side"] == "b") & (rows["y_true"] == "cat") & (rng.random(n) < wrong))
    rows["y_pred"] = np.where(flip, np.where(rows["y_true"] == "cat", "dog", "cat"), rows["y_true"])
    return rows.assign(cluster=[str(at) for at in range(n)])


def test_the_value_is_fairlearns_and_a_planted_gap_is_found() -> None:
    rows = answers(600, 0.3, 0)
    row = odds(rows, ("side",), rng=np.random.default_rng(0), label_set="pets")
    assert row is not None
    expected = equalized_odds_difference(
        rows["y_true"] == "dog", rows["y_pred"] == "dog", sensitive_features=rows["side"]
    )
    assert row.value == pytest.approx(expected)
    assert row.p_value is not None
    assert row.p_value < 0.01
    assert row.ci_low is not None
    assert row.ci_low > 0
    assert row.reference in ("recall of cat, b to a", "false positives of dog, a to b")
    assert row.label_set == "pets"
    assert (row.slice_by, row.contrast, row.n) == ("side", "between_groups", 600)


def test_false_positives_count_where_every_label_is_recalled_alike() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"y_true": rng.choice(["bird", "cat", "dog"], 900), "side": rng.choice(["a", "b"], 900)})
    wrong = (rows["y_true"] == "dog") & (rng.random(900) < 0.5)  # called bird in a, cat in b
    rows["y_pred"] = np.where(wrong, np.where(rows["side"] == "a", "bird", "cat"), rows["y_true"])
    row = odds(rows.assign(cluster=rows.index.astype(str)), ("side",), rng=rng)
    assert row is not None
    expected = [
        equalized_odds_difference(rows["y_true"] == one, rows["y_pred"] == one, sensitive_features=rows["side"])
        for one in ("bird", "cat", "dog")
    ]
    assert row.value == pytest.approx(max(expected))
    assert row.reference.startswith("false positives of ")


def test_interval_and_test_agree_at_every_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "RESAMPLES", 200)
    for seed in range(5):
        row = odds(answers(300, 0.12, seed), ("side",), rng=np.random.default_rng(seed))
        assert row is not None
        assert row.at_level is not None
        for level in (0.8, 0.9, 0.95):
            low = row.at_level(level).low or 0.0
            assert (low > 1e-12) == ((row.p_value or 0.0) < 1 - level)


def test_a_gap_of_the_smallest_size_that_could_be_shown_is_found_four_times_out_of_five() -> None:
    """Half of all answers are right, so that a gap upwards is as easy to see as one downwards."""

    def row(fewer: float, seed: int) -> Measure:
        rng = np.random.default_rng(seed)
        rows = pd.DataFrame({"y_true": rng.choice(["cat", "dog"], 600), "side": rng.choice(["a", "b"], 600)})
        cats = (rows["side"] == "b") & (rows["y_true"] == "cat")
        right = rng.random(600) < 0.5 - fewer * cats
        rows["y_pred"] = np.where(right, rows["y_true"], np.where(rows["y_true"] == "cat", "dog", "cat"))
        made = odds(rows.assign(cluster=rows.index.astype(str)), ("side",), rng=rng)
        assert made is not None
        return made

    smallest = row(0.0, 0).detectable
    assert smallest is not None
    result = mean((row(smallest, seed).p_value or 0) < 0.05 for seed in range(40))
    print(f"equalised odds: a gap of {smallest:.3f} was found in {result:.2f} of 40 runs")
    assert 0.6 < result < 0.98


def test_a_rare_label_counts_and_a_second_row_is_without_it() -> None:
    """Of two foxes one is seen: a gap of 100 points that no test tells from chance; the others' rates stand beside."""
    rows = answers(400, 0.3, 0)
    foxes = pd.DataFrame({"y_true": "fox", "y_pred": ["fox", "dog"], "side": ["a", "b"], "cluster": ["f", "g"]})
    both = pd.concat([rows, foxes], ignore_index=True)
    whole, large = equalised_odds(both, ("side",), rng=np.random.default_rng(0))
    alone = odds(rows, ("side",), rng=np.random.default_rng(0))
    assert alone is not None
    assert (whole.value, whole.ci_high, whole.n) == (1.0, 1.0, 402)
    assert whole.reference == "recall of fox, b to a"
    assert (large.contrast, "fox" in large.reference) == ("between_groups_of_at_least_30", False)
    assert large.value == pytest.approx(alone.value, abs=0.01)
    assert large.p_value == pytest.approx(alone.p_value, abs=0.01)


def test_each_rate_of_each_group_has_a_row_and_the_largest_gap_is_among_them() -> None:
    rows = answers(400, 0.3, 0)
    shares = {(one.metric, one.slice["label"], one.slice["side"]): one for one in rates_by_group(rows, ("side",))}
    assert len(shares) == 8  # two rates of two labels in two groups
    for (metric, label, side), one in shares.items():
        among = rows[(rows["side"] == side) & ((rows["y_true"] == label) == metric.endswith("recall"))]
        assert (one.n, one.k_pos) == (len(among), int((among["y_pred"] == label).sum()))
    whole = odds(rows, ("side",), rng=np.random.default_rng(0))
    assert whole is not None
    gaps = [
        abs((shares[metric, label, "a"].value or 0) - (shares[metric, label, "b"].value or 0))
        for metric, label, _ in shares
    ]
    assert whole.value == pytest.approx(max(gaps))


def test_a_small_group_counts_in_value_test_and_number() -> None:
    """A third group of 29, of which no cat is recognised: it is in every rate that it has cases of, and in n."""
    rows = answers(600, 0.0, 1)
    third = pd.DataFrame({"y_true": "cat", "y_pred": "dog", "side": "c", "cluster": [f"c{at}" for at in range(29)]})
    both = pd.concat([rows, third], ignore_index=True)
    whole, large = equalised_odds(both, ("side",), rng=np.random.default_rng(0))
    recalls = [(part["y_pred"] == "cat").mean() for _, part in both[both["y_true"] == "cat"].groupby("side")]
    assert (whole.n, whole.value) == (629, pytest.approx(max(recalls) - min(recalls)))
    assert whole.p_value == pytest.approx(4 / 2001)  # the floor of 2,000 resamples, times four rates
    assert (large.n, large.reference.count("c ")) == (600, 0)


def test_what_could_be_shown_is_said_of_the_rate_with_the_largest_gap() -> None:
    """With rare labels alone, no sentence may name a smaller difference than the one that is no evidence."""
    rows = pd.DataFrame({"y_true": ["fox", "fox", *["cat"] * 8], "y_pred": ["fox", "cat", *["cat"] * 8]})
    rows = rows.assign(side=["a", "b"] * 5, cluster=[str(at) for at in range(10)])
    row = odds(rows, ("side",), rng=np.random.default_rng(0))
    assert row is not None
    assert row.value == 1.0
    assert row.detectable is None or row.detectable > 1


def test_one_label_has_no_odds() -> None:
    rows = answers(300, 0.0, 0).assign(y_true="cat")
    assert odds(rows, ("side",), rng=np.random.default_rng(0)) is None
    assert odds(answers(300, 0, 0).assign(side="a"), ("side",), rng=np.random.default_rng(0)) is None


def confident(sizes: tuple[int, ...], shift: float, seed: int, each: int = 1) -> pd.DataFrame:
    """Groups with beta confidences; the first is right less often than it is sure, by `shift`."""
    rng = np.random.default_rng(seed)
    parts = []
    for group, n in enumerate(sizes):
        sure = rng.beta(4, 2, n // each).repeat(each)
        right = (rng.random(n) < np.clip(sure - (shift if group == 0 else 0), 0, 1)).astype(float)
        cluster = [f"{group}-{at // each}" for at in range(n)]
        parts.append(
            pd.DataFrame({"confidence": sure, "outcome:accuracy": right, "cluster": cluster, "side": f"g{group}"})
        )
    return pd.concat(parts, ignore_index=True)


def test_a_planted_calibration_gap_is_found_with_its_size() -> None:
    rows = confident((400, 400), 0.25, 0)
    row = ece_gap(rows, ("side",), bins=15, rng=np.random.default_rng(0), label_set="x")
    by_hand = {}
    for side, part in rows.groupby("side"):
        bins = part.groupby(pd.cut(part["confidence"], np.linspace(0, 1, 16)), observed=True)
        off = (bins["confidence"].mean() - bins["outcome:accuracy"].mean()).abs()
        by_hand[side] = float((off * bins.size()).sum() / len(part))
    assert row.value == pytest.approx(by_hand["g0"] - by_hand["g1"], abs=0.01)  # equal sizes: nothing is taken off
    assert row.p_value is not None
    assert row.p_value < 0.01
    assert row.ci_low is not None
    assert row.ci_low > 0.05
    assert row.reference == "g1 to g0"
    assert (row.metric, row.slice_by, row.label_set, row.n) == ("ece", "side", "x", 800)


def test_groups_of_unequal_size_that_are_both_calibrated_raise_few_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_gap, "RESAMPLES", 99)
    for sizes, each in (((60, 400), 1), ((60, 400), 4)):
        alarms = [
            (ece_gap(confident(sizes, 0, at, each), ("side",), bins=15, rng=np.random.default_rng(at)).p_value or 1)
            < 0.05
            for at in range(80)
        ]
        assert mean(alarms) <= 0.125  # 0.05, and three errors of 80; without the correction it is 0.33


def test_groups_within_clusters_are_dealt_within_them() -> None:
    rows = confident((200, 200), 0.0, 0)
    rows["cluster"] = [str(at % 200) for at in range(400)]  # one case of each group
    group = np.repeat([0, 1], 200)
    for dealt in group_gap._deals(group, pd.factorize(rows["cluster"])[0], np.random.default_rng(0))[:5]:
        assert (dealt[:200] + dealt[200:] == 1).all()
        assert 60 < dealt[:200].sum() < 140


def test_one_group_has_no_gap() -> None:
    row = ece_gap(confident((100,), 0, 0), ("side",), bins=15, rng=np.random.default_rng(0))
    assert row.value is None
    assert "undefined" in row.flags
