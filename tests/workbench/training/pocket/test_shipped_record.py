"""The records beside the shipped shards: the recipe as it stands made just these."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from workbench.checkpoints.shipped import POCKET, POCKET_LITE2
from workbench.checkpoints.spec import ModelSpec
from workbench.training.distillation import DistillationSettings
from workbench.training.order import DISTILLATION
from workbench.training.pocket.export import BEFORE, BLEND
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
FIFTH = {  # git show 7650a7e:workbench/weights/pocket/…
    "model-00001-of-00004.safetensors": "ffaf6fb8e64cb14ce283a24a6e22e66d4970ad8b69226e4f022395cb1ba3c041",
    "model-00002-of-00004.safetensors": "34a56ce56bd8c5d82c2559cd5e6e3621de0a314c7d3c54806cf3d1bb2195acf4",
    "model-00003-of-00004.safetensors": "0c9029afb6eaa49ab3816750cec4b7f72528a7a508204614c61183c6fe83d0b5",
    "model-00004-of-00004.safetensors": "8877b7e2f37c0eeada8befc822fefc07b08be9c198eb8e32fca5ee2a56c976d8",
}
SIXTH = {  # git show 60a921d:workbench/weights/pocket/…
    "model-00001-of-00004.safetensors": "9169bdbf4d00942e6d29592dcd9e100a81ffb6fc6d126269f321263131cc01b5",
    "model-00002-of-00004.safetensors": "34a56ce56bd8c5d82c2559cd5e6e3621de0a314c7d3c54806cf3d1bb2195acf4",
    "model-00003-of-00004.safetensors": "0c9029afb6eaa49ab3816750cec4b7f72528a7a508204614c61183c6fe83d0b5",
    "model-00004-of-00004.safetensors": "593c0f9a2c07f893cf0ac9f1e48725f01b4ac5f8bdf2d2911fe92d514c0d5b37",
}
BLENDED_LITE2 = {  # what the card's first blend made
    "model-00001-of-00004.safetensors": "d84d8197904accba19295b22ea2fe2c4d6c2ed4d009db6c5a73b86f02497fea6",
    "model-00002-of-00004.safetensors": "8dc36a8223e9f54d1e9704ebf3d25eee1c9f4541f4276e62bcb9cea202599a42",
    "model-00003-of-00004.safetensors": "1d4f9d2d592f5e78e1750a33c376efd2945807c5726c58957f1408645e9586a8",
    "model-00004-of-00004.safetensors": "20333850adb90655373075c5e4cccdab38b031204d8347bc124d623136fa83df",
}
FIFTH_LITE2 = {  # git show 60a921d:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "f9688ae40e98cf1004219bab7c0e97a815dc383ad85f3d9dc741b55d7171b4c2",
    "model-00002-of-00004.safetensors": "e5d20d009f89b0ff0daa886d22ce18927819cdd1205c8352858005c5474adfaa",
    "model-00003-of-00004.safetensors": "148133ac4192d5236496d2aad6b91b93e0f54e9d7a58d7e382c9d3cd538a513a",
    "model-00004-of-00004.safetensors": "1af89fa2d24a7a09fb5643e489976e78c01a5aa1d2828a568c762a8607b4412b",
}
APART = {"photos", "modules", "fonts", "start"}  # which a record leaves out


def _settings(tower: Any, seed: int) -> Settings:
    return Settings(**{"photos": Path(), "start": Path(), "image_tower": tower, "seed": seed, **OF_TOWER[tower]})


SHIPPED = {
    "pocket": (POCKET, _settings("lite0", 7), SIXTH),
    "pocket-lite2": (POCKET_LITE2, _settings("lite2", 1), BLENDED_LITE2),
}
BEYOND = {"pocket": [SIXTH, FIRST_EDITION], "pocket-lite2": [FIFTH_LITE2, FIFTH_LITE2]}  # of blends, the last first

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
    assert {"seed", "pictures", "steps", "cycles"} < record["settings"].keys()


def test_each_began_from_an_edition_before(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["began_from"] == SHIPPED[spec.key][2]
    assert record["weights"] != record["began_from"]


def test_the_run_went_to_its_end(shipped: Shipped) -> None:
    record = shipped[2]
    assert record["steps_done"] == record["settings"]["steps"] * record["settings"]["cycles"]


def test_of_pocket_the_texts_alone_were_fitted_anew() -> None:
    """The shards that hold none are those of the edition before, to the byte."""
    assert POCKET.folder is not None
    names = {file: load_file(POCKET.folder / file).keys() for file in POCKET.sha256}
    images = [file for file, keys in names.items() if not any(key.startswith("text_") for key in keys)]
    assert images
    assert [file for file in images if POCKET.sha256[file] != SIXTH[file]] == []


@pytest.mark.parametrize(
    ("spec", "tower", "steps", "began_from"),
    [(POCKET, "lite0", 400, FIFTH), (POCKET_LITE2, "lite2", 600, FIFTH_LITE2)],
)
def test_their_image_towers_were_taught_before_by_the_card_s_command(
    spec: ModelSpec, tower: str, steps: int, began_from: dict[str, str]
) -> None:
    assert spec.folder is not None
    run = json.loads((spec.folder / RECORD).read_text(encoding="utf-8"))[BEFORE][BEFORE]  # a projection lies between
    values = {"image_tower": tower, "steps": steps, **DistillationSettings.of_tower[tower]}
    wanted = DistillationSettings(photos=Path(), start=Path(), **values)
    given = json.loads(wanted.model_dump_json(exclude=APART))
    assert (run["recipe"], run["settings"], run["steps_done"]) == (DISTILLATION, given, wanted.steps)
    assert run["began_from"] == began_from
    card = (spec.folder / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"--recipe distillation --from \w+/workbench/weights/{spec.key} (--steps {steps} )?--data", card)


def test_the_card_blends_what_the_record_says(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert spec.folder is not None
    line = " ".join((spec.folder / "README.md").read_text(encoding="utf-8").replace("\\\n", "").split())
    last = record[BLEND]
    for blend, beyond in zip((last, last[BEFORE]), BEYOND[spec.key], strict=True):
        assert blend["beyond"] == beyond
        for option, every in (("classifier", blend["classifier"]), ("steps", blend["steps"])):
            assert not every or f"--{option} {' '.join(f'{part}={share:g}' for part, share in every.items())} " in line
    assert POCKET.folder is not None
    third = json.loads((POCKET.folder / RECORD).read_text(encoding="utf-8"))[BLEND][BEFORE]
    assert third["of"] == SECOND


def test_it_is_about_these_shards(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["weights"] == spec.sha256


def test_both_together_stay_small() -> None:
    files = [file for spec in (POCKET, POCKET_LITE2) if spec.folder is not None for file in spec.folder.iterdir()]
    assert sum(file.stat().st_size for file in files) <= 62_000_000
    assert max(file.stat().st_size for file in files) < 10 * 2**20
