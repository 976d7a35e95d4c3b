"""`probe` and `labels` as a script sees them, on squares of two colours that the fake model tells apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.shell import run


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """Ten images each of two colours, a little different from each other; `red/09.png` is blue."""
    rng = np.random.default_rng(0)
    for name, colour in (("red", (200, 20, 20)), ("blue", (20, 20, 200))):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(10):
            wrong = name == "red" and number == 9
            pixels = np.array((20, 20, 200) if wrong else colour) + rng.integers(-15, 16, 3)
            Image.new("RGB", (32, 32), tuple(pixels.clip(0, 255).tolist())).save(
                tmp_path / "images" / name / f"{number:02}.png"
            )
    return tmp_path / "images"


def test_labels_prints_the_planted_error_first(squares: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["labels", str(squares), "--model", "fake", "--json"]) == 0
    first, *others = json.loads(capsys.readouterr().out)
    assert first == {"path": "red/09.png", "given": "red", "suggested": "blue", "probability": first["probability"]}
    assert first["probability"] > 0.5
    assert others == []


def test_labels_needs_two_images_a_class_and_no_parts(squares: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2, 10):
        (squares / "blue" / f"{number:02}.png").unlink()
    assert run(["labels", str(squares), "--model", "fake", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["path"] == "red/09.png"
    assert run(["probe", str(squares), "--model", "fake", "--json"]) == 2
    assert "'blue'" in capsys.readouterr().err


def test_probe_prints_its_share_right_with_an_interval(squares: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (squares / "red" / "09.png").unlink()
    assert run(["probe", str(squares), "--model", "fake", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["accuracy"] == 1.0
    assert answer["n"] == 4  # a quarter of nine and of ten, by class
    assert answer["low"] == pytest.approx(0.025 ** (1 / 4))  # Clopper-Pearson of 4 in 4
    assert answer["high"] == 1.0
    assert answer["strength"] > 0
    assert "points_to" not in answer
    assert run(["probe", str(squares), "--model", "fake", "--points-to", "--json"]) == 0
    pointed = {one["class"]: one for one in json.loads(capsys.readouterr().out)["points_to"]}
    assert all(image["path"].startswith("red/") for image in pointed["red"]["images"])
    assert len(pointed["blue"]["words"]) == 5
