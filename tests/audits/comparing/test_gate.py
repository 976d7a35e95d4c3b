"""Gates: every outcome, every exit code, families, baselines, and that a fair model is not failed too often."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import numpy as np
import pandas as pd
import pytest

from audits import comparing, reporting
from audits.comparing import expression, holding
from audits.comparing.holding import NOTE, Bounds, Number, at_level
from tests.audits.reporting.made_run import make
from workbench.errors import UnknownName
from workbench.statistics.intervals import proportion

OVERALL = {"metric": "accuracy", "label_set": "plain"}
GROUPS = {**OVERALL, "slice": {"group": "*"}, "min_n": 10}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Right for 90, 80, 75 and 45 % of 60 pictures in four groups."""
    return make(tmp_path_factory.mktemp("gate") / "candidate")


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures better in group A, else equal."""
    return make(tmp_path_factory.mktemp("gate") / "baseline", right={"A": 57})


def judge(run: Path, *rules: dict[str, Any], **more: Any) -> comparing.GateResult:
    named = [{"id": f"rule-{at}", **rule} for at, rule in enumerate(rules)]
    defaults = more.pop("defaults", {})
    return comparing.gate(run, {"rules": named, "defaults": defaults}, **more)


@pytest.mark.parametrize(
    ("rule", "outcome", "code"),
    [
        ({**OVERALL, "require": "ci_low >= 0.6"}, "PASS", 0),  # 66.5 to 77.8 %
        ({**OVERALL, "require": "ci_low >= 0.8"}, "FAIL", 1),
        ({**OVERALL, "require": "ci_low >= 0.7"}, "INCONCLUSIVE", 4),
        ({**OVERALL, "require": "ci_low >= 0.6", "min_n": 241}, "NOT_JUDGED", 4),
        ({**OVERALL, "require": "value >= 0.725"}, "PASS", 0),
        ({**OVERALL, "metric": "acuracy", "require": "value >= 0"}, "ERROR", 7),
        ({**OVERALL, "slice": {"group": "E"}, "require": "value >= 0"}, "ERROR", 7),
        ({**OVERALL, "audit": "bias/none", "require": "value >= 0"}, "ERROR", 7),
        ({"metric": "skew", "require": "value <= 1"}, "ERROR", 7),  # the row is there, its value is not
        ({**OVERALL, "require": "paired.ci_low >= 0"}, "NOT_RUN", 7),
        ({**OVERALL, "require": "paired.ci_low >= 0", "baseline": "required"}, "ERROR", 7),
        ({**OVERALL, "require": "ci_low >= 0.8", "severity": "warn"}, "FAIL", 0),
        ({"metric": "accuracy", "contrast": "between_groups", "by": ["group"], "require": "ci_high <= 0.2"}, "FAIL", 1),
        ({"metric": "accuracy", "contrast": "between_groups", "by": ["age"], "require": "value <= 1"}, "ERROR", 7),
    ],
)
def test_outcomes_and_exit_codes(run: Path, rule: dict[str, Any], outcome: str, code: int) -> None:
    result = judge(run, rule, inconclusive="fail")
    assert (result.rules[0].outcome, result.exit_code) == (outcome, code)


@pytest.mark.parametrize(
    ("policy", "outcome", "code"), [("fail", "INCONCLUSIVE", 4), ("warn", "INCONCLUSIVE", 0), ("pass", "PASS", 0)]
)
def test_what_an_undecided_rule_counts_as(run: Path, policy: Any, outcome: str, code: int) -> None:
    rule = {**OVERALL, "require": "ci_low >= 0.7"}
    for result in (judge(run, rule, inconclusive=policy), judge(run, rule, defaults={"inconclusive": policy})):
        assert (result.outcome, result.exit_code, result.rules[0].outcome) == (outcome, code, "INCONCLUSIVE")


def test_a_failure_outweighs_an_error_and_an_error_a_pass(run: Path) -> None:
    passes, fails = {**OVERALL, "require": "ci_low >= 0.6"}, {**OVERALL, "require": "ci_low >= 0.9"}
    error = {"metric": "none", "require": "value <= 1"}
    assert judge(run, passes, error, fails).exit_code == 1
    assert judge(run, passes, error).exit_code == 7
    assert judge(run, passes).exit_code == 0


def test_a_family_is_judged_at_its_own_levels(run: Path) -> None:
    """Four groups: D (27 of 60) fails at 98.75 %, then the other three are looked at with 98.33 %."""
    result = judge(run, {**GROUPS, "require": "ci_low >= 0.7"}).rules[0]
    assert result.tests == 4
    output = {json.loads(check.slice)["group"]: check for check in result.checks}
    assert {group: check.outcome for group, check in output.items()} == {
        "A": "PASS",
        "B": "INCONCLUSIVE",
        "C": "INCONCLUSIVE",
        "D": "FAIL",
    }
    assert output["D"].level == pytest.approx(1 - 0.05 / 4)
    assert output["A"].level == pytest.approx(1 - 0.05 / 3)
    by_hand = proportion(27, 60, level=1 - 0.05 / 4)
    assert (output["D"].ci_low, output["D"].ci_high) == (by_hand.low, by_hand.high)


def test_without_correction_each_has_its_own_level(run: Path) -> None:
    result = judge(run, {**GROUPS, "require": "ci_low >= 0.7", "correction": "none"}).rules[0]
    assert {check.level for check in result.checks} == {0.95}


def test_other_intervals_are_stretched_and_say_so() -> None:
    row = {"value": 0.45, "ci_low": 0.29, "ci_high": 0.59, "level": 0.95, "unit": "difference", "n": 240}
    wide = at_level(row, 0.99)
    assert wide.low == pytest.approx(0.45 - 0.16 * 2.575829 / 1.959964, abs=1e-6)
    assert wide.high == pytest.approx(0.45 + 0.14 * 2.575829 / 1.959964, abs=1e-6)
    assert wide.note == NOTE
    assert at_level(row, 0.95) == Bounds(0.45, 0.29, 0.59)


def test_a_share_whose_interval_is_clustered_is_not_taken_for_a_plain_one() -> None:
    """50 of 100, with the interval of 25 of 50: the plain formula would make it too narrow."""
    clustered = proportion(25, 50)
    row = {"value": 0.5, "ci_low": clustered.low, "ci_high": clustered.high, "level": 0.95, "unit": "share"}
    wide = at_level({**row, "k_pos": 50, "n": 100}, 0.99)
    assert wide.note == NOTE
    assert wide.low is not None
    assert wide.low < (proportion(50, 100, level=0.99).low or 0)


def test_no_regression_against_a_baseline(run: Path, baseline: Path) -> None:
    """Three of 240 pictures lost: -1.25 points; inside a margin of 10, not inside one of 1 point."""
    rule = {**OVERALL, "require": "paired.ci_low >= -0.1", "baseline": "required"}
    strict = {**OVERALL, "require": "paired.ci_low >= -0.01"}
    result = judge(run, rule, strict, baseline=baseline)
    assert [one.outcome for one in result.rules] == ["PASS", "INCONCLUSIVE"]
    assert result.rules[0].checks[0].value == pytest.approx(-3 / 240)
    groups = judge(run, {**GROUPS, "require": "paired.ci_low >= -0.2"}, baseline=baseline).rules[0]
    assert groups.tests == 4
    assert groups.outcome == "PASS"


def test_a_baseline_measured_otherwise_is_refused(run: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other", header={"hashes": {"protocol": "q" * 64}})
    with pytest.raises(comparing.NotComparable, match="protocol") as caught:
        judge(run, {**OVERALL, "require": "paired.ci_low >= -0.1"}, baseline=other)
    assert caught.value.exit_code == 5


def test_a_partial_run_is_refused(tmp_path: Path) -> None:
    cut = make(tmp_path / "cut", header={"partial": True})
    with pytest.raises(comparing.NotComparable, match="partial"):
        judge(cut, {**OVERALL, "require": "value >= 0"})


def test_a_run_that_failed_is_an_error(tmp_path: Path) -> None:
    broken = make(tmp_path / "broken", header={"status": "error"})
    result = judge(broken, {**OVERALL, "require": "value >= 0"})
    assert (result.outcome, result.exit_code) == ("ERROR", 7)


def test_a_folder_of_runs_is_one_family(tmp_path: Path) -> None:
    """Each rule finds its rows in every run that has them."""
    for name in ("a", "b"):
        make(tmp_path / name, header={"model": {"title": f"Model {name}"}})
    make(tmp_path / "c", audit="calibration")
    result = judge(tmp_path, {**OVERALL, "audit": "bias/face-attributes", "require": "ci_low >= 0.5"})
    assert [check.run_id for check in result.rules[0].checks] == ["a", "b"]
    assert judge(tmp_path, {**OVERALL, "require": "ci_low >= 0.5"}).rules[0].tests == 3
    one = judge(tmp_path, {**OVERALL, "model": "Model b", "require": "ci_low >= 0.5"}).rules[0]
    assert [check.run_id for check in one.checks] == ["b"]
    with pytest.raises(UnknownName):
        judge(tmp_path / "none", {**OVERALL, "require": "value >= 0"})


def test_files_of_a_gate(run: Path, tmp_path: Path) -> None:
    rules = (
        {**OVERALL, "require": "ci_low >= 0.6"},
        {**GROUPS, "require": "ci_low >= 0.7"},
        {**OVERALL, "require": "ci_low >= 0.7"},
        {"metric": "none", "require": "value <= 1"},
        {**OVERALL, "require": "ci_low >= 0.8", "severity": "warn"},
    )
    result = judge(run, *rules, inconclusive="warn")
    suite = Tree.parse(reporting.write_gate(result, tmp_path / "g.xml")).getroot()
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "errors": "1",
        "skipped": "2",
    }
    text = reporting.write_gate(result, tmp_path / "g.md").read_text(encoding="utf-8")
    assert "group D: 45 % (30 to 61 %), 98.75 % interval, n = 60; 1 of 4 numbers FAIL" in text
    output = json.loads(reporting.write_gate(result, tmp_path / "g.json").read_text(encoding="utf-8"))
    assert output["rules"][1]["checks"][3]["slice"] == {"group": "D"}
    assert output["exit_code"] == 1


@pytest.mark.heavy
def test_a_model_at_the_bound_is_failed_at_most_as_often_as_alpha() -> None:
    """2,000 runs of six groups whose true rate is exactly the bound: any failure is a false one.

    At alpha = 5 % and 2,000 runs, 6.4 % is three Monte-Carlo errors above.
    """
    rng = np.random.default_rng(1)
    requirement = expression.parse("ci_high <= 0.2")
    false = 0
    for counts in rng.binomial(150, 0.2, size=(2000, 6)):
        numbers = [_number(int(k), 150) for k in counts]
        checks = holding.hold(numbers, requirement, level=0.95, correction="holm", min_n=0)
        false += any(check.outcome == "FAIL" for check in checks)
    assert false / 2000 <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5
    assert false > 0  # the gate can fail at all


def test_without_correction_six_groups_fail_more_often() -> None:
    """What the correction is for: uncorrected, any of six groups fails in more than 8 % of the same planted runs."""
    rng = np.random.default_rng(1)
    requirement = expression.parse("ci_high <= 0.2")
    false = 0
    for counts in rng.binomial(150, 0.2, size=(500, 6)):
        numbers = [_number(int(k), 150) for k in counts]
        checks = holding.hold(numbers, requirement, level=0.95, correction="none", min_n=0)
        false += any(check.outcome == "FAIL" for check in checks)
    assert false / 500 > 0.08


def _number(k: int, n: int) -> Number:
    row = {"value": k / n, "n": n, "unit": "share", "slice": "{}"}

    def bounds(level: float) -> Bounds:
        result = proportion(k, n, level=level)
        return Bounds(result.value, result.low, result.high)

    return Number(row, "run", "model", bounds)


def test_the_gate_reads_what_the_table_says(run: Path) -> None:
    """The number in the outcome is that of the metrics table."""
    table = pd.read_parquet(run / "metrics.parquet")
    row = table[(table["metric"] == "accuracy") & (table["contrast"] == "between_groups")].iloc[0]
    result = judge(
        run, {"metric": "accuracy", "contrast": "between_groups", "require": "value <= 0.5", "min_n": 60}
    ).rules[0]
    assert (result.outcome, result.point) == ("PASS", True)
    check = result.checks[0]
    assert (check.value, check.ci_low, check.ci_high) == (row["value"], row["ci_low"], row["ci_high"])
