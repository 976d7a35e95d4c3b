"""The records beside the shipped shards: the recipe as it stands made just these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.checkpoints.shipped import POCKET, POCKET_LITE2
from workbench.checkpoints.spec import ModelSpec
from workbench.training.pocket.settings import GOING_ON, Settings
from workbench.training.record import RECORD

FIRST_EDITION = {
    "model-00001-of-00004.safetensors": "49798937fab30212691ef034826d87fbdedf0f1008d9abf4162f51afc62f477a",
    "model-00002-of-00004.safetensors": "49a1a8061da081068a0ae05acd6c1b9c672f77a78af72085992e93ea74dcc09f",
    "model-00003-of-00004.safetensors": "9dddac82fd95157b131b7b6336fb3e09254533a94ab77daf226930d63af2eafb",
    "model-00004-of-00004.safetensors": "bfbfd227060c75ab0ce63f87e65d1fe5f04ae01438c786e74d1f55987665b0a0",
}


SHIPPED = {
    "pocket": (POCKET, {**GOING_ON}, FIRST_EDITION),
    "pocket-lite2": (POCKET_LITE2, {"image_tower": "lite2", "seed": 1}, None),
}


Shipped = tuple[ModelSpec, dict[str, Any], dict[str, Any]]


@pytest.fixture(params=SHIPPED)
def shipped(request: pytest.FixtureRequest) -> Shipped:
    """A shipped model, the options that made it, and its record."""
    spec, options, _ = SHIPPED[request.param]
    assert spec.folder is not None
    return spec, options, dict(json.loads((spec.folder / RECORD).read_text(encoding="utf-8")))


def test_the_card_s_command_makes_them(shipped: Shipped) -> None:
    spec, options, record = shipped
    assert spec.folder is not None
    steps = record["settings"]["steps"]
    assert f"--steps {steps}\n" in (spec.folder / "README.md").read_text(encoding="utf-8")
    given = Settings(photos=Path(), steps=steps, **options)
    assert record["settings"] == json.loads(given.model_dump_json(exclude={"photos", "modules", "fonts", "start"}))


def test_the_second_edition_began_from_the_first_and_the_other_from_its_parts(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["began_from"] == SHIPPED[spec.key][2]


def test_the_run_went_to_its_end(shipped: Shipped) -> None:
    record = shipped[2]
    assert record["steps_done"] == record["settings"]["steps"]


def test_it_is_about_these_shards(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["weights"] == spec.sha256


def test_both_together_stay_small() -> None:
    files = [file for spec in (POCKET, POCKET_LITE2) if spec.folder is not None for file in spec.folder.iterdir()]
    assert sum(file.stat().st_size for file in files) <= 62_000_000
    assert max(file.stat().st_size for file in files) < 10 * 2**20
