"""`train --recipe race` as typed: JSON, a table, files, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from apps.shell import run
from workbench.training.race import OBJECTIVES

SHORT = ["train", "--recipe", "race", "--steps", "8", "--seeds", "1"]


@pytest.mark.heavy
def test_a_race_prints_json_and_leaves_a_table_and_a_figure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.training.race.run.POOL", 256)  # fewer drawings
    monkeypatch.setattr("workbench.training.race.run.TESTED", 96)
    assert run([*SHORT, "--out", str(tmp_path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["images"], answer["seeds"]) == (512, 1)
    assert [result["objective"] for result in answer["results"]] == [*OBJECTIVES]
    assert answer["results"][0]["ratio"] is None
    rows = list(csv.DictReader((tmp_path / "race.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(answer["curves"]) == 8 * len(OBJECTIVES)
    assert float(rows[-1]["accuracy"]) == answer["curves"][-1]["accuracy"]
    assert (tmp_path / "race.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--recipe", "race", "--from", "pocket"], "new small models"),
        (["--recipe", "race", "--device", "cuda"], "new small models"),
        (["--recipe", "race", "--steps", "1"], "between 512 and"),
        (["--recipe", "race", "--seeds", "0"], "between 1 and"),
        (["--recipe", "shapes", "--seeds", "3"], "belongs to --recipe race"),
    ],
)
def test_what_a_race_cannot_do_leaves_with_2(
    words: list[str], text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["train", *words, "--out", str(tmp_path / "out")]) == 2
    assert text in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
