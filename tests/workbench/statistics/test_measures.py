"""The long table: its columns, its order, its nulls, its flags."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from workbench.statistics import measures
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure

COUNTS = {"a": (14, 100), "b": (22, 90), "c": (60, 200)}
COLUMNS = """metric unit direction label_set template_set slice_by slice control n k_pos n_effective value ci_low
ci_high level ci_method detectable n_needed contrast reference null_mean null_q95 p_value p_adj correction n_tests
family flags published_value published_source"""


def rows() -> list[Measure]:
    return [
        measures.share("accuracy", 7, 10, slice={"race": "b", "age": "old"}, direction="higher"),
        measures.share("accuracy", 0, 0, slice={"race": "ü", "age": "old"}),
        measures.share("accuracy", 70, 100, published_value=0.71, published_source="table 3"),
        measures.between("accuracy", COUNTS, slice_by="race", rng=0),
        measures.number("auroc", Interval(0.5, None, None, 0.95, "undefined: n = 1"), n=50, unit="auroc"),
    ]


def test_columns_and_types_are_fixed(tmp_path: Path) -> None:
    table = measures.table(rows())
    assert list(table.columns) == COLUMNS.split()
    assert list(measures.table([]).columns) == COLUMNS.split()
    assert measures.table([]).dtypes.equals(table.dtypes)
    assert str(table["n"].dtype) == "Int64"
    assert str(table["value"].dtype) == "Float64"
    table.to_parquet(tmp_path / "m.parquet")
    back = pd.read_parquet(tmp_path / "m.parquet")
    assert back["value"].isna().sum() == 1
    assert back["slice"].tolist() == table["slice"].tolist()


def test_the_order_does_not_depend_on_the_order_of_measures() -> None:
    pd.testing.assert_frame_equal(measures.table(rows()), measures.table(rows()[::-1]))


def test_rows_are_strict_json() -> None:
    output = json.dumps(measures.records(rows()), allow_nan=False)
    back = json.loads(output)
    assert {"age": "old", "race": "ü"} in [row["slice"] for row in back]
    assert sum(row["value"] is None for row in back) == 1


def test_slices_are_canonical() -> None:
    one = measures.share("x", 1, 2, slice={"b": "2", "a": "ü"})
    assert one.slice_json == '{"a":"ü","b":"2"}'
    assert one.slice_by == "a,b"
    assert measures.share("x", 1, 2, slice={"a": 1}).slice == {"a": "1"}


@pytest.mark.parametrize(
    ("k", "n", "flags"),
    [
        (60, 100, ()),
        (60, 99, ("small_n",)),
        (20, 30, ("small_n",)),
        (20, 29, ("small_n", "suppressed")),
        (0, 0, ("small_n", "suppressed", "undefined")),
    ],
)
def test_small_groups_are_flagged_and_kept(k: int, n: int, flags: tuple[str, ...]) -> None:
    result = measures.share("x", k, n)
    assert result.flags == flags
    assert (result.k_pos, result.n) == (k, n)
    assert (result.value is None) == (n == 0)


def test_a_gap_stands_beside_its_null() -> None:
    result = measures.between("x", COUNTS, slice_by="race", rng=0, label_set="fairface")
    assert result.value == pytest.approx(0.16)
    assert (result.n, result.k_pos, result.contrast, result.unit) == (390, 96, "between_groups", "difference")
    assert result.reference == "a to c"
    assert 0 < result.null_mean < result.null_q95
    assert result.p_value < 0.05
    assert result.flags == ("small_n",)  # by the smallest group, 90
    assert result.label_set == "fairface"
    assert measures.between("x", {"a": (0, 200), "b": (0, 200)}, slice_by="race", rng=0).flags == ("degenerate",)
    assert "undefined" in measures.between("x", {"a": (1, 200)}, slice_by="race", rng=0).flags


def test_families_are_metric_and_slicing() -> None:
    def tested(metric: str, by: str, p_value: float | None) -> Measure:
        interval = Interval(0.1, 0.0, 0.2, 0.95, "Newcombe")
        return measures.number(metric, interval, n=500, slice_by=by, p_value=p_value)

    given = [tested("x", "race", 0.01), tested("x", "race", 0.02), tested("x", "sex", 0.03), tested("y", "race", None)]
    result = measures.adjust(given, "holm")
    assert [one.p_adj for one in result] == [0.02, 0.02, 0.03, None]
    assert [one.n_tests for one in result] == [2, 2, 1, None]
    assert [one.correction for one in result] == ["holm", "holm", "holm", ""]
    assert [one.p_value for one in result] == [0.01, 0.02, 0.03, None]


def test_nan_never_gets_in() -> None:
    result = measures.number("x", Interval(math.nan, math.nan, math.inf, 0.95, "x"), n=500)
    assert (result.value, result.ci_low, result.ci_high, result.flags) == (None, None, None, ("undefined",))
    with pytest.raises(ValueError, match="is None"):
        Measure(metric="x", value=math.nan)
    with pytest.raises(ValueError, match="'odd'"):
        Measure(metric="x", flags=("odd",))


def test_a_resample_without_spread_is_degenerate() -> None:
    result = measures.number("x", Interval(1.0, 1.0, 1.0, 0.95, "degenerate bootstrap"), n=500)
    assert result.flags == ("degenerate",)
