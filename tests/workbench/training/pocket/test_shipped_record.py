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
from workbench.training.texts.settings import Settings as Texts

FIRST_EDITION = {
    "model-00001-of-00004.safetensors": "49798937fab30212691ef034826d87fbdedf0f1008d9abf4162f51afc62f477a",
    "model-00002-of-00004.safetensors": "49a1a8061da081068a0ae05acd6c1b9c672f77a78af72085992e93ea74dcc09f",
    "model-00003-of-00004.safetensors": "9dddac82fd95157b131b7b6336fb3e09254533a94ab77daf226930d63af2eafb",
    "model-00004-of-00004.safetensors": "bfbfd227060c75ab0ce63f87e65d1fe5f04ae01438c786e74d1f55987665b0a0",
}


FIRST_LITE2 = {  # git show d4a9545:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "f9688ae40e98cf1004219bab7c0e97a815dc383ad85f3d9dc741b55d7171b4c2",
    "model-00002-of-00004.safetensors": "fb277a4045f57ebf7e7b8ab7f4c91f19b7dea9be02185f3836436f316371f446",
    "model-00003-of-00004.safetensors": "6b3442a70768eff2475583ef8cdafcc6621f4a136f6b06e99aa19d30a4e4f59c",
    "model-00004-of-00004.safetensors": "c31b85b1332951d286fe27256d1a6d3a8b8fc5d42be4a5fd332d7d46f5ea3c49",
}
APART = {"photos", "modules", "fonts", "start"}  # which a record leaves out


SHIPPED = {
    "pocket": (POCKET, Settings(photos=Path(), **GOING_ON), FIRST_EDITION),
    "pocket-lite2": (POCKET_LITE2, Texts(photos=Path(), start=Path(), image_tower="lite2", seed=1), FIRST_LITE2),
}


Shipped = tuple[ModelSpec, Settings | Texts, dict[str, Any]]


@pytest.fixture(params=SHIPPED)
def shipped(request: pytest.FixtureRequest) -> Shipped:
    """A shipped model, the settings that made it, and its record."""
    spec, settings, _ = SHIPPED[request.param]
    assert spec.folder is not None
    return spec, settings, dict(json.loads((spec.folder / RECORD).read_text(encoding="utf-8")))


def test_the_card_s_command_makes_them(shipped: Shipped) -> None:
    spec, settings, record = shipped
    assert spec.folder is not None
    card = (spec.folder / "README.md").read_text(encoding="utf-8")
    assert f"train --recipe {settings.recipe} " in card
    given = json.loads(settings.model_dump_json(exclude=APART))
    if settings.recipe == "pocket":  # its length is given, not the recipe's own
        given["steps"] = record["settings"]["steps"]
        assert f"--steps {given['steps']}\n" in card
    assert (record["recipe"], record["settings"]) == (settings.recipe, given)


def test_each_began_from_an_edition_before(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["began_from"] == SHIPPED[spec.key][2]
    assert record["weights"] != record["began_from"]


def test_the_run_went_to_its_end(shipped: Shipped) -> None:
    record = shipped[2]
    assert record["steps_done"] == record["settings"]["steps"] * record["settings"].get("cycles", 1)


def test_texts_alone_were_fitted_anew() -> None:
    """The image tower's shard is that of the edition before, to the byte."""
    shard = "model-00001-of-00004.safetensors"
    assert POCKET_LITE2.sha256[shard] == FIRST_LITE2[shard]


def test_it_is_about_these_shards(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["weights"] == spec.sha256


def test_both_together_stay_small() -> None:
    files = [file for spec in (POCKET, POCKET_LITE2) if spec.folder is not None for file in spec.folder.iterdir()]
    assert sum(file.stat().st_size for file in files) <= 62_000_000
    assert max(file.stat().st_size for file in files) < 10 * 2**20
