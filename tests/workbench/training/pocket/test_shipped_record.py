"""The records beside the shipped shards: the recipe as it stands made just these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.checkpoints.shipped import POCKET, POCKET_LITE2
from workbench.checkpoints.spec import ModelSpec
from workbench.training.pocket.export import BLEND
from workbench.training.record import RECORD
from workbench.training.texts.settings import OF_TOWER, Settings

FIRST_EDITION = {
    "model-00001-of-00004.safetensors": "49798937fab30212691ef034826d87fbdedf0f1008d9abf4162f51afc62f477a",
    "model-00002-of-00004.safetensors": "49a1a8061da081068a0ae05acd6c1b9c672f77a78af72085992e93ea74dcc09f",
    "model-00003-of-00004.safetensors": "9dddac82fd95157b131b7b6336fb3e09254533a94ab77daf226930d63af2eafb",
    "model-00004-of-00004.safetensors": "bfbfd227060c75ab0ce63f87e65d1fe5f04ae01438c786e74d1f55987665b0a0",
}
SECOND = {  # git show be74aa8:workbench/weights/pocket/…
    "model-00001-of-00004.safetensors": "04d547b41acde84359a9c5c79c140cca255c3b9cc854493e04bb3fd88c1feb14",
    "model-00002-of-00004.safetensors": "c08ea0886a28ebfeffe0162324f444667c1dc2d3eb4131df150139bc2a8ad21f",
    "model-00003-of-00004.safetensors": "4f9429d1dd8c7924b29460cc37bd784492974a763aa6d4aaa73dda9722db0378",
    "model-00004-of-00004.safetensors": "4bf0538cb3ab5966d27412c46f0dac651a134a6d176a9872a2b2bd827553e525",
}
BLENDED = {  # of these two and the classifier
    **SECOND,
    "model-00001-of-00004.safetensors": "efd2960f10687c574786db7fad82fe91cd7abdbb8df1ac118d3b4c3c2a10ff81",
}
FIRST_LITE2 = {  # git show d4a9545:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "f9688ae40e98cf1004219bab7c0e97a815dc383ad85f3d9dc741b55d7171b4c2",
    "model-00002-of-00004.safetensors": "fb277a4045f57ebf7e7b8ab7f4c91f19b7dea9be02185f3836436f316371f446",
    "model-00003-of-00004.safetensors": "6b3442a70768eff2475583ef8cdafcc6621f4a136f6b06e99aa19d30a4e4f59c",
    "model-00004-of-00004.safetensors": "c31b85b1332951d286fe27256d1a6d3a8b8fc5d42be4a5fd332d7d46f5ea3c49",
}
APART = {"photos", "modules", "fonts", "start"}  # which a record leaves out


def _texts(tower: Any, seed: int) -> Settings:
    return Settings(photos=Path(), start=Path(), image_tower=tower, seed=seed, **OF_TOWER[tower])


SHIPPED = {
    "pocket": (POCKET, _texts("lite0", 0), BLENDED),
    "pocket-lite2": (POCKET_LITE2, _texts("lite2", 1), FIRST_LITE2),
}


Shipped = tuple[ModelSpec, Settings, dict[str, Any]]


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
    assert (record["recipe"], {**given, **record["settings"]}) == (settings.recipe, given)
    assert {"seed", "pictures", "vector_steps", "steps", "cycles"} < record["settings"].keys()


def test_each_began_from_an_edition_before(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["began_from"] == SHIPPED[spec.key][2]
    assert record["weights"] != record["began_from"]


def test_the_run_went_to_its_end(shipped: Shipped) -> None:
    record = shipped[2]
    assert record["steps_done"] == record["settings"]["steps"] * record["settings"].get("cycles", 1)


def test_texts_alone_were_fitted_anew(shipped: Shipped) -> None:
    """The image tower's shard is the one that it began from, to the byte."""
    spec, _, _ = shipped
    assert [name for name, value in spec.sha256.items() if value == SHIPPED[spec.key][2][name]] == [next(iter(SECOND))]


def test_the_card_blends_what_the_record_says() -> None:
    assert POCKET.folder is not None
    record = json.loads((POCKET.folder / RECORD).read_text(encoding="utf-8"))[BLEND]
    assert (record["of"], record["beyond"]) == (SECOND, FIRST_EDITION)
    line = " ".join((POCKET.folder / "README.md").read_text(encoding="utf-8").split())
    for option, every in (("classifier", record["classifier"]), ("steps", record["steps"])):
        assert f"--{option} {' '.join(f'{part}={share:g}' for part, share in every.items())} " in line


def test_it_is_about_these_shards(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["weights"] == spec.sha256


def test_both_together_stay_small() -> None:
    files = [file for spec in (POCKET, POCKET_LITE2) if spec.folder is not None for file in spec.folder.iterdir()]
    assert sum(file.stat().st_size for file in files) <= 62_000_000
    assert max(file.stat().st_size for file in files) < 10 * 2**20
