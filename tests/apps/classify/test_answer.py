"""One image: what is refused, what is answered, and that the reproduced lines give the same numbers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.classify.answer import Query, answer
from apps.classify.reproduce import lines
from apps.shared.query import percent, read_setup
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.pictures import sample_path
from workbench.reproduce import Setup

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("typed", ["", "  \n ", " , , "])
def test_no_label_is_refused_in_words(typed: str) -> None:
    with pytest.raises(BadInput, match="at least"):
        read_setup(typed, "one", "", none_of_these=False, model="pocket")


def test_three_hundred_labels_are_refused_with_the_count() -> None:
    with pytest.raises(BadInput, match="300"):
        read_setup(",".join(f"thing {i}" for i in range(300)), "one", "", none_of_these=False, model="pocket")


def test_an_own_list_without_a_place_for_the_label_is_refused() -> None:
    with pytest.raises(BadInput, match="label goes"):
        read_setup("cat", "own", "a photo of a cat", none_of_these=False, model="pocket")


def test_no_picture_and_a_damaged_one_are_refused(engine: Engine, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(sample_path("cat").read_bytes()[:2000])
    with engine.session("test") as session:
        with pytest.raises(BadInput, match="Choose an image"):
            answer(session, None, Setup(labels=("cat",)), engine=engine)
        with pytest.raises(BadInput, match=r"damaged\.png"):
            answer(session, str(damaged), Setup(labels=("cat",)), engine=engine)


@pytest.mark.parametrize("setup", [
    Setup(labels=("cat", "dog", "coffee cup"), picture="cat"),
    Setup(labels=("cat", "a “dog”, it's"), templates="seven", none_of_these=True, picture="cat"),
    Setup(labels=("cat", "dog"), templates="own", own=("a drawing of {}", 'it\'s "a" {}\\'), picture="cat"),
])  # fmt: skip
def test_the_python_lines_give_the_same_numbers(engine: Engine, setup: Setup) -> None:
    with engine.session("test") as session:
        shown = answer(session, str(sample_path("cat")), setup, engine=engine)
    code = lines(Query(setup, str(sample_path("cat"))), engine)[2]
    space: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, space)
    rows = [line.split("\t") for line in printed.getvalue().splitlines()]
    assert [row[0] for row in rows] == [label for label, _, _ in shown.ranked]
    for row, (_, chance, cosine) in zip(rows, shown.ranked, strict=True):
        assert float(row[1]) == pytest.approx(chance, abs=1e-4)
        assert float(row[2]) == pytest.approx(cosine, abs=1e-4)


@pytest.mark.heavy
def test_the_command_line_gives_the_same_numbers(engine: Engine, tmp_path: Path) -> None:
    """As it stands, in a shell that finds both programs; only `--json` is added, to read all digits."""
    setup = Setup(labels=("cat", "a “dog”, it's"), templates="seven", none_of_these=True, picture="cat")
    with engine.session("test") as session:
        shown = answer(session, str(sample_path("cat")), setup, engine=engine)
    for name, words in (("python", ""), ("clip-workbench", f'"{ROOT / "app.py"}"')):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    line = lines(Query(setup, str(sample_path("cat"))), engine)[1]
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", f"{line} --json"], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    (output,) = json.loads(done.stdout)
    assert [entry["label"] for entry in output["labels"]] == [label for label, _, _ in shown.ranked]
    for entry, (_, chance, cosine) in zip(output["labels"], shown.ranked, strict=True):
        assert entry["probability"] == pytest.approx(chance, abs=1e-4)
        assert entry["cosine"] == pytest.approx(cosine, abs=1e-4)


def test_an_upload_goes_by_its_bare_name(engine: Engine) -> None:
    address, shell, python = lines(Query(Setup(labels=("cat",)), "/private/place/holiday photo.png"), engine)
    assert "holiday" not in address
    assert "clip-workbench classify 'holiday photo.png' --labels cat --templates one --model pocket" in shell
    assert "/private" not in address + shell + python


@pytest.mark.parametrize(
    ("chance", "message"), [(1.0, "100.0 %"), (0.99999, "over 99.9 %"), (0.517, "51.7 %"), (1e-6, "under 0.1 %")]
)
def test_a_near_certainty_is_not_called_certain(chance: float, message: str) -> None:
    assert percent(chance) == message
