"""What cannot be used gets a sentence within 100 ms: through Python, through an engine's session, and in the shell."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apps.shell import run
from workbench.engine import Engine, Session
from workbench.errors import BadInput, OutOfResources
from workbench.loading import load
from workbench.loading.torch_backend import TorchBackend
from workbench.pictures import sample_path
from workbench.zeroshot import classify

SECONDS = 0.1  # of computing: how long the machine lets us wait besides is not ours to promise
MANY = [f"thing {number}" for number in range(200_000)]


def animated() -> bytes:
    held = io.BytesIO()
    frames = [Image.new("RGB", (16, 16), (shade, 0, 0)) for shade in (0, 99, 200)]
    frames[0].save(held, "WEBP", save_all=True, append_images=frames[1:])
    return held.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "empty.png": lambda: b"",
    "cut.png": lambda: sample_path("cat").read_bytes()[:3000],
    "heavy.jpg": lambda: b"\xff\xd8\xff" + bytes(10_000_000),
    "moving.webp": animated,
    "page.png": lambda: b"<html>",
    "paper.pdf": lambda: b"%PDF-1.7",
}
QUESTIONS: dict[str, dict[str, Any]] = {
    "no labels": {"labels": []},
    "blank labels": {"labels": ["", "  "]},
    "endless labels": {"labels": MANY},
    "a text for a list": {"labels": "cat, dog"},
    "NaN for a label": {"labels": ["cat", math.nan]},
    "a long label": {"labels": ["x" * 201]},
    "none of these twice": {"labels": ["none of these"], "none_of_these": True},
    "no templates": {"templates": []},
    "endless templates": {"templates": [f"a {{}} {number}" for number in range(200_000)]},
    "a template without a place": {"templates": ["a photo"]},
    "a long template": {"templates": ["a {} " + "very " * 200]},
    "a text for templates": {"templates": "a photo of a {}."},
    "no picture": {"pictures": []},
    "a path for a list": {"pictures": "cat.png"},
    "a missing file": {"pictures": ["nowhere.png"]},
    "numbers for a picture": {"pictures": [np.zeros((4, 4, 3))]},
    "NaN for a picture": {"pictures": [Image.fromarray(np.full((8, 8), np.nan, dtype=np.float32))]},
    "a huge picture": {"pictures": [Image.new("1", (8000, 4001))]},
}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Engine(device="cpu") as engine, engine.session("test") as opened:
        ask(opened, {})
        yield opened


def ask(backend: Any, change: dict[str, Any]) -> None:
    request = {"pictures": [sample_path("cat")], "labels": ["cat", "dog"], **change}
    classify(backend, request.pop("pictures"), request.pop("labels"), **request)


def refused(work: Callable[[], object]) -> str:
    """Return what a refusal says; it comes in time, of two tries at the better one."""
    seconds, message = math.inf, ""
    for _ in range(2):
        began = time.process_time()
        with pytest.raises(BadInput) as caught:
            work()
        seconds, message = min(seconds, time.process_time() - began), str(caught.value)
    assert seconds < SECONDS
    assert 20 < len(message) < 1200
    return message


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_that_cannot_be_asked(pocket: TorchBackend, session: Session, name: str) -> None:
    ask(pocket, {})
    for backend in (pocket, session):
        refused(lambda backend=backend: ask(backend, QUESTIONS[name]))  # type: ignore[misc]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_picture(pocket: TorchBackend, session: Session, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name]())
    ask(pocket, {})
    for backend in (pocket, session):
        message = refused(lambda backend=backend: ask(backend, {"pictures": [tmp_path / name]}))  # type: ignore[misc]
        assert name in message
        assert str(tmp_path) not in message


@pytest.mark.parametrize(
    ("given", "message"),
    [({"key": "pokcet"}, "'pocket'"), ({"device": "gpu"}, "cuda"), ({"dtype": "int8"}, "bfloat16"), ({"key": ""}, "")],
)
def test_a_model_that_cannot_be_loaded(given: dict[str, str], message: str) -> None:
    assert message in refused(lambda: load(**given))


def test_texts_that_cannot_be_read(pocket: TorchBackend, session: Session) -> None:
    for texts in ([], [""], "cat", ["x" * 1001], [None]):
        for backend in (pocket, session):
            refused(lambda backend=backend, texts=texts: backend.embed_texts(texts))  # type: ignore[misc]


@pytest.mark.parametrize(
    "words",
    [
        ["--labels", ""],
        ["--labels", " , ,"],
        ["--labels", ",".join(MANY[:50_000])],
        ["--labels", "x" * 5000],
        ["--labels", 'cat,"dog'],
        ["--labels", "cat", "--templates", "a {} " + "very " * 400],
        ["--labels", "cat", "--templates", "a photo"],
        ["--labels", "cat", "--model", "pokcet"],
        ["--labels", "cat", "--dtype", "float8"],
        ["--labels-file", "endless.txt"],
        ["--labels-file", "binary.txt"],
        ["--labels-file", "nowhere.txt"],
    ],
)
def test_a_command_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("endless.txt").write_text("\n".join(MANY), encoding="utf-8")
    Path("binary.txt").write_bytes(b"\xff\xfe\x00")
    seconds = math.inf
    for _ in range(2):
        began = time.process_time()
        assert run(["classify", str(sample_path("cat")), *words]) == 2
        seconds = min(seconds, time.process_time() - began)
    out, err = capsys.readouterr()
    assert seconds < SECONDS
    assert out == ""
    assert err.splitlines()[-1].startswith("clip-workbench: ")


def test_a_full_disk_is_said_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills up while the vectors are written."""
    import pyarrow.parquet as pq

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    out = tmp_path / "vectors.parquet"
    code = run(["embed", str(sample_path("cat")), "--out", str(out), "--device", "cpu"])
    assert code == OutOfResources.exit_code
    assert "No space left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
