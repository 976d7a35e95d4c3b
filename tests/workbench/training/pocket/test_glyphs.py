"""Line drawings come from fonts, one character each, and are coloured in where their lines enclose something."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.workbench.training.pocket.conftest import FONT
from workbench.errors import BadInput
from workbench.training.pocket import colouring, emoji, glyphs, painting, sources
from workbench.training.pocket.material import Material

PAINTS = ((200, 0, 0, 255), (0, 0, 200, 255))


def _ring() -> np.ndarray:
    picture = Image.new("RGBA", (72, 72))
    ImageDraw.Draw(picture).ellipse((8, 8, 63, 63), outline=glyphs.INK, width=4)
    return np.asarray(picture)


def test_what_is_one_character_of_a_font_is_drawn_as_large_as_it_fits() -> None:
    codes = ["1F469-1F3FF", "2602", "2764-FE0F", "10FFFF", "1F469-200D-1F692"]  # DejaVu has an umbrella and a heart
    made = dict(glyphs.drawn([FONT, FONT], codes, side=72))
    assert set(made) == {1, 2}
    for picture in made.values():
        assert picture.shape == (72, 72, 4)
        assert picture.dtype == np.uint8
        solid = picture[..., 3] > colouring.SOLID
        wide, high = (np.ptp(np.nonzero(solid.any(axis))) for axis in (0, 1))
        assert max(wide, high) >= 68
        assert np.abs(picture[solid, :3].astype(int) - glyphs.INK[0]).max() <= 4  # resized
        assert colouring.paint_of(picture) is None
    assert not np.array_equal(made[1], made[2])


def test_drawings_of_a_font_have_no_skin_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(code: str, *, skinned: bool) -> emoji.Emoji:
        return emoji.Emoji("name", code, "slug", (), (), skinned)

    every = (one("2602", skinned=True), one("2764", skinned=False))
    monkeypatch.setattr(glyphs, "files", lambda style, modules: [FONT])
    assert [drawn for drawn, _ in emoji.sprites(Path(), "symbola", every)] == [every[1]]


def test_a_missing_font_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="npm install @fontsource/noto-emoji"):
        glyphs.files("noto-lines", tmp_path)
    monkeypatch.setattr(glyphs, "DEBIAN", {"symbola": ("fonts-symbola", tmp_path / "Symbola.ttf")})
    with pytest.raises(BadInput, match="apt-get install fonts-symbola"):
        glyphs.files("symbola", tmp_path)
    (tmp_path / "Symbola.ttf").touch()
    assert glyphs.files("symbola", tmp_path) == [tmp_path / "Symbola.ttf"]
    folder = tmp_path / "@fontsource/noto-emoji/files"
    folder.mkdir(parents=True)
    for name in ("b-400-normal.woff", "a-400-normal.woff", "a-700-normal.woff", "a-400-normal.woff2"):
        (folder / name).touch()
    assert [file.name for file in glyphs.files("noto-lines", tmp_path)] == ["a-400-normal.woff", "b-400-normal.woff"]


def test_lines_are_coloured_in_and_what_is_outside_stays_clear() -> None:
    ring = _ring()
    made = colouring.coloured_in(ring, (10, 200, 30))
    assert made.shape == ring.shape
    assert (made[0, 0, 3], tuple(made[36, 36])) == (0, (10, 200, 30, 255))
    assert tuple(made[36, 9]) == glyphs.INK  # the line itself


def test_lines_have_no_colour_and_paintings_their_average() -> None:
    ring = _ring()
    assert colouring.paint_of(ring) is None
    assert colouring.paint_of(np.zeros((72, 72, 4), np.uint8)) is None
    painted = np.zeros((4, 4, 4), np.uint8)
    painted[0, :3] = (100, 50, 0, 255)
    painted[1, 0] = (200, 50, 80, 255)
    painted[2, 0] = (0, 0, 0, 100)  # hardly there
    assert colouring.paint_of(painted) == (125, 50, 20)


def test_an_emoji_has_the_colour_of_the_first_style_that_has_one(material: Material) -> None:
    cat, ring = material.drawings[0][0], _ring()
    red, blue = (np.where(np.arange(72)[:, None, None] < 36, 0, paint) * np.ones((72, 72, 4)) for paint in PAINTS)
    for one in (red, blue):
        one[..., 3] = 255
    every = replace(material, drawings=[(cat, drawn.astype(np.uint8)) for drawn in (ring, red, blue)])
    assert every.paints == {cat.name: (100, 0, 0)}


def test_a_silhouette_keeps_its_outline_alone() -> None:
    drawn = np.random.default_rng(0).integers(0, 255, (72, 72, 4), dtype=np.uint8)
    dark = colouring.silhouette(drawn, 0)
    assert np.array_equal(dark[..., 3], drawn[..., 3])
    assert not dark[..., :3].any()
    assert (colouring.silhouette(drawn, 255)[..., :3] == 255).all()


def test_missing_artwork_is_named_before_anything_is_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frequencies = ModuleType("wordfreq")
    frequencies.zipf_frequency = lambda word, language: 1.0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wordfreq", frequencies)
    for style, package in emoji.SHEETS.items():
        (tmp_path / package / f"img/{style}/64").mkdir(parents=True)
    for package in {*emoji.DRAWINGS.values(), *emoji.OUTLINES.values()}:
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "icons.json").write_text('{"icons": {}}', encoding="utf-8")
    monkeypatch.setattr(sources, "sprites", lambda *given, **work: pytest.fail("rendered"))
    with pytest.raises(BadInput, match="npm install @fontsource/noto-emoji"):
        sources.material(SimpleNamespace(modules=tmp_path), None, tmp_path)  # type: ignore[arg-type]
    assert emoji.artwork(tmp_path, "google") == [tmp_path / "emoji-datasource-google/img/google/64"]
    assert emoji.artwork(tmp_path, "streamline") == [tmp_path / "@iconify-json/streamline-emojis/icons.json"]


def test_a_style_with_outlines_has_black_lines_round_the_areas_of_the_other(tmp_path: Path) -> None:
    package = tmp_path / emoji.OUTLINES["fxemoji-outlined"]
    package.mkdir(parents=True)
    body = '<rect x="10" y="10" width="80" height="80" fill="#ff0000"/>'
    icons = {"icons": {"box": {"body": body}, "hand-dark-skin-tone": {"body": body}}, "width": 100, "height": 100}
    (package / "icons.json").write_text(json.dumps(icons), encoding="utf-8")
    every = (
        emoji.Emoji("box", "1F4E6", "box", (), (), False),
        emoji.Emoji("hand with dark skin", "270B-1F3FF", "hand-dark-skin-tone", (), (), True),
    )
    plain, outlined = (list(emoji.sprites(tmp_path, style, every)) for style in ("fxemoji", "fxemoji-outlined"))
    assert [len(plain), len(outlined)] == [2, 1]  # skin tones are left to the other styles
    (_, before), (_, after) = plain[0], outlined[0]
    assert before.shape == after.shape == (72, 72, 4)
    for drawn in (before, after):
        assert tuple(drawn[36, 36]) == (255, 0, 0, 255)
        assert drawn[36, 2, 3] == drawn[70, 36, 3] == 0
    # by hand: 2.8 % of 100 is a margin of 2.8 on each side, so that 72 pixels show 105.6, and a line from 8.6 to 11.4
    first, last = 72 * (8.6 + 2.8) / 105.6, 72 * (11.4 + 2.8) / 105.6
    assert (round(first, 1), round(last, 1)) == (7.8, 9.7)
    assert tuple(after[36, 8]) == tuple(after[8, 36]) == (0, 0, 0, 255)
    assert after[36, 6, 3] == 0
    assert tuple(after[36, 10]) == tuple(before[36, 9]) == (255, 0, 0, 255)
    assert tuple(before[36, 8]) == (255, 0, 0, 255)
    (_, sharp), _ = emoji.sprites(tmp_path, "fxemoji", every, side=200)
    assert sharp.shape == (200, 200, 4)
    assert sharp[100, :, 3].tolist() == [255 if 20 <= at < 180 else 0 for at in range(200)]  # 10 to 90 of 100


def test_small_pictures_stay_small_and_fonts_are_drawn_sharp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "emoji-datasource-google/img/google/64"
    folder.mkdir(parents=True)
    Image.new("RGBA", (64, 64), "red").save(folder / "2602.png")
    every = (emoji.Emoji("umbrella", "2602", "umbrella", (), (), False),)
    ((_, picture),) = emoji.sprites(tmp_path, "google", every, side=emoji.SHARP)
    assert picture.shape == (emoji.SIDE, emoji.SIDE, 4)
    monkeypatch.setattr(glyphs, "files", lambda style, modules: [FONT])
    ((_, lines),) = emoji.sprites(tmp_path, "symbola", every, side=emoji.SHARP)
    assert lines.shape == (emoji.SHARP, emoji.SHARP, 4)
    assert [shown.shape for _, shown in sources.sprites(tmp_path, "symbola", every, work=tmp_path)] == [(72, 72, 4)]
    sharp = sources.sprites(tmp_path, "symbola", every, work=tmp_path, side=emoji.SHARP)
    assert np.array_equal(sharp[0][1], lines)  # each is kept in a file of its own


def test_an_outlined_drawing_has_few_colours_and_black_lines() -> None:
    drawn = np.zeros((72, 72, 4), np.uint8)
    drawn[:, :36] = (220, 30, 40, 255)
    drawn[:, 36:] = (30, 60, 210, 255)
    made = colouring.outlined(drawn, colours=4, width=3)
    assert made.shape == (144, 144, 4)
    assert made.dtype == np.uint8
    middle = made[72]
    left, right = middle[40], middle[104]
    assert np.abs(left.astype(int) - (220, 30, 40, 255)).max() < 8
    assert np.abs(right.astype(int) - (30, 60, 210, 255)).max() < 8
    solid = np.flatnonzero(middle[:, 3])
    assert solid[0] in range(2, 6)
    assert solid[-1] in range(138, 142)
    dark = np.flatnonzero((middle[:, :3].max(1) < 30) & (middle[:, 3] > 0))
    assert {int(solid[0]), 72, int(solid[-1])} <= set(dark.tolist())
    assert len(dark) < 20  # lines, and no areas
    assert (made[2, :, 3] == 0).all()


@pytest.mark.parametrize("width", [1, 3, 5])
def test_wider_lines_leave_less_of_the_colours(width: int) -> None:
    drawn = np.zeros((72, 72, 4), np.uint8)
    drawn[10:62, 10:62] = (200, 180, 40, 255)
    made = colouring.outlined(drawn, colours=3, width=width)
    dark = (made[72, :, :3].max(1) < 30) & (made[72, :, 3] > 0)
    assert dark.sum() == 2 * (width + 2)  # a line on each side


def test_a_quarter_of_the_coloured_drawings_are_outlined_and_none_of_the_lines() -> None:
    coloured = np.full((72, 72, 4), 255, np.uint8)
    coloured[:36, :, :3] = (220, 30, 40)
    lines = np.full((72, 72, 4), 255, np.uint8)
    on = Image.new("RGB", (96, 96), "white")
    for drawn, least, most in ((coloured, 75, 125), (lines, 0, 0)):
        made = [painting._restyled(drawn, on, random.Random(seed)) for seed in range(400)]
        assert least <= sum(len(one) == colouring.FINE for one in made) <= most


def test_sharp_drawings_are_now_and_then_as_soft_as_small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    def steepest(side: int, soft: float) -> list[int]:
        drawn = np.zeros((side, side, 4), np.uint8)
        drawn[side // 4 : -side // 4, side // 4 : -side // 4] = (0, 0, 0, 255)
        monkeypatch.setattr(painting, "SOFT", soft)
        ons = [(random.Random(seed), Image.new("RGB", (320, 320), "white")) for seed in range(20)]
        made = [np.asarray(painting._placed(drawn, on, rng).convert("L"), int) for rng, on in ons]
        return [int(np.abs(np.diff(one)).max()) for one in made]

    sharp, soft = steepest(emoji.SHARP, 0.0), steepest(emoji.SHARP, 1.0)
    assert all(one > other for one, other in zip(sharp, soft, strict=True))
    assert sum(sharp) > 1.5 * sum(soft)
    assert steepest(emoji.SIDE, 0.0) == steepest(emoji.SIDE, 1.0)
