"""`attack` prints the documented keys with the library's numbers, and refuses what cannot be asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.shell import run
from workbench.errors import UNUSABLE
from workbench.loading import load
from workbench.pictures import sample
from workbench.typographic.comparing import compare
from workbench.typographic.defences import applied
from workbench.typographic.lettering import Label

NAMES = "apple,banana,library"


def test_a_word_is_written_with_the_numbers_of_the_library(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "written.png"
    line = ["attack", "drawn-apple", "--labels", NAMES, "--word", "iPod", "--size", "0.2", "--out", str(out), "--json"]
    assert run(line) == 0
    row = json.loads(capsys.readouterr().out)
    pocket = load("pocket", device="cpu")
    expected = compare(pocket, sample("drawn-apple"), [Label("iPod", size=0.2)], names=(*NAMES.split(","), "iPod"))
    assert {"target", "word", "cover", "success", "answer"} <= row.keys()
    assert (row["target"], row["word"], row["before"], row["answer"]) == ("iPod", "iPod", "apple", expected.top(1))
    assert row["success"] is (expected.top(1) == "iPod")
    assert row["cover"] == expected.cover
    assert row["probability"] == pytest.approx(expected.answers.ranked(1)[0][1], abs=1e-5)
    assert np.array_equal(np.asarray(Image.open(out)), np.asarray(expected.written))


def test_several_labels_are_those_of_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["attack", "drawn-apple", "--labels", NAMES, "--word", "iPod", "--also", "library,0.3,0.2"]
    assert run([*line, "--also", "one, two,0.6,0.5", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    labels = [Label("iPod"), Label("library", x=0.3, y=0.2), Label("one, two", x=0.6, y=0.5)]
    pocket = load("pocket", device="cpu")
    expected = compare(pocket, sample("drawn-apple"), labels, names=(*NAMES.split(","), "iPod"))
    assert (row["cover"], row["answer"]) == (expected.cover, expected.top(1))
    assert row["probability"] == pytest.approx(expected.answers.ranked(1)[0][1], abs=1e-5)
    assert row["also"][1] == {"word": "one, two", "x": 0.6, "y": 0.5}


def test_a_search_says_how_little_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attack", "cat", "--labels", "cat,dog,pizza", "--find", "pizza", "--calls", "48", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["target"], row["success"], row["answer"]) == ("pizza", True, "pizza")
    assert 0 < row["cover"] < 0.3


@pytest.mark.parametrize(
    ("words", "output"),
    [
        ([], "neither"),
        (["--word", "a", "--find", "b"], "both"),
        (["--word", "a" * 10_000], "at most 60 letters"),
        (["--word", "a", "--size", "9"], "size"),
        (["--word", "a", "--font", "wingdings"], "font"),
        (["--find", "dog", "--method", "wild"], "guided or random"),
        (["--find", "dog", "--also", "a,0.5,0.5"], "a search writes one label"),
        (["--word", "a", "--also", "b,0.5"], "WORD,X,Y"),
        (["--word", "a", "--also", "b,0.5,9"], "y of a label"),
        (["--find", "dog", "--seed", "-1"], "--seed"),
    ],
)
def test_what_cannot_be_asked_is_refused(capsys: pytest.CaptureFixture[str], words: list[str], output: str) -> None:
    assert run(["attack", "cat", "--labels", "cat,dog", *words]) == UNUSABLE
    assert output in capsys.readouterr().err


def test_a_word_is_carried_to_other_models(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path))
    line = ["attack", "drawn-apple", "--labels", NAMES, "--word", "iPod", "--json", "--transfer"]
    assert run([*line, " ,"]) == UNUSABLE
    assert "or `all`; got ' ,'" in capsys.readouterr().err
    folder = applied("paint-over", "pocket")
    assert run([*line, "all"]) == 0
    row = json.loads(capsys.readouterr().out)
    shipped, other = row["transfer"]
    assert (shipped["model"], other["model"]) == ("pocket-lite2", f"folder:{folder}")
    expected = compare(
        load(str(folder), device="cpu"), sample("drawn-apple"), [Label("iPod")],
        names=(*NAMES.split(","), "iPod"),
    )  # fmt: skip
    assert (other["before"], other["answer"]) == (expected.top(0), expected.top(1))
    assert other["probability"] == pytest.approx(expected.answers.ranked(1)[0][1], abs=1e-5)
