"""`visualise`: an image with its settings and activations in JSON, and refusals before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.shell import run
from workbench.errors import UNUSABLE


@pytest.mark.heavy
def test_a_unit_of_pocket_is_painted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "unit.png"
    line = [
        "visualise",
        "pocket",
        "last",
        "0",
        "--out",
        str(out),
        "--count",
        "1",
        "--steps",
        "3",
        "--seed",
        "4",
        "--json",
    ]
    assert run([*line, "--facet", "word"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["image"], answer["seed"], len(answer["activations"])) == (str(out), 4, 1)
    assert answer["facet"]["name"] == "word"
    assert answer["facet"]["accuracy"] > 0.5
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["pocket", "last", "1", "--out", "unit.gif"], "PNG"),
        (["pocket", "last", "1", "--out", "unit.png", "--canvas", "oil"], "fourier, maco"),
        (["pocket", "last", "1", "--out", "unit.png", "--count", "10"], "between 1 and 9"),
        (["nosuch", "last", "1", "--out", "unit.png"], "No model is called"),
        (["fake", "last", "1", "--out", "unit.png"], "no layers"),
    ],
)
def test_what_cannot_be_is_refused(line: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["visualise", *line]) == UNUSABLE
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
