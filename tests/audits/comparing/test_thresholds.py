"""The thresholds file is checked before anything is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audits.comparing.thresholds import check, read
from workbench.errors import BadInput, UnknownName
from workbench.yaml_file import MAX_BYTES

EXAMPLES = Path(__file__).parents[3] / "audits" / "examples"
RULE = {"id": "a", "metric": "m", "require": "value <= 1"}


def test_the_example_can_be_read_and_names_audits_that_exist() -> None:
    from audits.catalogue import AUDITS

    result = read(EXAMPLES / "thresholds.yaml")
    assert result.defaults.correction == "holm"
    assert len(result.rules) >= 4
    assert {rule.audit for rule in result.rules if rule.audit} <= set(AUDITS)


def test_the_action_is_yaml_with_the_gate_in_it() -> None:
    import yaml

    action = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text(encoding="utf-8"))
    steps = action["jobs"]["audits"]["steps"]
    commands = "\n".join(str(step.get("run", "")) for step in steps)
    assert "python -m audits suite" in commands
    assert "python -m audits gate" in commands
    assert "GITHUB_STEP_SUMMARY" in commands


@pytest.mark.parametrize(
    ("content", "output"),
    [
        ({"rules": []}, "rules"),
        ({"rules": [{**RULE, "require": "ci <= 1"}]}, "A requirement is about value"),
        ({"rules": [RULE, RULE]}, "given twice: a"),
        ({"rules": [{**RULE, "metrik": "m"}]}, "metrik"),
        ({"rules": [RULE], "defaults": {"level": 95}}, "level"),
        ({"rules": [RULE], "defaults": {"inconclusive": "maybe"}}, "inconclusive"),
        ({"rules": [RULE], "schema": 2}, "schema"),
        (["rules"], "the file"),
    ],
)
def test_a_wrong_file_is_refused_by_its_place(content: Any, output: str) -> None:
    with pytest.raises(BadInput, match=output):
        check(content)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="no thresholds file"):
        read(tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("rules: [", encoding="utf-8")
    with pytest.raises(BadInput, match="not valid YAML"):
        read(broken)
    broken.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(BadInput, match="longer than 64 kB"):
        read(broken)
