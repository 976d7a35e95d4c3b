"""Vessels look as their classes say: by their outlines, which need no knowledge of how they are drawn."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from PIL import Image
from timm.data import ImageNetInfo

from workbench.training.pocket import painting, vessels
from workbench.training.pocket.material import Material
from workbench.training.pocket.vessels import VESSELS, Vessel

NAMES = ("ashcan", "coffee mug", "bucket", "pot", "vase", "mixing bowl", "lampshade")
SIDE, SEEDS = 96, range(12)
BY_NAME = dict(zip(NAMES, VESSELS, strict=True))


def _outline(vessel: Vessel, seed: int) -> np.ndarray:
    """(SIDE, SIDE) bool: where it is."""
    return np.asarray(vessels.drawn(vessel, SIDE, random.Random(seed)))[..., 3] > 128


def _widths(outline: np.ndarray) -> tuple[int, int]:
    """How wide it is, near its mouth and near its foot."""
    rows = np.flatnonzero(outline.any(1))
    low, high = rows[0], rows[-1]
    return tuple(int(outline[round(low + part * (high - low))].sum()) for part in (0.3, 0.85))  # type: ignore[return-value]


def _gaps(outline: np.ndarray) -> int:
    """Rows in which at least three pixels between two parts of it show something else."""
    inside = np.maximum.accumulate(outline, axis=1) & np.maximum.accumulate(outline[:, ::-1], axis=1)[:, ::-1]
    return int(((inside & ~outline).sum(1) >= 3).sum())


class _Unturned(random.Random):
    """Sees things from their front."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


def test_each_label_is_the_class_that_it_is_meant_to_be() -> None:
    info = ImageNetInfo()
    for name, vessel in BY_NAME.items():
        assert name in info.index_to_description(vessel.label).split(", ")


@pytest.mark.parametrize("name", NAMES)
def test_a_vessel_fills_its_picture_and_is_the_same_for_the_same_seed(name: str) -> None:
    for seed in SEEDS:
        picture = vessels.drawn(BY_NAME[name], SIDE, random.Random(seed))
        assert (picture.mode, picture.size) == ("RGBA", (SIDE, SIDE))
        assert picture.tobytes() == vessels.drawn(BY_NAME[name], SIDE, random.Random(seed)).tobytes()
        left, top, right, bottom = picture.getchannel("A").point(lambda one: 255 * (one > 128)).getbbox() or (0,) * 4
        assert max(right - left, bottom - top) >= 0.9 * SIDE
        assert min(left, top, SIDE - right, SIDE - bottom) >= 1


def test_a_mug_has_an_ear_and_a_bucket_a_bail() -> None:
    def often(name: str) -> int:
        return sum(_gaps(_outline(BY_NAME[name], seed)) > 3 for seed in SEEDS)

    assert often("coffee mug") >= 8  # the others turn it towards us, or away
    assert often("bucket") >= 4  # the others lie at its side
    assert often("mixing bowl") == often("lampshade") == often("vase") == 0


def test_a_trash_can_is_wider_above_and_a_lampshade_below() -> None:
    for seed in SEEDS:
        above, below = _widths(_outline(BY_NAME["ashcan"], seed))
        assert above > below
        above, below = _widths(_outline(BY_NAME["lampshade"], seed))
        assert above < below


def test_the_nearer_hides_the_farther() -> None:
    """A small red wall before a large green one is seen, and of the green one what the red does not hide."""
    wall = np.array([[-1.0, 0, 0], [1, 0, 0], [1, 0, 2], [-1, 0, 2]])
    near, far = wall - (0, 1, 0), 2 * wall + (0, 1, -1)
    for seed in SEEDS:
        for order in (1, -1):
            walls = np.stack([near, far])[::order]
            colours = np.array([[250.0, 0, 0], [0, 250, 0]])[::order]
            pixels = np.asarray(vessels._seen(walls, colours, SIDE, _Unturned(seed))).astype(int)
            red, green = (pixels[..., one] - pixels[..., 1 - one] > 50 for one in (0, 1))
            assert red.sum() >= 200
            assert green.sum() >= 200


def test_a_vessel_stands_on_a_floor_before_a_wall() -> None:
    behind = [Image.new("RGB", (SIDE, SIDE), colour) for colour in ((0, 0, 255), (0, 255, 0))]
    for seed in SEEDS:
        vessel = Image.new("RGBA", (SIDE, SIDE), (255, 0, 0, 255))
        pixels = np.asarray(vessels.placed(vessel, behind, random.Random(seed)))
        assert pixels.shape == (SIDE, SIDE, 3)
        red = pixels[..., 0] > 200
        assert red.sum() >= 0.2 * SIDE**2  # half of a side, at least
        first_row = pixels[0][~red[0]]
        assert not (first_row[:, 1] > first_row[:, 2]).any()  # no floor above


def test_some_are_drawn_more_often_than_others() -> None:
    rng = random.Random(0)
    drawn = [vessels.chosen(rng).label for _ in range(3000)]
    whole = sum(vessel.times for vessel in VESSELS)
    for vessel in VESSELS:
        assert drawn.count(vessel.label) / len(drawn) == pytest.approx(vessel.times / whole, abs=0.03)


def test_a_vessel_is_none_of_the_others_and_with_a_label_it_is_what_the_label_says(material: Material) -> None:
    every = [painting.example(material, "vessel", size=48, done=1.0, rng=random.Random(seed)) for seed in range(80)]
    labelled = [one for one in every if one.written]
    assert 3 <= len(labelled) <= 20  # an eighth of them
    for one in every:
        assert one.picture.size == (48, 48)
        assert one.caption not in one.false
        assert len(one.false) == len(VESSELS) - 1 + bool(one.written)
        assert one.written in one.caption
