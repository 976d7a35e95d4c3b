"""The records beside the shipped shards: the recipe as it stands made just these."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.checkpoints.shipped import POCKET, POCKET_LITE2
from workbench.checkpoints.spec import ModelSpec
from workbench.training.distillation import DistillationSettings
from workbench.training.pocket.export import BEFORE, BLEND
from workbench.training.record import RECORD
from workbench.training.texts.settings import Begun

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
THIRD = {  # git show afd03ea:workbench/weights/pocket/…
    "model-00001-of-00004.safetensors": "efd2960f10687c574786db7fad82fe91cd7abdbb8df1ac118d3b4c3c2a10ff81",
    "model-00002-of-00004.safetensors": "34a56ce56bd8c5d82c2559cd5e6e3621de0a314c7d3c54806cf3d1bb2195acf4",
    "model-00003-of-00004.safetensors": "0c9029afb6eaa49ab3816750cec4b7f72528a7a508204614c61183c6fe83d0b5",
    "model-00004-of-00004.safetensors": "6bb971615d0a18b10423267f7eafd67bff177248c9bf2347faa203daae10db74",
}
NINTH = {  # git show 32a1730:workbench/weights/pocket/…
    "model-00001-of-00004.safetensors": "69f9787390e7c851493f57107554215cbe3413cbc777165e32d5d80225474d13",
    "model-00002-of-00004.safetensors": "015fcaae185f0365ce96af12fa0b8ce2f99644583c762f2a2ed2b7914c264dbf",
    "model-00003-of-00004.safetensors": "8954e198c60cc1c39e3a9101dd6ca2904977a43801b65d7d89a8f52158e52147",
    "model-00004-of-00004.safetensors": "eea612422949628f7a44da974fb52e97fa3e0cbef9653d6822d82ec4b3375659",
}
TENTH_LITE2 = {  # git show 32a1730:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "ddc5a1d0bf6e3bcf9d9fbc197af28f0637efc449d03c90a149b796f6b8e620a0",
    "model-00002-of-00004.safetensors": "4912f78386d31e9d63744595b875793e8414677a21736d34703ca1517569482c",
    "model-00003-of-00004.safetensors": "b04e7c0eddb2385d8590d0f3a895d266936b9618d42619630d7d55abff1893df",
    "model-00004-of-00004.safetensors": "9dc6cedfb03a591f3bc80a93856ead12639835533f53954597e4dbb2c638a2f6",
}
ELEVENTH = NINTH | {  # git show 31cb96f:workbench/weights/pocket/…
    "model-00001-of-00004.safetensors": "ff14b806737a6b38555b0326991096f50405bcdb44cc10f4771188d3c0e48e65"
}
TWELFTH = NINTH | {  # git show 280d7ec:workbench/weights/pocket/…
    "model-00001-of-00004.safetensors": "01f74e216c5bbdc78ff813086dc83e4edf77431de099d69a4ac914e8f32c1515"
}
THIRTEENTH = NINTH | {  # git show 0fc29d9:workbench/weights/pocket/…
    "model-00001-of-00004.safetensors": "ac264591df5728a4654587ae0039f2da2abebd0f76d2ec55640e8872f2e30938"
}
WITH_ELEVENTH = NINTH | {  # what the card blends of the fourteenth and the eleventh
    "model-00001-of-00004.safetensors": "5b046df64cc3b8e9f27288f5c3bd3b1e1d4c26a5bc102ee24754b46e6b575805"
}
FIRST_LITE2 = {  # git show d4a9545:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "f9688ae40e98cf1004219bab7c0e97a815dc383ad85f3d9dc741b55d7171b4c2",
    "model-00002-of-00004.safetensors": "fb277a4045f57ebf7e7b8ab7f4c91f19b7dea9be02185f3836436f316371f446",
    "model-00003-of-00004.safetensors": "6b3442a70768eff2475583ef8cdafcc6621f4a136f6b06e99aa19d30a4e4f59c",
    "model-00004-of-00004.safetensors": "c31b85b1332951d286fe27256d1a6d3a8b8fc5d42be4a5fd332d7d46f5ea3c49",
}
ELEVENTH_LITE2 = TENTH_LITE2 | {  # git show 50888e5:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "361a8fae172ea5feaaa8c5b0f917f29e9a3fdac419f04116154aca18b37b933b"
}
THIRTEENTH_LITE2 = TENTH_LITE2 | {  # git show 2b3ae2a:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "2e89e4e56c0e3a910af936d51195b1a581e26c7e026224edb18dd177983250cf"
}
FIFTEENTH_LITE2 = TENTH_LITE2 | {  # git show 0018fc2:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "2078442504288898869583dbb6d2ca6388f5be3f4349f47ad5adbe143d4240c0"
}
SEVENTEENTH_LITE2 = {  # git show 308696f:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "1404367fd1e4b9089633b25d0819acfc0bae5a904a4ceb9cf893774e5e2927ca",
    "model-00002-of-00004.safetensors": "23b7690b46bf28593f6b97a14645536d728518bc7a676ba12befb8d169b3b926",
    "model-00003-of-00004.safetensors": "a260abc32023f77397eb6b8f7a9c901c8980a4f9eb023e7a2cac177ef67f38c7",
    "model-00004-of-00004.safetensors": "fe6238aa45b9f8ea6bbfb7e67577b79816870d1d036d6157d64e1ccf5d9bce2f",
}
EIGHTEENTH_LITE2 = {  # git show 42b3890:workbench/weights/pocket-lite2/…
    "model-00001-of-00004.safetensors": "1404367fd1e4b9089633b25d0819acfc0bae5a904a4ceb9cf893774e5e2927ca",
    "model-00002-of-00004.safetensors": "b7922a1b0ca1adb4753e7a0398478f0721db816dfad6e40a9e4107b933606569",
    "model-00003-of-00004.safetensors": "69ef989f0df66a39691b7db68b86ce3662c5e96993d19609aedd8e44da1d1adb",
    "model-00004-of-00004.safetensors": "e21cac9e347c4560d6598c1e92e91ebde1aed6ccbe23dc060b74f3e7e77ab469",
}
TWELFTH_LITE2 = EIGHTEENTH_LITE2 | {  # git show 31cb96f:workbench/weights/pocket-lite2/…, its image tower
    "model-00001-of-00004.safetensors": "a86434ff1469324f6869d296ee5f5a767e912893f1cfd7d4eb45c93ff00fb39d"
}
WITH_TWELFTH_LITE2 = EIGHTEENTH_LITE2 | {  # what the card blends of these two
    "model-00001-of-00004.safetensors": "dc2fe917c608e7b56fdac570c3a2cfa1962ac1ac79c50ab1a68771e909f2c680"
}
APART = {"photos", "modules", "fonts", "start"}  # which a record leaves out
SHIPPED: dict[str, tuple[ModelSpec, type[Begun], dict[str, Any], dict[str, str]]] = {
    "pocket": (POCKET, DistillationSettings, {"image_tower": "lite0", "seed": 190, "steps": 130}, WITH_ELEVENTH),
    "pocket-lite2": (
        POCKET_LITE2,
        DistillationSettings,
        {"image_tower": "lite2", "seed": 173, "steps": 130},
        WITH_TWELFTH_LITE2,
    ),
}
BEYOND = {  # of blends, the last first; None for one with the classifier alone
    "pocket": [ELEVENTH, ELEVENTH, TWELFTH, THIRTEENTH],
    "pocket-lite2": [
        *(EIGHTEENTH_LITE2, WITH_TWELFTH_LITE2, TWELFTH_LITE2, SEVENTEENTH_LITE2),
        *(None, FIRST_LITE2, ELEVENTH_LITE2, THIRTEENTH_LITE2, FIFTEENTH_LITE2),
    ],
}

Shipped = tuple[ModelSpec, Begun, dict[str, Any]]


@pytest.fixture(params=SHIPPED)
def shipped(request: pytest.FixtureRequest) -> Shipped:
    """A shipped model, the settings that made it, and its record."""
    spec, kind, given, _ = SHIPPED[request.param]
    assert spec.folder is not None
    of_tower = kind.of_tower[given["image_tower"]]
    settings = kind(photos=Path(), start=Path(), size=spec.image_size, **given, **of_tower)
    return spec, settings, dict(json.loads((spec.folder / RECORD).read_text(encoding="utf-8")))


def test_the_card_s_command_makes_them(shipped: Shipped) -> None:
    spec, settings, record = shipped
    assert spec.folder is not None
    card = (spec.folder / "README.md").read_text(encoding="utf-8")
    assert f"train --recipe {settings.recipe} " in card
    given = json.loads(settings.model_dump_json(exclude=APART))
    assert (record["recipe"], {**given, **record["settings"]}) == (settings.recipe, given)
    assert {"seed", "steps"} < record["settings"].keys()


def test_each_began_from_an_edition_before(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["began_from"] == SHIPPED[spec.key][3]
    assert record["weights"] != record["began_from"]


def test_the_run_went_to_its_end(shipped: Shipped) -> None:
    record = shipped[2]
    assert record["steps_done"] == record["settings"]["steps"]


def test_the_card_blends_what_the_record_says(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert spec.folder is not None
    line = " ".join((spec.folder / "README.md").read_text(encoding="utf-8").replace("\\\n", "").split())
    blends = _blends(record[BLEND])
    for beyond in BEYOND[spec.key]:
        blend = next(blends)
        assert blend.get("beyond") == beyond
        for option, every in (("classifier", blend["classifier"]), ("steps", blend.get("steps", {}))):
            assert not every or f"--{option} {' '.join(f'{part}={share:g}' for part, share in every.items())} " in line
    assert POCKET.folder is not None
    record = json.loads((POCKET.folder / RECORD).read_text(encoding="utf-8"))
    *_, third = _blends(record[BLEND])
    assert (third["of"], third["beyond"]) == (SECOND, FIRST_EDITION)


def _blends(last: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each with those before it, the last first."""
    yield last
    if BEFORE in last:
        yield from _blends(last[BEFORE])


def test_it_is_about_these_shards(shipped: Shipped) -> None:
    spec, _, record = shipped
    assert record["weights"] == spec.sha256


def test_both_together_stay_small() -> None:
    files = [file for spec in (POCKET, POCKET_LITE2) if spec.folder is not None for file in spec.folder.iterdir()]
    assert sum(file.stat().st_size for file in files) <= 62_000_000
    assert max(file.stat().st_size for file in files) < 10 * 2**20
