"""`typographic` prints the tables with the library's numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from apps.shell import run
from workbench.errors import UNUSABLE
from workbench.loading import load
from workbench.typographic.stroop import INKS, stroop


def test_the_stroop_matrix_is_the_librarys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["typographic", "stroop", "--model", "fake", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    expected = stroop(load("fake"))
    assert row["answers"] == [list(one) for one in expected.answers]
    assert row["colours"] == list(INKS)
    assert row["word"]["n"] == 56
    assert row["word"]["value"] == expected.counts["word"].value


def test_the_nine_targets_on_a_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, colour in (("red", "#dc1414"), ("pizza", "#1414dc")):
        (tmp_path / name).mkdir()
        for number in range(4):
            Image.new("RGB", (96 + number, 96), colour).save(tmp_path / name / f"{number}.png")
    assert run(["typographic", "targets", "--data", str(tmp_path), "--model", "fake", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert [one["target"] for one in row["targets"]][:3] == ["waste container", "iPod", "rifle"]
    pizza = row["targets"][3]
    assert pizza["published"] == {"cover": 0.0811, "success": 0.923}
    assert pizza["probe"]["n"] == 1  # two are attacked, one shows pizza
    assert row["targets"][0]["probe"] is None
    assert row["probe_clean"]["n"] == 2


def test_a_folder_with_too_few_images_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (64, 64)).save(tmp_path / name / "0.png")
    assert run(["typographic", "targets", "--data", str(tmp_path), "--model", "fake"]) == UNUSABLE
    assert "image" in capsys.readouterr().err
