"""`train` as typed: what it prints, its exit codes, Ctrl-C and going on, and the model that it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apps.shell import run, train
from workbench.loading import load
from workbench.progress import Progress
from workbench.training.order import Order
from workbench.training.shapes import draw
from workbench.zeroshot import classify

ROOT = Path(__file__).parents[3]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Classes of drawings, one of them broken."""
    for number, one in enumerate(draw(8, seed=1)):
        folder = tmp_path / "data" / one.shape
        folder.mkdir(parents=True, exist_ok=True)
        one.render(32).save(folder / f"{number}.png")
    return tmp_path / "data"


@pytest.mark.heavy
def test_pocket_learns_and_is_loaded_back(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    recipe = tmp_path / "r.yaml"
    recipe.write_text("batch: 8\nrate: 1e-4\nwarmup: 1\ndata: {kind: shapes, crop: 1.0, validation: 20}\n")
    words = ["train", "--recipe", str(recipe), "--steps", "3", "--out", str(out), "--device", "cpu", "--json"]
    assert run(words) == 0
    output = json.loads(capsys.readouterr().out)
    assert (output["out"], output["steps_done"], output["unreadable"]) == (str(out), 3, {})
    assert "n = 20" in output["accuracy"]
    backend = load(str(out), device="cpu")
    assert backend.fingerprint != load("pocket", device="cpu").fingerprint
    picture = draw(1, seed=9)[0]
    answer = classify(backend, [picture.render(128)], ["circle", "square", "heart"])
    assert answer.probabilities.shape == (1, 3)
    assert answer.probabilities.sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.heavy
def test_an_unreadable_picture_leaves_with_3_and_its_name(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path
) -> None:
    next(data.rglob("*.png")).write_bytes(b"\x89PNG\r\n\x1a\n no more")
    recipe = tmp_path / "r.yaml"
    recipe.write_text("batch: 8\nsteps: 1\ndata: {validation: 0, crop: 1.0}\n")
    words = ["train", "--recipe", str(recipe), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert run(words) == 3
    out, err = capsys.readouterr()
    assert out.strip() == str(tmp_path / "out")
    assert "1 images could not be opened" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--recipe"),
        (["--recipe", "shape"], "Did you mean 'shapes'"),
        (["--recipe", "none.yaml"], "cannot be read"),
        (["--recipe", "shapes", "--from", "pockt"], "Did you mean 'pocket'"),
        (["--recipe", "shapes", "--from", "fake"], "no weights"),
        (["--recipe", "shapes", "--steps", "0"], "steps"),
        (["--recipe", "shapes", "--data", "none"], "no data at"),
        (["--recipe", "shapes", "--dtype", "float8"], "A dtype is one of"),
        (["--resume"], "holds no training"),
        (["--resume", "--steps", "5"], "leave out: steps"),
    ],
)
def test_what_cannot_be_used_leaves_with_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], message: str
) -> None:
    assert run(["train", *words, "--out", str(tmp_path / "out"), "--device", "cpu"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in " ".join(err.split())


def test_a_model_that_is_not_here_leaves_with_8(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["train", "--recipe", "shapes", "--from", "openai/clip-vit-base-patch32", "--out", str(tmp_path / "out")]
    assert run(words) == 8
    assert "models --download openai/clip-vit-base-patch32" in capsys.readouterr().err


@pytest.mark.heavy
def test_ctrl_c_saves_says_how_to_go_on_and_resume_ends_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe, out = tmp_path / "r.yaml", tmp_path / "out"
    recipe.write_text("steps: 6\nbatch: 4\nwarmup: 2\ncheck_every: 1\ndata: {kind: shapes, crop: 1.0, validation: 5}\n")
    words = ["train", "--recipe", str(recipe), "--out", str(out), "--device", "cpu"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "app.py", *words], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stderr is not None
        message = process.stderr.readline()  # step 1 says how well it does
        process.send_signal(signal.SIGINT)
        message += process.stderr.read()
    assert process.returncode == 130, message
    assert f"train --resume --out {out}" in " ".join(message.split())
    assert "Traceback" not in message
    assert run(["train", "--resume", "--out", str(out), "--device", "cpu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps_done"] == 6
    assert load(str(out), device="cpu").dim == load("pocket", device="cpu").dim


def test_captions_end_with_their_own_record_and_are_not_resumed_as_another(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def make(order: Order, stopped: Callable[[], bool]) -> Iterator[Progress]:
        yield Progress(1, 2, "steps", values={"loss": 0.5, "learning rate": 1e-4})
        if order.steps == 2:  # done
            order.out.mkdir()
            (order.out / "training.json").write_text(json.dumps({"recipe": "captions", "steps_done": 2, "seconds": 9}))

    monkeypatch.setattr(train, "_captions", make)
    words = ["train", "--recipe", "captions", "--out", str(out), "--json"]
    assert run([*words, "--steps", "1"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out) == {"out": str(out), "steps_done": None, "seconds": None}
    assert "same command continues" in output.err
    assert run([*words, "--steps", "2"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out) == {"out": str(out), "steps_done": 2, "seconds": 9}
    assert "2 steps; training.json" in output.err
    assert run(["train", "--resume", "--out", str(out)]) == 2
    assert "give its command again, without --resume" in capsys.readouterr().err
