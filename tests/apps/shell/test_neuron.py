"""`neuron` and `atlas`: names and page of a unit, in JSON and HTML, and refusals before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.shell import run
from tests.workbench.neurons.planted_units import pictures
from tests.workbench.neurons.taught_units import taught
from workbench.errors import UNUSABLE


def test_a_units_names_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run(["neuron", "pocket", "last", str(taught("jellyfish")), "--out", str(page), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["names", "page"]
    assert answer["page"] == str(page)
    assert [list(name) for name in answer["names"]] == [["name", "score", "shuffled"]] * 5
    assert answer["names"][0]["name"] == "jellyfish"
    assert answer["names"][0]["score"] > answer["names"][0]["shuffled"] + 1
    text = page.read_text(encoding="utf-8")
    assert "jellyfish" in text
    assert "http://" not in text
    assert "https://" not in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["pocket", "last", "9999"], "0 to 1279"),
        (["pocket", "last", "--", "-1"], "numbered from 0"),
        (["pocket", "nosuch", "1"], "conv_head"),
        (["fake", "last", "0"], "no layers"),
        (["pocket", "last", "1", "--out", "page.pdf"], "HTML"),
        (["nosuch", "last", "1"], "No model is called"),
    ],
)
def test_what_cannot_be_is_refused(line: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["neuron", *line]) == UNUSABLE
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_an_atlas_of_own_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = tmp_path / "images"
    images.mkdir()
    pictures(images, each=1)
    out = tmp_path / "atlas.safetensors"
    some = [str(path) for path in sorted(images.iterdir())[:5]]
    corpus = [word for path in some for word in ("--corpus", path)]
    assert run(["atlas", "pocket", *corpus, "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["images"], answer["units"], answer["failed"]) == (5, 1280, [])
    assert out.stat().st_size > 0
