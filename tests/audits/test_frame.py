"""AuditFrame against fairlearn's MetricFrame, on data nobody chose, and against counts worked out by hand."""

from __future__ import annotations

import math
import time

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, precision_score, recall_score

from audits import metrics
from audits.frame import AuditFrame
from workbench.errors import BadInput
from workbench.statistics import gaps, intervals
from workbench.statistics.omnibus import omnibus


@st.composite
def data(draw: st.DrawFn) -> dict[str, object]:
    n = draw(st.integers(1, 40))

    def column(names: list[object]) -> list[object]:
        return draw(st.lists(st.sampled_from(names), min_size=n, max_size=n))

    features = {"race": column(["A", "B", "C", "D"]), "sex": column([0, 1])}
    sensitive = pd.DataFrame(features)[draw(st.sampled_from([["race"], ["race", "sex"], ["sex"]]))]
    control = draw(st.sampled_from([None, ["age"], ["age", "town"]]))
    table = pd.DataFrame({"age": column(["young", "old", "mid"]), "town": column([True, False])})
    return {
        "y_true": column([0, 1]),
        "y_pred": column([0, 1]),
        "sensitive_features": sensitive,
        "control_features": None if control is None else table[control],
    }


@settings(deadline=None, max_examples=25)
@given(data(), st.booleans())
def test_point_results_are_metric_frames(given_data: dict[str, object], single: bool) -> None:
    functions = {"acc": metrics.accuracy, "sel": metrics.selection_rate(1)}
    request = functions["acc"] if single else functions
    theirs_of = {"acc": accuracy_score, "sel": functions["sel"]}
    ours = AuditFrame(metrics=request, **given_data)
    theirs = MetricFrame(metrics=theirs_of["acc"] if single else theirs_of, **given_data)
    pairs = [
        (ours.overall, theirs.overall),
        (ours.by_group, theirs.by_group),
        (ours.group_min(), theirs.group_min()),
        (ours.group_max(), theirs.group_max()),
        *((ours.difference(method=how), theirs.difference(method=how)) for how in ("between_groups", "to_overall")),
        *((ours.ratio(method=how), theirs.ratio(method=how)) for how in ("between_groups", "to_overall")),
    ]
    for mine, fairlearns in pairs:
        same(mine, fairlearns)
    assert ours.control_levels == theirs.control_levels
    assert ours.sensitive_levels == theirs.sensitive_levels


def same(mine: object, theirs: object) -> None:
    if isinstance(theirs, pd.DataFrame):
        pd.testing.assert_frame_equal(mine, theirs.astype(float), check_dtype=False, check_names=True)
    elif isinstance(theirs, pd.Series):
        pd.testing.assert_series_equal(mine, theirs.astype(float), check_names=False)
        assert list(mine.index.names) == list(theirs.index.names)
    else:
        assert float(mine) == pytest.approx(float(theirs), nan_ok=True)


RACE = ["A"] * 120 + ["B"] * 80 + ["C"] * 20
HIT = [1] * 90 + [0] * 30 + [1] * 40 + [0] * 40 + [1] * 20


def frame(**more: object) -> AuditFrame:
    return AuditFrame(
        **({"metrics": metrics.accuracy, "y_true": [1] * 220, "y_pred": HIT, "sensitive_features": RACE} | more)
    )


def test_intervals_are_those_of_the_counts() -> None:
    result = frame().ci("by_group")
    for group, (k, n) in {"A": (90, 120), "B": (40, 80), "C": (20, 20)}.items():
        share = intervals.proportion(k, n)
        assert result.loc[group, ["value", "low", "high"]].tolist() == [share.value, share.low, share.high]
        assert (result.loc[group, "n"], result.loc[group, "method"]) == (n, share.method)
    whole = frame(ci="wilson", level=0.9).ci("overall").iloc[0]
    assert whole["low"] == intervals.proportion(150, 220, level=0.9, method="wilson").low
    apart = frame().ci("difference").iloc[0]
    assert (apart["value"], apart["n"]) == (0.5, 220)  # C, of 20 cases, is all right; B half
    assert 0 < apart["low"] < 0.5 < apart["high"]
    named = frame(metrics={"acc": metrics.accuracy, "sel": metrics.selection_rate()}).ci("by_group")
    assert named.loc["A", ("sel", "value")] == 0.75


