"""The command `generate`: files, JSON, the same image again, and lines that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.shell import run
from workbench.errors import UNUSABLE

QUICK = ["--steps", "2", "--set", "side=64", "--set", "cutouts=1", "--set", "cutout_side=96", "--device", "cpu"]


def test_an_image_can_be_made_again_from_its_png(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    assert run(["generate", "a cat", "--method", "strokes", "--seed", "3", "--out", str(first), "--json", *QUICK]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert {"image", "seed", "similarity", "judge", "nearest"} <= set(row)
    assert row["seed"] == 3
    assert Path(row["svg"]).read_text().startswith("<svg")
    assert run(["generate", "--again", row["image"], "--out", str(second), "--json", "--device", "cpu"]) == 0
    (again,) = json.loads(capsys.readouterr().out)
    pair = [np.asarray(Image.open(one["image"])) for one in (row, again)]
    assert np.array_equal(*pair)
    assert again["similarity"] == row["similarity"]


@pytest.mark.parametrize(
    "line",
    [
        ["generate"],
        ["generate", " "],
        ["generate", "a cat", "--method", "magic"],
        ["generate", "a cat", "--set", "side"],
        ["generate", "a cat", "--set", "nothing=1"],
        ["generate", "a cat", "--count", "0"],
        ["generate", "a cat", "--model", "no-such-model"],
    ],
)
def test_a_line_that_cannot_be_used_is_refused(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line) == UNUSABLE
    assert "clip-workbench" in capsys.readouterr().err
