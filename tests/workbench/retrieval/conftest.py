"""A session with the model that sees colours, and folders of coloured pictures."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workbench.engine import Engine, Session

COLOURS = {"red": (220, 20, 20), "green": (20, 160, 20), "blue": (20, 20, 220), "yellow": (240, 220, 20)}


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    with Engine(default="fake", device="cpu", dtype="float32") as engine, engine.session("test") as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for indexes that no other test sees."""
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def pictures(tmp_path: Path, home: Path) -> Path:
    """A folder with eight pictures of each of four colours, no two alike, in class folders."""
    folder = tmp_path / "pictures"
    noise = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(8):
            pixels = np.clip(np.array(colour) + noise.integers(-12, 12, (40, 60, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def run() -> Callable[[Generator[Any, None, Any]], Any]:
    """Run a generator to its end and return its value."""

    def to_the_end(steps: Generator[Any, None, Any]) -> Any:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    return to_the_end
