"""`dictionary`: figures in JSON and a file, on own images, and refusals before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.shell import run
from workbench.errors import UNUSABLE


def test_a_dictionary_of_the_built_in_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "d.safetensors"
    line = ["dictionary", "pocket", "--features", "64", "--active", "4", "--steps", "20", "--out", str(out), "--json"]
    assert run([*line, "--feature", "3", "--page", str(tmp_path / "feature.html")]) == 0
    assert "Layer dictionary of" in (tmp_path / "feature.html").read_text(encoding="utf-8")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["out"], answer["held_out"]) == (str(out), answer["images"] // 5)
    assert 0 < answer["active"] <= 4
    assert answer["low"] <= answer["same_answer"] <= answer["high"]
    assert answer["explained"] < 1
    assert list(answer["features"][0]) == ["feature", "words", "shuffled", "uses", "strongest"]
    assert out.is_file()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["pocket", "--features", "1"], "between 8 and"),
        (["pocket", "--active", "0"], "between 1 and"),
        (["pocket", "--feature", "1"], "--page"),
        (["pocket", "--feature", "9999", "--page", "x.html"], "0 to 1023"),
        (["nosuch"], "No model is called"),
    ],
)
def test_what_cannot_be_is_refused(line: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dictionary", *line]) == UNUSABLE
    assert message in capsys.readouterr().err
