"""`index` and `video` from the shell: the promised JSON, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from apps.shell import run
from tests.workbench.retrieval.made_videos import write_video

COLOURS = {"red": (220, 20, 20), "green": (20, 160, 20), "blue": (20, 20, 220)}
FAKE = ["--model", "fake", "--device", "cpu", "--json"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    (tmp_path / "pictures").mkdir()
    for name, colour in COLOURS.items():
        Image.new("RGB", (80, 80), colour).save(tmp_path / "pictures" / f"{name}.png")
    return tmp_path / "pictures"


def answer(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run(list(words)) == code
    return json.loads(capsys.readouterr().out or "null")


def test_an_index_from_the_shell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = answer(capsys, "index", "add", "mine", str(folder), *FAKE)
    assert (report["added"], report["rows"], report["failed"]) == (3, 3, [])
    (listed,) = answer(capsys, "index", "ls", "--json")
    assert (listed["name"], listed["model"], listed["rows"]) == ("mine", "fake", 3)
    result = answer(capsys, "index", "search", "mine", "blue", "--top", "2", "--json")
    assert [set(one) >= {"path", "score", "beats"} for one in result] == [True, True]
    assert result[0]["path"] == str(folder / "blue.png")
    assert result[0]["beats"] == pytest.approx(2 / 3)
    checked = answer(capsys, "index", "check", "mine", "--json")
    assert (checked["recall"], checked["n"]) == (1.0, 9)
    (folder / "broken.png").write_bytes(b"x")
    assert answer(capsys, "index", "add", "mine", str(folder), *FAKE, code=3)["unchanged"] == 3
    assert answer(capsys, "index", "rm", "mine", "--json")["removed"] is True
    answer(capsys, "index", "search", "mine", "blue", "--json", code=2)
    answer(capsys, "index", "add", "mine", str(folder), "--vector-index", "TREE", code=2)
    answer(capsys, "index", "add", "mine", "/no/such/place", code=2)


def test_moments_from_the_shell(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = [(Image.new("RGB", (80, 80), colour), 2.0) for colour in COLOURS.values()]
    path = str(write_video(tmp_path / "x.mp4", clips, size=(80, 80)))
    first, *_ = answer(capsys, "video", path, "green", "--top", "3", *FAKE)
    assert abs(first["start"] - 2) <= 0.5
    assert abs(first["end"] - 4) <= 0.5
    assert isinstance(first["score"], float)
    answer(capsys, "video", str(tmp_path / "missing.mp4"), "green", *FAKE, code=2)
    answer(capsys, "video", path, "", *FAKE, code=2)