def test_a_ratio_to_everybody_by_hand() -> None:
    assert frame().ratio(method="to_overall") == pytest.approx(150 / 220)  # C: all right, everybody: 150 of 220


def test_tests_are_those_of_the_counts() -> None:
    result = frame().test().set_index("test")
    counts = {"A": (90, 120), "B": (40, 80), "C": (20, 20)}
    assert result.loc["omnibus", "p_value"] == omnibus([counts], rng=0).p_value
    pairs, expected = result.loc["pair"], gaps.pairwise(counts)
    assert pairs["p_adj"].tolist() == [pair.p_adj for pair in expected]
    assert pairs["low"].tolist() == [pair.difference.low for pair in expected]
    assert pairs["n_tests"].tolist() == [3, 3, 3]
    assert ((pairs["low"] > 0) | (pairs["high"] < 0)).tolist() == (pairs["p_adj"] < 0.05).tolist()
    gap = result.loc["gap"]
    assert (gap["group"], gap["reference"], gap["value"]) == ("C", "B", 0.5)
    assert gap["p_value"] < 0.01
    large = result.loc["gap, groups of at least 30"]
    assert (large["group"], large["reference"], large["value"]) == ("A", "B", 0.25)
    assert large["p_value"] < 0.01
    assert large["null_q95"] < 0.25


def test_a_small_group_counts_in_every_row() -> None:
    """A 480 of 600, B 480 of 600, minors 0 of 29: fairlearn's gap is ours, in value, interval, test and number."""
    hits = [1] * 480 + [0] * 120
    one = frame(
        y_true=[1] * 1229,
        y_pred=[*hits, *hits, *[0] * 29],
        sensitive_features=["A"] * 600 + ["B"] * 600 + ["minor"] * 29,
    )
    apart = one.ci("difference").iloc[0]
    assert apart["value"] == one.difference() == 0.8
    assert 0.6 < apart["low"] < 0.8 < apart["high"]
    assert apart["n"] == 1229
    table = one.tidy().set_index("contrast")
    assert table.loc["between_groups", ["value", "n", "reference"]].tolist() == [0.8, 1229, "minor to A"]
    assert table.loc["between_groups", "p_adj"] == pytest.approx(2 / 2001)  # the floor, and two tests in the family
    assert table.loc["between_groups_of_at_least_30", ["value", "n"]].tolist() == [0, 1200]


def test_scikit_learns_metrics_are_quick_and_their_intervals_cover() -> None:
    rng = np.random.default_rng(0)
    cells = {"race": rng.choice(list("abcdef"), 1200), "sex": rng.choice(["f", "m"], 1200)}
    true = rng.integers(0, 2, 1200)
    given = np.where(rng.random(1200) < 0.8, true, 1 - true)
    functions = {one.__name__: one for one in (accuracy_score, f1_score, precision_score, recall_score)}
    start = time.perf_counter()
    table = frame(metrics=functions, y_true=true, y_pred=given, sensitive_features=pd.DataFrame(cells)).tidy()
    assert time.perf_counter() - start < 5  # about one second
    row = table[table["metric"].eq("accuracy_score") & table["slice"].eq("{}")].iloc[0]
    half = stats.t.ppf(0.975, 1199) * np.sqrt(row["value"] * (1 - row["value"]) / 1199)  # jackknife of a mean, by hand
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((row["value"] - half, row["value"] + half))
    scores = rng.normal(0, 1, 1200)  # of many kinds: thirty groups are left out
    row = frame(metrics=mean_absolute_error, y_true=scores, y_pred=scores * 0, sensitive_features=cells["race"]).ci(
        "overall"
    )
    assert row["low"].iloc[0] < np.sqrt(2 / np.pi) < row["high"].iloc[0]
    assert (row["high"] - row["low"]).iloc[0] == pytest.approx(2 * 2.045 * np.sqrt((1 - 2 / np.pi) / 1200), rel=0.35)


