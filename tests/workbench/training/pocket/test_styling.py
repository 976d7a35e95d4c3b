"""How a picture looks may change, its size and what a skin tone is told by may not."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image

from workbench.training.pocket import styling


def test_a_skin_tone_stays_as_it_is_painted_and_every_picture_keeps_its_size() -> None:
    skin = Image.new("RGB", (64, 64), (200, 140, 100))
    changed = 0
    for seed in range(60):
        kept = styling.other_hand(skin, random.Random(seed), paint=False)
        assert kept.size == skin.size
        assert kept.mode == "RGB"
        assert np.abs(np.asarray(kept).astype(int) - np.asarray(skin)).max() <= 1
        other = np.asarray(styling.other_hand(skin, random.Random(seed), paint=True)).astype(int)
        changed += bool(np.abs(other - np.asarray(skin)).max() > 20)
    assert changed > 20


def test_light_falls_over_the_whole_picture_without_edges() -> None:
    white = Image.new("RGB", (80, 80), (255, 255, 255))
    for seed in range(20):
        made = np.asarray(styling.lit(white, random.Random(seed))).astype(int)
        assert made.max() - made.min() > 20
        assert np.abs(np.diff(made, axis=0)).max() < 12
        assert np.abs(np.diff(made, axis=1)).max() < 12


def test_coarse_photos_keep_no_detail_and_their_mean() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    made = np.asarray(styling.coarse(Image.fromarray(noise), 12)).astype(float)
    assert abs(made.mean() - noise.mean()) < 3
    assert np.abs(np.diff(made, axis=0)).mean() < np.abs(np.diff(noise.astype(float), axis=0)).mean() / 5
