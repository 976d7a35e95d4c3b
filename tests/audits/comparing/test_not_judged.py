"""A gate never passes over a group that was not judged: from a CSV to the verdict, and what every file says of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest
from PIL import Image

import audits
from audits import comparing, protocol, reporting
from audits.run_directory.reader import open_run
from audits.run_directory.rows import slice_of
from tests.audits.reporting.made_run import make
from workbench.errors import BadInput

RULES = protocol.parse(
    {
        "schema": 1,
        "name": "planted",
        "audit": "bias/face-attributes",
        "title": "Planted",
        "templates": ["{}"],
        "label_sets": {"gender": {"labels": ["red", "blue"], "groups": {"Male": ["red"], "Female": ["blue"]}}},
        "settings": {"slice_by": ["race"], "crossed": [], "probe": False},
    }
)
GAP = {"id": "gap", "metric": "accuracy.gender", "contrast": "between_groups", "by": ["race"]}
SMALL = {"id": "gap", "metric": "accuracy", "contrast": "between_groups", "by": ["group"], "require": "ci_high <= 0.9"}
REASON = "Only 29 images exist; more are collected in March."
ACCEPT = {"accept_not_judged": [{"slice": {"race": "Indian"}, "reason": REASON}]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Gender is right for 364 of 485 White, 364 of 485 Black and 0 of 29 Indian faces; red stands for male."""
    folder, rows = tmp_path_factory.mktemp("faces"), []
    for race, right, n in (("White", 364, 485), ("Black", 364, 485), ("Indian", 0, 29)):
        for at in range(n):
            male, name = at % 2 == 0, f"{race}-{at:03d}.png"
            colour = (220, 20, 20 + at % 200) if male == (at < right) else (20 + at % 200, 20, 220)
            Image.new("RGB", (8, 8), colour).save(folder / name)
            rows.append({"path": name, "race": race, "gender": "Male" if male else "Female"})
    with (folder / "faces.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["path", "race", "gender"])
        table.writeheader()
        table.writerows(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLIP_WORKBENCH_HOME", str(folder / "home"))
        done = audits.run(
            "bias/face-attributes", "fake", f"csv:{folder}/faces.csv", protocol=RULES, out=folder / "runs"
        )
        yield done.folder


def judge(run: Path, *rules: dict[str, Any], **more: Any) -> comparing.GateResult:
    return comparing.gate(run, {"rules": list(rules), **more})


@pytest.mark.heavy
def test_a_group_with_no_right_answer_fails_the_gate(run: Path) -> None:
    result = judge(run, {**GAP, "require": "ci_high <= 0.10", "min_n": 20})
    (check,) = result.rules[0].checks
    assert (result.outcome, result.exit_code, check.n) == ("FAIL", 1, 999)
    assert check.value == pytest.approx(364 / 485)
    finding = next(one for one in open_run(run).findings if one.metric == "accuracy.gender")
    assert finding.strength == "found"
    assert "largest gap 75.1 points, Indian to " in finding.text


@pytest.mark.heavy
@pytest.mark.parametrize("require", ["ci_low <= null_q95", "value <= 0.99", "ci_high <= 0.99"])
@pytest.mark.parametrize("policy", ["fail", "warn", "pass"])
def test_a_gate_does_not_pass_over_a_group_with_too_few_images(run: Path, require: str, policy: Any) -> None:
    rule = {**GAP, "require": require, "min_n": 30}
    if require == "ci_low <= null_q95":
        rule["contrast"] = "between_groups_of_at_least_30"  # White and Black are alike
    result = comparing.gate(run, {"rules": [rule]}, inconclusive=policy)
    assert (result.outcome, result.exit_code, result.rules[0].outcome) == ("INCONCLUSIVE", 4, "NOT_JUDGED")
    (indian,) = [check for check in result.rules[0].checks if check.outcome == "NOT_JUDGED"]
    assert (slice_of(indian.slice), indian.n, indian.value) == ({"race": "Indian"}, 29, 0)
    assert "29 of the 30 cases" in indian.why


@pytest.mark.heavy
def test_a_group_that_is_accepted_is_named_with_the_reason_everywhere(run: Path, tmp_path: Path) -> None:
    """Held against the gap between groups of at least 30 then; White and Black are alike."""
    rule = {**GAP, "require": "ci_high <= 0.10", "min_n": 30}
    assert judge(run, rule).exit_code == 1
    result = judge(run, rule, **ACCEPT)
    assert (result.outcome, result.exit_code) == ("PASS", 0)
    first, indian = result.rules[0].checks
    assert (first.n, first.value, first.outcome) == (970, 0, "PASS")
    assert "between groups of at least 30" in first.why
    assert (indian.outcome, indian.n) == ("ACCEPTED", 29)
    for name in ("g.md", "g.xml", "g.json"):
        text = reporting.write_gate(result, tmp_path / name).read_text(encoding="utf-8")
        assert REASON in text
        assert "Indian" in text
    for name in ("r.html", "r.md", "r.xml", "r.json"):
        assert REASON in reporting.write(run, tmp_path / name, gate=result).read_text(encoding="utf-8"), name
    other = {"accept_not_judged": [{"slice": {"race": "Black"}, "reason": "none"}]}
    assert judge(run, rule, **other).exit_code == 1


@pytest.fixture(scope="module")
def four_groups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 images in each of four groups."""
    return make(tmp_path_factory.mktemp("judged") / "run")


@pytest.mark.parametrize("policy", ["fail", "warn", "pass"])
def test_every_group_below_the_rules_number_is_named(four_groups: Path, policy: Any, tmp_path: Path) -> None:
    for rule in (SMALL, {**SMALL, "contrast": "none", "slice": {"group": "*"}, "require": "ci_low >= 0.1"}):
        result = comparing.gate(
            four_groups, {"rules": [rule]}, inconclusive=policy
        )  # at least 100 where nothing is said
        assert (result.exit_code, result.rules[0].outcome) == (4, "NOT_JUDGED")
        named = [slice_of(check.slice)["group"] for check in result.rules[0].checks if check.outcome == "NOT_JUDGED"]
        assert named == ["A", "B", "C", "D"]
        suite = Tree.parse(reporting.write_gate(result, tmp_path / "g.xml")).getroot()
        assert suite.get("failures") == "1"
        (failure,) = suite.iter("failure")
        assert "Not judged: group A, group B, group C, group D." in str(failure.get("message"))
        assert comparing.gate(four_groups, {"rules": [{**rule, "min_n": 60}]}).exit_code == 0


def test_accepting_some_groups_leaves_the_others_and_accepting_all_leaves_nothing(four_groups: Path) -> None:
    rule = {**SMALL, "contrast": "none", "slice": {"group": "*"}, "require": "ci_low >= 0.1"}

    def outcome(*names: str, **more: str) -> tuple[str, int]:
        accepted = [{"slice": {"group": name}, "reason": "few exist", **more} for name in names]
        result = judge(four_groups, rule, accept_not_judged=accepted)
        return result.outcome, result.exit_code

    assert outcome("A", "B") == ("INCONCLUSIVE", 4)
    assert outcome("A", "B", "C", "D") == ("INCONCLUSIVE", 4)  # nothing would be judged
    assert outcome("A", "B", "C", "D", metric="skew") == ("INCONCLUSIVE", 4)


def test_a_failure_is_not_accepted_away(four_groups: Path) -> None:
    """D is right for 27 of 60: it is judged, and fails, whatever is accepted."""
    rule = {**SMALL, "contrast": "none", "slice": {"group": "*"}, "require": "ci_low >= 0.7", "min_n": 60}
    accepted = [{"slice": {"group": "D"}, "reason": "few exist"}]
    assert judge(four_groups, rule, accept_not_judged=accepted).exit_code == 1


@pytest.mark.parametrize(
    "wrong", [{"slice": {}, "reason": "x"}, {"slice": {"a": "b"}, "reason": ""}, {"slice": {"a": "b"}}]
)
def test_an_acceptance_names_a_group_and_a_reason(four_groups: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="accept_not_judged"):
        judge(four_groups, SMALL, accept_not_judged=[wrong])


def test_the_json_of_a_gate_holds_every_check(four_groups: Path, tmp_path: Path) -> None:
    text = reporting.write_gate(judge(four_groups, SMALL), tmp_path / "g.json").read_text(encoding="utf-8")
    checks = json.loads(text)["rules"][0]["checks"]
    assert [one["slice"] for one in checks if one["outcome"] == "NOT_JUDGED"] == [{"group": name} for name in "ABCD"]
