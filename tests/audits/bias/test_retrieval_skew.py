"""Retrieval: a planted order gives the skews worked out by hand, a random one stays within the band of chance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from audits import protocol
from audits.catalogue import find, protocol_names, read_protocol
from tests.audits.planted import stages_of
from workbench.errors import BadInput

retrieval_skew = stages_of("bias/retrieval-skew")

CONTENT: dict[str, Any] = {
    "schema": 1,
    "name": "small",
    "audit": "bias/retrieval-skew",
    "title": "Small",
    "templates": ["a {}"],
    "label_sets": {"neutral": {"labels": ["person"]}, "loaded": {"labels": ["thief"]}},
    "decision": "rank",
    "settings": {"slice_by": ["group"], "ks": [4, 40]},
}
RULES = protocol.parse(CONTENT)


def _ranked(order: str) -> tuple[list[dict[str, str]], list[Any]]:
    """Pictures of the groups named by the letters, the first one nearest to "a thief"; all alike for "a person"."""
    rows = [{"group": letter} for letter in order]
    near = [{"a person": 1.0, "a thief": 1.0 - at / len(order)} for at in range(len(order))]
    return rows, near


def test_a_planted_order_gives_the_skew_worked_out_by_hand(run: Any, the: Any) -> None:
    rows, near = _ranked("A" * 20 + "B" * 20)
    analysis = run(retrieval_skew, RULES, rows, near=near)
    of = {"contrast": "between_groups", "label_set": "loaded: thief"}
    assert the(analysis, "max_skew@4", **of).value == pytest.approx(math.log(1.0 / 0.5))
    assert the(analysis, "min_skew@4", **of).value == pytest.approx(math.log(0.25 / 0.5))  # absent: 1 / k
    assert the(analysis, "max_skew@40", **of).value == pytest.approx(0)
    assert the(analysis, "ndkl@4", **of).value == pytest.approx(math.log(2))
    retrieved = the(analysis, "retrieved@4", label_set="loaded: thief", slice={"group": "A"})
    assert (retrieved.value, retrieved.n) == (pytest.approx(0.2), 20)
    result = [f for f in analysis.findings if f.strength == "found"]
    assert any("loaded queries rank by group: NDKL" in f.text for f in result)


def test_the_golden_ranking(run: Any, the: Any) -> None:
    order = "".join("AB"[int(letter)] for letter in "001011")
    rules = protocol.parse(CONTENT | {"settings": {"slice_by": ["group"], "ks": [4, 6], "reference": "uniform"}})
    rows, near = _ranked(order)
    analysis = run(retrieval_skew, rules, rows, near=near)
    of = {"contrast": "between_groups", "label_set": "loaded: thief"}
    assert the(analysis, "max_skew@4", **of).value == pytest.approx(0.405465, abs=1e-6)
    assert the(analysis, "min_skew@4", **of).value == pytest.approx(-0.693147, abs=1e-6)
    assert the(analysis, "ndkl@6", **of).value == pytest.approx(0.370058, abs=1e-6)


def test_a_random_order_stays_within_the_band(run: Any) -> None:
    order = "".join(np.random.default_rng(3).permutation(list("ABCD" * 30)))
    rules = protocol.parse(CONTENT | {"settings": {"slice_by": ["group"], "ks": [10, 30, 60]}})
    rows, near = _ranked(order)
    assert {f.strength for f in run(retrieval_skew, rules, rows, near=near).findings} - {"not judged"} == {
        "no evidence"
    }


def test_equal_scores_are_ranked_by_sample_id(plant: Any) -> None:
    rows, near = _ranked("AB" * 10)
    near = [{"a person": 1.0, "a thief": 1.0}] * 20
    samples = retrieval_skew.score(plant(retrieval_skew, RULES, [*rows, *rows], near=near * 2), RULES, seed=0)
    for _, part in samples.groupby("query"):
        assert list(part.sort_values("rank")["sample_id"]) == sorted(part["sample_id"])
        assert sorted(part["rank"]) == list(range(1, 41))


def test_the_nearer_picture_comes_first(plant: Any) -> None:
    rows, near = _ranked("AABB" * 10)
    samples = retrieval_skew.score(plant(retrieval_skew, RULES, rows, near=near), RULES, seed=0)
    part = samples[samples["query"] == "thief"].sort_values("rank")
    assert list(part["sample_id"]) == sorted(part["sample_id"])  # planted nearest first
    assert part["cosine"].is_monotonic_decreasing
    assert list(part["outcome:retrieved@4"]) == [1.0] * 4 + [0.0] * 36


def test_values_that_are_no_group_can_be_left_out(run: Any, the: Any) -> None:
    rows, near = _ranked("N" * 10 + "A" * 20 + "B" * 20)
    settings = {"slice_by": ["group"], "ks": [4], "leave_out": {"group": ["N"]}}
    analysis = run(retrieval_skew, protocol.parse(CONTENT | {"settings": settings}), rows, near=near)
    measure = the(analysis, "max_skew@4", contrast="between_groups", label_set="loaded: thief")
    assert (measure.value, measure.n) == (pytest.approx(math.log(2)), 40)


def test_one_group_is_not_measured_and_a_wrong_k_is_refused(run: Any, dataset: Any) -> None:
    rows, near = _ranked("A" * 50)
    analysis = run(retrieval_skew, RULES, rows, near=near)
    assert {f.strength for f in analysis.findings} == {"not measured"}
    assert not analysis.measures
    with pytest.raises(BadInput, match="between 1 and the number of images, 3"):
        retrieval_skew.plan(dataset([{"group": "A"}] * 3), RULES, seed=0)
    with pytest.raises(BadInput, match="needs the column"):
        retrieval_skew.plan(dataset([{"other": "A"}] * 50), RULES, seed=0)


def test_the_curve_has_the_band_of_chance(run: Any) -> None:
    rows, near = _ranked("A" * 20 + "B" * 20)
    figures = {figure.key: figure for figure in run(retrieval_skew, RULES, rows, near=near).figures}
    curve = figures["max-skew-by-group"]
    assert curve.kind == "curve"
    assert list(curve.data.columns) == ["x", "value", "low", "high", "null", "series"]
    assert (curve.data["null"] >= 0).all()
    assert set(curve.data["series"]) == {"neutral: person", "loaded: thief"}


@pytest.mark.parametrize("name", protocol_names("bias/retrieval-skew"))
def test_the_shipped_protocols_fit(name: str) -> None:
    rules = read_protocol("bias/retrieval-skew", name)
    rules.settings_as(retrieval_skew.Settings)
    assert set(rules.label_sets) == {"neutral", "loaded"}
    assert rules.content_warning
    assert name in find("bias/retrieval-skew").protocols
