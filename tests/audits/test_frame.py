"""AuditFrame against fairlearn's MetricFrame, on data nobody chose, and against counts worked out by hand."""

from __future__ import annotations

import math
import sys

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from audits import metrics
from audits.frame import AuditFrame
from workbench.errors import BadInput, Unsupported


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


@settings(deadline=None, max_examples=60)
@given(data(), st.booleans())
def test_point_results_are_metric_frames(given_data: dict[str, object], single: bool) -> None:
    functions = {"acc": metrics.accuracy, "sel": metrics.selection_rate(1)}
    asked = functions["acc"] if single else functions
    theirs_of = {"acc": accuracy_score, "sel": functions["sel"]}
    ours = AuditFrame(metrics=asked, **given_data)
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
