"""The record beside the shipped shards: the recipe as it stands, on from the first edition, made just these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.checkpoints.shipped import POCKET
from workbench.training.pocket.settings import GOING_ON, Settings
from workbench.training.record import RECORD

FIRST_EDITION = {
    "model-00001-of-00004.safetensors": "49798937fab30212691ef034826d87fbdedf0f1008d9abf4162f51afc62f477a",
    "model-00002-of-00004.safetensors": "49a1a8061da081068a0ae05acd6c1b9c672f77a78af72085992e93ea74dcc09f",
    "model-00003-of-00004.safetensors": "9dddac82fd95157b131b7b6336fb3e09254533a94ab77daf226930d63af2eafb",
    "model-00004-of-00004.safetensors": "bfbfd227060c75ab0ce63f87e65d1fe5f04ae01438c786e74d1f55987665b0a0",
}


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    assert POCKET.folder is not None
    return dict(json.loads((POCKET.folder / RECORD).read_text(encoding="utf-8")))


def test_the_card_s_command_makes_them(record: dict[str, Any]) -> None:
    assert POCKET.folder is not None
    steps = record["settings"]["steps"]
    assert f"--steps {steps}\n" in (POCKET.folder / "README.md").read_text(encoding="utf-8")
    given = Settings(photos=Path(), steps=steps, **GOING_ON)
    assert record["settings"] == json.loads(given.model_dump_json(exclude={"photos", "modules", "fonts", "start"}))


def test_they_began_from_the_first_edition(record: dict[str, Any]) -> None:
    assert record["began_from"] == FIRST_EDITION


def test_the_run_went_to_its_end(record: dict[str, Any]) -> None:
    assert record["steps_done"] == record["settings"]["steps"]


def test_it_is_about_these_shards(record: dict[str, Any]) -> None:
    assert record["weights"] == POCKET.sha256
