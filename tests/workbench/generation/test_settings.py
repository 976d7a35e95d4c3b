"""Prompts, settings and what a PNG holds of them: everything comes back, and hostile files do no harm."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from workbench.errors import BadInput
from workbench.generation.judging import Generated
from workbench.generation.metadata import KEY, from_png, to_png
from workbench.generation.painting import Painting
from workbench.generation.prompts import WeightedText, WeightedUnit, parse_facets, parse_prompt, parse_units
from workbench.generation.settings import read_settings
from workbench.neurons.corpus import FORMS

SETTINGS = read_settings({"prompt": "a castle:2 | fog:-0.5", "seed": 7, "steps": 3, "rate": 0.05, "side": 64})
PAINTING = Painting(np.full((64, 64, 3), 9, np.uint8), SETTINGS, (0.1, 0.2), 1.5)
GENERATED = Generated(PAINTING, 0.25, 0.5, "abc")


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("a castle:1 | fog:0.5 | text:-0.3", (("a castle", 1.0), ("fog", 0.5), ("text", -0.3))),
        ("a red apple", (("a red apple", 1.0),)),
        ("time: noon", (("time: noon", 1.0),)),
        ("at 5:30 : 2", (("at 5:30", 2.0),)),
        ("a|b:.5", (("a", 1.0), ("b", 0.5))),
    ],
)
def test_prompts_are_split_and_weighed(prompt: str, parts: tuple[tuple[str, float], ...]) -> None:
    assert parse_prompt(prompt) == tuple(WeightedText(*part) for part in parts)


@pytest.mark.parametrize(
    "prompt",
    [
        *("", "  ", "a | ", ":3", "a:-1", "a:0", "a:11", "|".join("abcdefghijklmn"), "x" * 2000),
        *("unit:last/3", "a | unit:last", "a | unit:/3", "a | unit:last/x:2", "a | unit:last/3:11"),
        *("a:-1 | unit:last/3", "facet:word", "a | facet:", "a | facet:painting", "a | facet:word:11"),
    ],
)
def test_prompts_that_cannot_be_used_are_refused(prompt: str) -> None:
    with pytest.raises(BadInput):
        parse_prompt(prompt)


def test_units_stand_beside_texts_with_their_own_weights() -> None:
    prompt = "a castle:2 | unit:stages.3/17 | fog:-0.3 | unit: last/373:-0.5"
    assert parse_prompt(prompt) == (WeightedText("a castle", 2.0), WeightedText("fog", -0.3))
    assert parse_units(prompt) == (WeightedUnit("stages.3", 17), WeightedUnit("last", 373, -0.5))
    assert parse_units("the unit:2") == ()


def test_facets_stand_beside_texts() -> None:
    prompt = "a castle | facet:drawing | facet: word:-0.5"
    assert parse_prompt(prompt) == (WeightedText("a castle"),)
    assert parse_facets(prompt) == (WeightedText("drawing"), WeightedText("word", -0.5))
    assert parse_facets("a facet:2") == ()
    assert [parse_facets(f"a | facet:{form}")[0].text for form in FORMS] == list(FORMS)


def test_a_png_gives_back_every_setting() -> None:
    data = to_png(GENERATED)
    assert from_png(data, "a.png") == SETTINGS
    with Image.open(io.BytesIO(data)) as image:
        content = json.loads(image.text[KEY])  # type: ignore[attr-defined]
        assert np.array_equal(np.asarray(image), PAINTING.pixels)
    assert set(content["settings"]) == set(type(SETTINGS).model_fields)
    assert content["similarity"] == 0.25


def test_settings_can_be_left_out() -> None:
    data = to_png(replace(GENERATED, fingerprint="secret"), with_settings=False)
    assert b"secret" not in data
    with pytest.raises(BadInput, match="no settings"):
        from_png(data, "a.png")


def _png(text: str | None, *, compressed: bool = False) -> bytes:
    info, file = PngInfo(), io.BytesIO()
    if text is not None:
        info.add_itxt(KEY, text, zip=compressed)
    Image.new("RGB", (4, 4)).save(file, format="PNG", pnginfo=info)
    return file.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "no json",
        "[" * 15_000,
        "[]",
        "{}",
        '{"version": 2, "settings": {}}',
        '{"version": 1}',
        '{"version": 1, "settings": []}',
        '{"version": 1, "settings": {}}',
        '{"version": 1, "settings": {"prompt": "a", "side": 999999}}',
        '{"version": 1, "settings": {"prompt": "a", "seconds": NaN}}',
        '{"version": 1, "settings": {"prompt": "a", "unknown": 1}}',
        '{"version": 1, "settings": {"prompt": "", "side": 64}}',
        '{"version": 1, "settings": {"prompt": "' + "a" * 30_000 + '"}}',
    ],
)
def test_hostile_metadata_is_refused_with_a_message(text: str | None) -> None:
    with pytest.raises(BadInput):
        from_png(_png(text), "a.png")


def test_a_text_that_unpacks_to_a_flood_is_refused() -> None:
    with pytest.raises(BadInput):
        from_png(_png("a" * 5_000_000, compressed=True), "a.png")
    with pytest.raises(BadInput):
        from_png(zlib.compress(b"no png"), "a.png")


@pytest.mark.parametrize(
    "values", [{"cutouts": 0}, {"side": 4096}, {"strength": 9}, {"method": "magic"}, {"model": " "}]
)
def test_settings_out_of_bounds_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=next(iter(values))):
        read_settings({"prompt": "a cat", **values})


def test_an_image_of_before_keeps_the_share_of_wide_cutouts_that_it_was_made_with() -> None:
    assert from_png(_png('{"version": 1, "settings": {"prompt": "a"}}'), "a.png").wide == 0.4
    assert from_png(_png('{"version": 1, "settings": {"prompt": "a", "wide": 0.7}}'), "a.png").wide == 0.7
