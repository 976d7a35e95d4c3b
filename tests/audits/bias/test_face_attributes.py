"""Face attributes: planted accuracies by group come back, and the probe is judged on what it did not learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audits import protocol
from audits.catalogue import find, protocol_names, read_protocol
from tests.audits.planted import stages_of
from workbench.errors import BadInput

face_attributes = stages_of("bias/face-attributes")

CONTENT: dict[str, Any] = {
    "schema": 1,
    "name": "small",
    "audit": "bias/face-attributes",
    "title": "Small",
    "templates": ["a {}"],
    "label_sets": {
        "gender": {"labels": ["man", "boy", "woman"], "groups": {"M": ["man", "boy"], "F": ["woman"]}},
        "white": {"labels": ["red", "blue", "green"], "groups": {"Red": ["red"], "Other": ["blue", "green"]}},
    },
    "settings": {
        "slice_by": ["race", "gender"],
        "crossed": [["race", "gender"]],
        "derived": {"white": {"attribute": "race", "values": {"Red": ["R"], "Other": ["B", "G"]}}},
        "probe": False,
    },
}
RULES = protocol.parse(CONTENT)
_COLOURS = ["red", "blue", "green"]
ONLY_GENDER = {"gender": CONTENT["label_sets"]["gender"]}


def _faces(wrong: dict[str, int], n: int = 60) -> tuple[list[dict[str, str]], list[Any]]:
    """Men and women in turn, of whom so many a race (all men) are taken for women."""
    rows, near = [], []
    for race, missed in wrong.items():
        for at in range(n):
            male = at % 2 == 0
            rows.append({"race": race, "gender": "M" if male else "F"})
            near.append("a woman" if not male or at // 2 < missed else ("a man" if at % 4 else "a boy"))
    return rows, near


def test_planted_accuracies_come_back_by_group_and_intersection(run: Any, the: Any) -> None:
    rows, near = _faces({"R": 0, "B": 15, "G": 0})
    analysis = run(face_attributes, RULES, rows, near=near)
    of = {"label_set": "gender, zero-shot"}
    assert the(analysis, "accuracy.gender", slice={"race": "R"}, **of).value == 1
    assert the(analysis, "accuracy.gender", slice={"race": "B"}, **of).value == pytest.approx(0.75)
    assert the(analysis, "accuracy.gender", slice={"race": "B", "gender": "M"}, **of).value == pytest.approx(0.5)
    gap = the(analysis, "accuracy.gender", contrast="between_groups", slice_by="race", slice={}, **of)
    assert gap.value == pytest.approx(0.25)
    assert gap.p_adj < 0.01
    result = [f.text for f in analysis.findings if f.strength == "found" and "differs by race (" in f.text]
    assert any("the accuracy of gender differs by race" in text for text in result)


def test_none_is_found_where_none_is_planted(run: Any) -> None:
    rows, near = _faces({"R": 3, "B": 3, "G": 3})
    rules = protocol.parse(CONTENT | {"label_sets": ONLY_GENDER, "settings": {"slice_by": ["race"], "probe": False}})
    assert {f.strength for f in run(face_attributes, rules, rows, near=near).findings} - {"not judged"} == {
        "no evidence"
    }


def _guesses(n: int, *, blue_is_red: float = 0.0) -> tuple[list[dict[str, str]], list[Any]]:
    """People of three races for whom gender and race are guessed; of race B a further share is taken for red."""
    rng = np.random.default_rng(0)
    rows = [{"race": "RBG"[at % 3], "gender": "MF"[at // 3 % 2]} for at in range(n)]
    colours = ["red" if row["race"] == "B" and rng.random() < blue_is_red else rng.choice(_COLOURS) for row in rows]
    return rows, [{f"a {rng.choice(['man', 'woman'])}": 1.0, f"a {colour}": 0.9} for colour in colours]


def test_guesses_give_no_finding(run: Any) -> None:
    """Red is one of three labels and Other two: a guess is right twice as often for the others."""
    rows, near = _guesses(1200)
    analysis = run(face_attributes, RULES, rows, near=near)
    assert [one.text for one in analysis.findings if one.strength == "found"] == []
    assert len(analysis.findings) > 5


def test_a_race_that_is_taken_for_another_is_found_within_its_truth(run: Any) -> None:
    rows, near = _guesses(1200, blue_is_red=0.4)
    analysis = run(face_attributes, RULES, rows, near=near)
    found = [one for one in analysis.findings if one.strength == "found"]
    slices = [one.slice for one in found if (one.metric, one.by) == ("accuracy.white", "race")]
    assert slices == [{"white": "Other"}]
    assert {one.label_set for one in found} == {"white, zero-shot"}


def test_several_labels_of_one_value_are_all_right(plant: Any) -> None:
    rows = [{"race": "R", "gender": "M"}, {"race": "R", "gender": "M"}, {"race": "R", "gender": ""}]
    samples = face_attributes.score(
        plant(face_attributes, RULES, rows, near=["a boy", "a man", "a woman"]), RULES, seed=0
    )
    part = samples[samples["label_set"] == "gender, zero-shot"]
    assert list(part["outcome:accuracy.gender"][:2]) == [1, 1]
    assert part["outcome:accuracy.gender"].isna().iloc[2]  # nothing to be right about


def test_joined_groups_are_told_as_joined(plant: Any, run: Any, the: Any) -> None:
    rows = [{"race": race, "gender": "M"} for race in "RBG"] * 10
    near = ["a red", "a green", "a blue"] * 10  # blue and green mixed up, which does not matter for "Other"
    analysis = run(face_attributes, RULES, rows, near=near)
    assert the(analysis, "accuracy.white", label_set="white, zero-shot").value == 1


def test_who_is_taken_for_whom_is_counted(run: Any) -> None:
    rows, near = _faces({"R": 15, "B": 0})
    analysis = run(face_attributes, RULES, rows, near=near)
    table = analysis.tables["Confusion matrix: gender, zero-shot (counts)"].set_index("y_true")
    assert (table.loc["M", "M"], table.loc["M", "F"], table.loc["F", "M"], table.loc["F", "F"]) == (45, 15, 0, 60)


def test_the_probe_is_judged_on_what_it_did_not_learn_from(run: Any, the: Any, plant: Any) -> None:
    rows, near = [], []
    for at in range(120):  # mostly women to learn from; the test part is men of a kind that was never seen
        split, male = ("train", at % 3 == 0) if at < 80 else ("test", True)
        rows.append({"race": "R" if at % 3 else "B", "gender": "M" if male else "F", "split": split})
        near.append("a boy" if split == "test" else "a man" if male else "a woman")
    settings = {"slice_by": ["race"], "probe": True}
    rules = protocol.parse(CONTENT | {"label_sets": ONLY_GENDER, "settings": settings})
    analysis = run(face_attributes, rules, rows, near=near)
    probed = the(analysis, "accuracy.gender", label_set="gender, linear probe")
    assert (probed.value, probed.n) == (0, 40)
    assert the(analysis, "accuracy.gender", label_set="gender, zero-shot").n == 120


def test_the_probe_learns_what_wording_cannot_tell(run: Any, the: Any) -> None:
    rows, near = _faces({"R": 30, "B": 30}, n=60)  # everybody is named a woman
    near = [
        {"a woman": 1.0, "a man": 0.5} if row["gender"] == "M" else {"a woman": 1.0}
        for row, _ in zip(rows, near, strict=True)
    ]
    rules = protocol.parse(CONTENT | {"label_sets": ONLY_GENDER, "settings": {"slice_by": ["race"], "probe": True}})
    analysis = run(face_attributes, rules, rows, near=near)
    assert the(analysis, "accuracy.gender", label_set="gender, zero-shot").value == 0.5
    assert the(analysis, "accuracy.gender", label_set="gender, linear probe").value == 1


def test_a_label_without_a_value_is_refused_and_so_is_a_missing_column(dataset: Any) -> None:
    sets = {"gender": {"labels": ["man", "woman", "cat"], "groups": {"M": ["man"], "F": ["woman"]}}}
    rules = protocol.parse(CONTENT | {"label_sets": sets, "settings": {"slice_by": ["race"]}})
    with pytest.raises(BadInput, match="these differ: cat"):
        face_attributes.plan(dataset([{"race": "R", "gender": "M"}]), rules, seed=0)
    with pytest.raises(BadInput, match="needs the column"):
        face_attributes.plan(dataset([{"age": "3"}]), RULES, seed=0)


def test_one_group_is_not_measured(run: Any) -> None:
    rows, near = _faces({"R": 3})
    strengths = {f.strength for f in run(face_attributes, RULES, rows, near=near).findings if "by race (" in f.text}
    assert strengths == {"not measured"}


@pytest.mark.parametrize("name", protocol_names("bias/face-attributes"))
def test_the_shipped_protocols_fit(dataset: Any, name: str) -> None:
    rules = read_protocol("bias/face-attributes", name)
    row = {"race": "White", "gender": "Male", "age": "0-2", "skin_tone": "dark"}
    assert face_attributes.plan(dataset([row]), rules, seed=0)
    assert name in find("bias/face-attributes").protocols


def test_the_papers_numbers_stand_in_its_protocol() -> None:
    rules = read_protocol("bias/face-attributes", "clip-2021")
    output = {(p.metric, *(p.slice[k] for k in sorted(p.slice))): p.value for p in rules.published}
    assert output["accuracy.white", "white, zero-shot", "White"] == 0.583
    assert output["accuracy.gender", "Female", "gender, linear probe", "Latino_Hispanic"] == 0.992
