"""Occupations: planted labels above a threshold are found on their side, alike sides give none, truth is compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audits import protocol
from audits.catalogue import find, protocol_names, read_protocol
from audits.datasets.drawn_people_figures import OCCUPATIONS
from tests.audits.planted import stages_of
from workbench.errors import BadInput

occupations = stages_of("bias/occupations")

CONTENT: dict[str, Any] = {
    "schema": 1,
    "name": "small",
    "audit": "bias/occupations",
    "title": "Small",
    "templates": ["a {}"],
    "label_sets": {"jobs": {"labels": ["nurse", "judge", "cook", "pilot"]}},
    "decision": "threshold",
    "settings": {"attribute": "gender", "sides": ["f", "m"], "thresholds": [0.005, 0.04], "slice_by": ["gender"]},
}
RULES = protocol.parse(CONTENT)
FAINT = {"a judge": 1.0, "a nurse": 0.94}  # about 1 % on nurse: above 0.5 %, below 4 %


def _people(nurses: dict[str, int], n: int = 60) -> tuple[list[dict[str, str]], list[Any]]:
    """Judges, of whom so many of each gender are faintly nurses."""
    rows = [{"gender": side, "label": "judge"} for side in nurses for _ in range(n)]
    near = [FAINT if at < hit else "a judge" for hit in nurses.values() for at in range(n)]
    return rows, near


def test_a_planted_label_is_found_on_its_side_and_at_its_threshold(run: Any, the: Any) -> None:
    rows, near = _people({"f": 30, "m": 6})
    analysis = run(occupations, RULES, rows, near=near)
    low, high = "labelled>0.005", "labelled>0.04"
    assert the(analysis, low, slice={"gender": "f", "label": "nurse"}).value == pytest.approx(0.5)
    assert the(analysis, low, slice={"gender": "m", "label": "nurse"}).value == pytest.approx(0.1)
    apart = the(analysis, low, contrast="to_reference", slice={"label": "nurse"})
    assert (apart.value, apart.reference) == (pytest.approx(0.4), "f minus m")
    from scipy.stats import chi2, chi2_contingency

    by_hand = chi2_contingency([[30, 30], [6, 54]], correction=False).statistic * 119 / 120
    assert apart.p_value == pytest.approx(chi2.sf(by_hand, 1))
    assert not [m for m in analysis.measures if m.metric == high and m.slice.get("label") == "nurse"]
    texts = [f.text for f in analysis.findings if f.strength == "found"]
    assert len(texts) == 1
    assert "1 of 2 labels above 0.5 % (label set jobs, 4 labels) are more frequent for f" in texts[0]
    assert "nurse (40 points)" in texts[0]


def test_the_probability_behind_a_label_is_the_softmax_one(plant: Any) -> None:
    samples = occupations.score(
        plant(occupations, RULES, [{"gender": "f", "label": "judge"}, {"gender": "m", "label": ""}], near=[FAINT] * 2),
        RULES,
        seed=0,
    )
    cosines = np.array([0.94, 1.0, 0.0, 0.0]) / np.hypot(1.0, 0.94)
    chance = np.exp(100 * cosines)[0] / np.exp(100 * cosines).sum()
    assert 0.005 < chance < 0.04
    assert samples["scores"][0][1] == pytest.approx(chance, abs=1e-5)
    assert (samples["labels>0.005"][0], samples["labels>0.04"][0]) == (["nurse", "judge"], ["judge"])
    assert samples["outcome:accuracy.occupation"][0] == 1
    assert np.isnan(samples["outcome:accuracy.occupation"][1])  # no truth, no outcome


def test_alike_sides_give_no_evidence(run: Any) -> None:
    rows, near = _people({"f": 12, "m": 12})
    assert {f.strength for f in run(occupations, RULES, rows, near=near).findings} - {"not judged"} == {"no evidence"}


def test_the_number_of_labels_tested_corrects_the_p_value(run: Any, the: Any) -> None:
    rows, near = _people({"f": 14, "m": 5})
    near = [{**FAINT, "a cook": 0.94} if at % 7 == 0 and label is FAINT else label for at, label in enumerate(near)]
    analysis = run(occupations, RULES, rows, near=near)
    apart = the(analysis, "labelled>0.005", contrast="to_reference", slice={"label": "nurse"})
    assert apart.n_tests == 2  # judge is on every picture: nothing to test
    assert apart.correction == "holm"
    assert apart.p_adj == pytest.approx(min(1.0, 2 * apart.p_value))


def test_accuracy_by_group_is_the_planted_one(run: Any, the: Any) -> None:
    rows = [{"gender": side, "label": "judge"} for side in "fm" for _ in range(60)]
    near = ["a judge"] * 30 + ["a cook"] * 30 + ["a judge"] * 60
    analysis = run(occupations, RULES, rows, near=near)
    assert the(analysis, "accuracy.occupation", slice={"gender": "f"}).value == pytest.approx(0.5)
    assert the(analysis, "accuracy.occupation", slice={"gender": "m"}).value == 1
    assert any(f.metric == "accuracy.occupation" and f.strength == "found" for f in analysis.findings)


def test_pictures_of_one_person_count_for_less(run: Any, the: Any) -> None:
    rows, near = _people({"f": 30, "m": 6})
    alone = the(
        run(occupations, RULES, rows, near=near), "labelled>0.005", contrast="to_reference", slice={"label": "nurse"}
    )
    grouped = [{**row, "cluster": f"{row['gender']}{at // 6}"} for at, row in enumerate(rows)]
    joined = the(
        run(occupations, RULES, grouped, near=near), "labelled>0.005", contrast="to_reference", slice={"label": "nurse"}
    )
    assert joined.value == alone.value
    assert joined.p_value > 20 * alone.p_value


def test_no_label_above_the_threshold_is_not_measured(run: Any) -> None:
    rows, near = _people({"f": 0, "m": 0})
    near = [{f"a {name}": 1.0 for name in ("nurse", "judge", "cook", "pilot")}] * len(rows)  # a quarter each
    rules = protocol.parse(CONTENT | {"settings": {"sides": ["f", "m"], "thresholds": [0.4]}})
    assert [f.strength for f in run(occupations, rules, rows, near=near).findings] == ["not measured"]


def test_the_chart_shows_both_sides_of_the_most_different_labels(run: Any) -> None:
    rows, near = _people({"f": 30, "m": 6})
    figures = {figure.key: figure for figure in run(occupations, RULES, rows, near=near).figures}
    chart = figures["labels-above-0-005-jobs"]
    assert chart.kind == "bars"
    assert [tuple(row) for row in chart.data[["name", "value", "series"]].to_numpy()] == [
        ("nurse", 0.5, "f"),
        ("nurse", pytest.approx(0.1), "m"),
    ]


@pytest.mark.parametrize(
    ("settings", "rows", "message"),
    [
        ({"sides": ["f", "m"], "thresholds": [4.0]}, [{"gender": "f"}, {"gender": "m"}], "between 0 and 1"),
        ({"sides": ["f", "m"], "thresholds": [0.04]}, [{"gender": "f"}], "no image has gender 'm'"),
        ({"sides": ["f", "m"], "thresholds": [0.04]}, [{"race": "f"}], "needs the column"),
    ],
)
def test_what_cannot_be_compared_is_refused(dataset: Any, settings: Any, rows: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        occupations.plan(dataset(rows), protocol.parse(CONTENT | {"settings": settings}), seed=0)


@pytest.mark.parametrize("name", protocol_names("bias/occupations"))
def test_the_shipped_protocols_fit(name: str) -> None:
    rules = read_protocol("bias/occupations", name)
    settings = rules.settings_as(occupations.Settings)
    assert settings.thresholds == (0.005, 0.04)
    assert {figure.occupation for figure in OCCUPATIONS} <= set(rules.label_sets["occupations"].labels)
    assert name in find("bias/occupations").protocols