def test_the_long_table_holds_everything() -> None:
    table = frame(control_features={"age": ["y", "o"] * 110}, min_n=50).tidy()
    assert len(table) == 2 + 6 + 4  # overall and gap of each control level, and the cells
    cells = table[table["contrast"].eq("none") & table["slice_by"].str.contains("sensitive_feature_0")]
    assert cells["n"].tolist() == [60, 40, 10, 60, 40, 10]
    assert cells["flags"].tolist()[:3] == ["not_judged", "small_n|below_others", "small_n|suppressed|not_judged"]
    assert set(table["control"]) == {"age"}
    apart = table[table["contrast"].eq("between_groups")]
    assert apart["n_tests"].tolist() == [4, 4]  # with the gaps of groups of at least 30
    assert apart["p_adj"].notna().all()
    assert apart["n"].tolist() == [110, 110]
    pd.testing.assert_frame_equal(table, frame(control_features={"age": ["y", "o"] * 110}, min_n=50).tidy())


def test_clusters_widen() -> None:
    copies = {"y_true": [1] * 880, "y_pred": np.repeat(HIT, 4), "sensitive_features": np.repeat(RACE, 4)}
    alone, blind = frame().ci("by_group"), frame(**copies).ci("by_group")
    fair = frame(**copies, cluster=np.repeat(np.arange(220), 4)).ci("by_group")
    width = [(one["high"] - one["low"])["A"] for one in (alone, fair, blind)]
    assert width[1] == pytest.approx(width[0], rel=0.03)
    assert width[2] < 0.6 * width[0]
    tidy = frame(**copies, cluster=np.repeat(np.arange(220), 4)).tidy()
    assert tidy.loc[tidy["contrast"].eq("between_groups"), ["n", "k_pos", "value"]].iloc[0].tolist() == [880, 600, 0.5]


