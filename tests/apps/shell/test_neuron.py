"""`neuron` and `atlas`: names and page of a unit, in JSON and HTML, and refusals before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from apps.shell import run
from tests.workbench.neurons.planted_units import pictures
from tests.workbench.neurons.taught_units import taught
from workbench.errors import UNUSABLE


def test_a_units_names_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run(["neuron", "pocket", "last", str(taught("jellyfish")), "--out", str(page), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {"names", "spelling", "page"} <= answer.keys()
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


def test_a_sparse_probe_of_own_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, shade in (("dark", 20), ("light", 230)):
        (tmp_path / name).mkdir()
        for number in range(24):
            picture = Image.new("RGB", (64, 64), (shade + number // 2, shade, shade - number // 2))
            picture.save(tmp_path / name / f"{number}.png")
    line = ["sparse-probe", "pocket", str(tmp_path), "--class", "light", "--units", "1,2", "--json"]
    assert run(line) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["class"], answer["layer"], answer["held_out"]) == ("light", "conv_head", 12)
    assert [len(row["units"]) for row in answer["probes"]] == [1, 2]
    assert answer["probes"][0]["accuracy"]["value"] == 1.0
    assert answer["probes"][0]["accuracy"]["n"] == 12
    assert len(answer["by_chance"]) == 10
    for rest, message in ((["--class", "blue"], "light"), (["--units", "x"], "between 1 and")):
        assert run(["sparse-probe", "pocket", str(tmp_path), *rest]) == UNUSABLE
        assert message in capsys.readouterr().err


def test_a_sparse_probe_of_an_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index's own vectors are another model's; a class of two images is left out and said."""
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    for name, shade, count in (("dark", 20, 24), ("light", 230, 24), ("grey", 120, 2)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(count):
            picture = Image.new("RGB", (64, 64), (shade + number // 2, shade, shade - number // 2))
            picture.save(tmp_path / "pictures" / name / f"{number}.png")
    assert run(["index", "add", "mine", str(tmp_path / "pictures"), "--model", "fake"]) == 0
    capsys.readouterr()
    assert run(["sparse-probe", "pocket", "--index", "mine", "--units", "1", "--json"]) == 0
    captured = capsys.readouterr()
    answers = {one["class"]: one for one in json.loads(captured.out)}
    assert set(answers) == {"dark", "light"}
    assert "too few images: grey" in captured.err
    assert answers["light"]["images"] == 24
    assert answers["light"]["others"] == 26
    assert answers["light"]["probes"][0]["accuracy"]["value"] > 0.8
    for rest, message in (
        ([], "a FOLDER or from --index"),
        ([str(tmp_path), "--index", "mine"], "got both"),
        ([str(tmp_path), "--column", "tone"], "give --index"),
        (["--index", "nosuch"], "No index is called"),
        (["--index", "mine", "--column", "tone"], "has 'tone'"),
        (["--index", "mine", "--class", "blue"], "No class is called"),
        (["--index", "mine", "--class", "grey"], "at least 4 images of 'grey'"),
    ):
        assert run(["sparse-probe", "pocket", *rest]) == UNUSABLE
        assert message in capsys.readouterr().err


def test_heads_are_those_of_a_vit(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["heads", "pocket"]) == UNUSABLE
    assert "class token" in capsys.readouterr().err


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
