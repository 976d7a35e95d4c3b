"""Where a word's letters are said to lie, there is ink."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

from tests.workbench.training.pocket.conftest import FONT
from workbench.training.pocket import writing

SIZE = 240


@pytest.mark.parametrize("seed", range(12))
def test_each_letter_has_its_ink_between_its_neighbours_middles(seed: int) -> None:
    """Columns of ink that are cut half-way between two middles hold one letter each: o, l and o have gaps between."""
    rng = random.Random(seed)
    word = writing.plain("olo", str(FONT), size=SIZE, rng=rng)
    assert [spot.letter for spot in word.spots] == ["o", "l", "o"]
    assert word.picture.size == (SIZE, SIZE)
    grey = np.asarray(word.picture.convert("L")).astype(float)
    ink = np.abs(grey - grey[0, 0]) > 40
    points = np.array([(spot.x * SIZE, spot.y * SIZE) for spot in word.spots])
    rows, columns = ink.nonzero()
    where = np.stack([columns, rows], 1) + 0.5
    nearest = np.linalg.norm(where[:, None] - points[None], axis=-1).argmin(1)
    for letter in range(3):  # the ink nearest to a spot lies around it
        middle = where[nearest == letter].mean(0)
        assert np.abs(middle - points[letter]).max() < 0.04 * SIZE, (letter, middle, points[letter])


def test_writing_pasted_on_a_picture_moves_and_turns_with_its_letters() -> None:
    dot = Image.new("RGBA", (60, 20), (0, 0, 0, 0))
    dot.paste((255, 0, 0, 255), (48, 2, 52, 6))  # a red dot, near the upper right
    for seed in range(10):
        ground = Image.new("RGB", (200, 100), (255, 255, 255))
        written = writing.Written(dot, (writing.Spot("x", 50, 4),))
        made = writing.labelled(ground, written, random.Random(seed), tilt=40)
        rows, columns = (np.asarray(made.picture)[..., 1] < 128).nonzero()
        assert made.spots[0].x * 200 == pytest.approx(columns.mean() + 0.5, abs=1.5)
        assert made.spots[0].y * 100 == pytest.approx(rows.mean() + 0.5, abs=1.5)
