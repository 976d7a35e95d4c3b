"""What tests of the audits' runner share: a home of their own, painted pictures, and how a run is begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import colour_audit
import pytest

import audits
from audits.datasets.readers import read
from audits.run_directory.reader import Run
from tests.installed import importable, install

Begin = Callable[..., Run]


@pytest.fixture(scope="session")
def drawn() -> Callable[[str], Path]:
    """The folder of a built-in data set; it is drawn once for all tests of all processes."""
    return lambda key: read(f"builtin:{key}").root


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that no other test has written into."""
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CLIP_WORKBENCH_CACHE", raising=False)
    return tmp_path / "home"


@pytest.fixture
def colours(tmp_path: Path) -> str:
    """A data set of 70 painted pictures: one whole chunk and a short one."""
    return f"folder:{colour_audit.paint(tmp_path / 'painted', 70)}"


@pytest.fixture
def begin(own_home: Path, colours: str, tmp_path: Path) -> Begin:
    """Run the small audit on the fake model."""

    def run(**given: Any) -> Run:
        words = {"protocol": colour_audit.RULES, "out": tmp_path / "runs"} | given
        audit = words.pop("audit", colour_audit.AUDIT)
        return audits.run(audit, words.pop("model", "fake"), words.pop("dataset", colours), **words)

    return run


@pytest.fixture
def registered(tmp_path: Path) -> Iterator[None]:
    """The small audit among those that the shell knows, as an installed package adds it."""
    with importable(install(tmp_path / "site", "colours", {"audits": {"colours": "colour_audit:AUDIT"}})):
        yield
