"""The command `generate`: files, JSON, the same image again, and lines that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.shell import run
from tests.workbench.generation import tiny
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


def test_a_grid_of_prompts_and_seeds_makes_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a cat\n\na dog\n")
    line = ["generate", "--prompts", str(prompts), "--count", "2", "--method", "pixels", "--out", str(tmp_path)]
    assert run([*line, "--judge", "fake", "--json", *QUICK]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["seed"] for row in rows] == [0, 1, 0, 1]
    assert len({row["image"] for row in rows}) == 4
    assert all(isinstance(row["judge"], float) and row["judge_model"] == "fake" for row in rows)
    with Image.open(tmp_path / "grid.png") as page:
        assert page.size[0] > 2 * 192


def test_a_checkpoint_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tiny.unet(tmp_path / "model")
    line = ["generate", "a cat", "--checkpoint", str(folder), "--out", str(tmp_path), "--json", "--device", "cpu"]
    assert run([*line, "--steps", "1", "--set", "side=64", "--set", "candidates=1", "--set", "denoising=2"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    with Image.open(row["image"]) as image:
        assert image.size == (64, 64)
    assert row["judge_model"] == "pocket-lite2"  # which steered nothing


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
        ["generate", "a cat", "--judge", "no-such-model"],
        ["generate", "a cat", "--judge", "pocket"],
        ["generate", "a cat", "--methods", "magic,prior"],
        ["generate", "a cat", "--strengths", "1,x"],
        ["generate", "a cat", "--strengths", "1,2"],
        ["generate", "a cat", "--method", "diffusion"],
        ["generate", "--prompts", "/dev/null"],
        ["generate", "a cat | facet:painting"],
        ["generate", "a cat", "--image", "no-such-file.png:0.5"],
    ],
)
def test_a_line_that_cannot_be_used_is_refused(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line) == UNUSABLE
    assert "clip-workbench" in capsys.readouterr().err


def test_a_prior_is_written_for_diffusers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "prior"
    assert run(["prior-export", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(folder)}
    index = json.loads((folder / "model_index.json").read_text())
    assert index["scheduler"] == ["diffusers", "DDIMScheduler"]
    assert {path.name for path in folder.rglob("*.safetensors")} == {"diffusion_pytorch_model.safetensors"}
    assert run(["prior-export", str(folder)]) == UNUSABLE
    assert run(["prior-export", str(tmp_path / "b"), "--prior", str(tmp_path)]) == 8
    assert not (tmp_path / "b").exists()
