"""The shipped prior: its files are those recorded, it draws colours that sentences name, a changed file is refused."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from workbench.engine import Engine
from workbench.errors import Unsupported, WeightsRefused
from workbench.generation import prior as module
from workbench.generation.judging import Generated
from workbench.generation.models import needed
from workbench.generation.prior import SHA256, load_prior
from workbench.generation.run import generate
from workbench.generation.settings import PRIOR_FOLDER, Settings


def test_the_files_are_those_recorded_and_small_enough() -> None:
    files = sorted(PRIOR_FOLDER.glob("*.safetensors"))
    assert {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files} == SHA256
    assert sum(file.stat().st_size for file in PRIOR_FOLDER.iterdir()) < 20_000_000
    assert max(file.stat().st_size for file in files) < 10 * 2**20


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "prior"
    shutil.copytree(PRIOR_FOLDER, folder)
    data = bytearray((folder / "denoiser.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "denoiser.safetensors").write_bytes(data)
    monkeypatch.setattr(module, "PRIOR_FOLDER", folder)
    with pytest.raises(WeightsRefused, match="denoiser"):
        load_prior(folder)


def test_what_is_held_out_was_not_learned() -> None:
    learned = {name for name, _ in load_prior().names}
    assert "red apple" in learned
    assert not learned & {"badger", "broccoli", "cactus", "cello", "purple dog", "blue banana", "two red circles"}


def test_it_draws_the_colours_that_sentences_name() -> None:
    engine, colours = Engine(default="pocket", device="cpu"), {}
    for colour in ("red", "green", "blue"):
        settings = Settings(prompt=f"a {colour} heart", method="prior", steps=1, candidates=4, side=64)
        with engine.session("test", others=needed(settings)) as session:
            *_, made = generate(session, settings)
        assert isinstance(made, Generated)
        assert made.painting.nearest is not None
        colours[colour] = made.painting.pixels[20:40, 20:44].astype(float).mean((0, 1))
    assert [int(np.argmax(colours[name])) for name in ("red", "green", "blue")] == [0, 1, 2]


def test_another_model_than_the_one_it_was_trained_with_is_refused() -> None:
    settings = Settings(prompt="a cat", method="prior", model="fake")
    with (
        Engine(default="fake").session("test", others=needed(settings)) as session,
        pytest.raises(Unsupported, match="pocket"),
    ):
        next(generate(session, settings))
