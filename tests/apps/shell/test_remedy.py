"""`remedy` as a script sees it: a model that answers and is listed, and a sentence for wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.shell import run
from tests.audits.bias.test_making_remedies import small as small
from workbench.loading.listing import edits_here
from workbench.places import home


def test_remedy_writes_a_model_that_answers_and_is_listed(
    small: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    protocol, data = small
    folder = home() / "edits" / "evened"
    words = ["--method", "leace", "--protocol", protocol, "--data", data, "--device", "cpu", "--json"]
    assert run(["remedy", "fake", *words, "--out", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "model": str(folder), "base": "fake", "method": "leace", "protocol": protocol
    }  # fmt: skip
    assert edits_here() == (f"folder:{folder}",)
    answers = {}
    for model in ("fake", str(folder)):
        picture = str(tmp_path / "0.png")
        assert run(["classify", picture, "--labels", "red,blue", "--model", model, "--device", "cpu", "--json"]) == 0
        (answer,) = json.loads(capsys.readouterr().out)
        answers[model] = {one["label"]: one["cosine"] for one in answer["labels"]}
        assert sum(one["probability"] for one in answer["labels"]) == pytest.approx(1, abs=1e-4)
    assert answers["fake"] != answers[str(folder)]


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that no other test has written into."""
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CLIP_WORKBENCH_CACHE", raising=False)
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "prayer"], "remedy"),
        (["--method", "leace", "--protocol", "age"], "protocol"),
        (["--method", "leace", "--data", "csv:nowhere.csv"], "nowhere.csv"),
    ],
)
def test_wrong_input_gets_a_sentence_and_writes_nothing(
    words: list[str], said: str, tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["remedy", "fake", *words, "--out", str(tmp_path / "out"), "--device", "cpu"]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert not (tmp_path / "out").exists()
