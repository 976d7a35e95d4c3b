"""The record beside the shipped shards: the recipe as it stands, run from the parts to its end, made just these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.checkpoints.shipped import POCKET
from workbench.training.pocket.settings import Settings
from workbench.training.record import RECORD


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    assert POCKET.folder is not None
    return dict(json.loads((POCKET.folder / RECORD).read_text(encoding="utf-8")))


def test_one_command_without_options_makes_them(record: dict[str, Any]) -> None:
    given = Settings(photos=Path()).model_dump_json(exclude={"photos", "modules", "fonts", "start"})
    assert record["settings"] == json.loads(given)
    assert record["began_from"] is None


def test_the_run_went_to_its_end(record: dict[str, Any]) -> None:
    assert record["steps_done"] == record["settings"]["steps"]


def test_it_is_about_these_shards(record: dict[str, Any]) -> None:
    assert record["weights"] == POCKET.sha256