def test_a_metric_without_counts_gets_a_jackknife_and_no_test() -> None:
    def agreement(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return float((np.asarray(y_true) == np.asarray(y_pred)).mean())

    result = frame(metrics=agreement)
    assert result.by_group.tolist() == frame().by_group.tolist()
    assert "jackknife" in result.ci("by_group").loc["A", "method"]
    assert result.ci("difference")["value"].iloc[0] == 0.5
    assert result.ci("difference")["low"].isna().all()  # a bootstrapped gap is above 0 by chance alone
    assert result.test()["p_value"].isna().all()
    assert "agreement" in set(result.tidy()["metric"])


def test_shares_know_which_cases_count() -> None:
    true, message = np.array([1, 1, 1, 0, 0]), np.array([1, 0, 1, 1, 0])
    expected = {
        metrics.accuracy: 3 / 5,
        metrics.recall(): 2 / 3,
        metrics.precision(): 2 / 3,
        metrics.false_positive_rate(): 1 / 2,
        metrics.false_negative_rate(): 1 / 3,
        metrics.selection_rate(): 3 / 5,
        metrics.label_rate({0, 7}): 2 / 5,
    }
    for rate, value in expected.items():
        assert rate(true, message) == pytest.approx(value), rate.name
    assert np.isnan(metrics.recall().outcomes(true, message)).tolist() == [False, False, False, True, True]
    assert math.isnan(metrics.recall()([0, 0], [1, 0]))  # nobody to recall: not 0
    with pytest.raises(BadInput, match="set of labels"):
        metrics.label_rate("thief")
    with pytest.raises(BadInput, match="one prediction"):
        metrics.accuracy([1], [1, 0])


def test_no_case_that_counts_is_undefined() -> None:
    result = frame(metrics=metrics.recall(1), y_true=[1] * 200 + [0] * 20)
    assert math.isnan(result.by_group["C"])
    assert result.difference() == pytest.approx(0.25)  # between those that have a recall
    row = result.tidy().set_index("slice").loc['{"sensitive_feature_0":"C"}']
    assert row["value"] is pd.NA
    assert "undefined" in row["flags"]


def test_one_case_and_one_group() -> None:
    result = frame(y_true=[1], y_pred=[1], sensitive_features=[3.5])
    assert (result.overall, result.difference(), result.ratio()) == (1, 0, 1)
    assert result.test()["p_value"].isna().all()
    assert "undefined" in result.tidy().loc[lambda table: table["contrast"].eq("between_groups"), "flags"].iloc[0]


def test_groups_of_any_kind() -> None:
    result = frame(sensitive_features=pd.Series([1] * 100 + [2.5] * 60 + [True] * 60, dtype=object))
    assert result.by_group.index.tolist() == [1, 2.5]  # True is 1
    crossed = frame(sensitive_features={"a": [0] * 110 + [1] * 110, "b": ["x", "y"] * 110})
    assert set(crossed.test()["group"].dropna()) == {"0 / x", "0 / y", "1 / x", "1 / y"}


def test_samples_are_what_runs_are_compared_by() -> None:
    result = frame(
        metrics={"recall": metrics.recall(1)}, y_true=[1] * 200 + [0] * 20, sample_ids=range(5, 225)
    ).samples()
    assert result["sample_id"].tolist() == list(range(5, 225))
    assert result["outcome:recall"].isna().sum() == 20
    assert result["outcome:recall"].sum() == 130


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"y_true": [], "y_pred": []}, "needs cases"),
        ({"y_pred": [math.nan] * 220}, "220 of 220"),
        ({"sample_ids": ["a"] * 220}, "got 1"),
        ({"cluster": ["a"]}, "one cluster"),
        ({"ci": "wald"}, "'wald'"),
        ({"level": 95}, "0.95"),
        ({"correction": "sidak"}, "'sidak'"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        frame(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"y_pred": [1]}, r"\[220, 1\]"),
        ({"sensitive_features": ["a"]}, r"\[1, 220\]"),
        ({"sensitive_features": [None] + ["a"] * 219}, "contains missing values"),
        ({"control_features": pd.Series(RACE, name="sensitive_feature_0")}, "duplicate feature name"),
    ],
)
def test_what_fairlearn_refuses_is_refused_in_its_words(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frame(**wrong)


def test_unknown_words_are_refused() -> None:
    for call in (frame().ci, frame().test):
        with pytest.raises(BadInput, match="'odd'"):
            call("odd")
    for call in (frame().difference, frame().ratio):
        with pytest.raises(ValueError, match="odd"):
            call("odd")
    with pytest.raises(TypeError, match="colour"):
        frame(colour="red")


def test_it_is_a_metric_frame() -> None:
    whole = frame(n_boot=10, ci_quantiles=[0.1, 0.9], random_state=1)
    assert isinstance(whole, MetricFrame)
    assert len(whole.by_group_ci) == 2
    assert whole.group_min(errors="coerce") == 0.5


def test_sample_params_are_split_with_the_cases() -> None:
    def weighted(y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray) -> float:
        return float(np.average(np.asarray(y_true) == np.asarray(y_pred), weights=weight))

    weight = np.arange(1, 221)
    row = frame(metrics=weighted, sample_params={"weight": weight}).ci("by_group").loc["B"]
    assert row["value"] == pytest.approx(weight[120:160].sum() / weight[120:200].sum())
    assert row["low"] < row["value"] < row["high"]
