"""Rendered scenes are what their captions say, counted by other means."""

from __future__ import annotations

import colorsys
import random
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from workbench.training.pocket import backgrounds, painting, scenes, shapes
from workbench.training.pocket.bank import COLOURS, COUNTS, SHAPES
from workbench.training.pocket.material import Material


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_one_piece_of_its_colour_around_the_middle(name: str) -> None:
    drawn = np.asarray(shapes.shape(name, (200, 30, 40), 96))
    assert drawn.shape == (96, 96, 4)
    seen = drawn[..., 3] > 128
    assert ndimage.label(seen, np.ones((3, 3)))[1] == 1
    assert 0.1 < seen.mean() < 0.8
    assert abs(np.array(ndimage.center_of_mass(seen)) - 48).max() < 14
    assert (drawn[drawn[..., 3] == 255][:, :3] == (200, 30, 40)).all()


def test_the_shapes_differ_and_areas_are_those_of_geometry() -> None:
    area = {name: (np.asarray(shapes.shape(name, (0, 0, 0), 200))[..., 3] > 128).mean() for name in SHAPES}
    assert area["circle"] == pytest.approx(np.pi / 4 * 0.88**2, abs=0.01)
    assert area["square"] == pytest.approx(0.88**2, abs=0.015)
    assert area["diamond"] == pytest.approx(2 * 0.47**2, abs=0.01)
    assert area["hexagon"] == pytest.approx(3 * np.sqrt(3) / 2 * 0.47**2, abs=0.01)
    assert area["ring"] < area["circle"] * 0.75


@pytest.mark.parametrize("name", COLOURS)
def test_a_painted_colour_lies_where_its_name_does(name: str) -> None:
    for seed in range(20):
        red, green, blue = (part / 255 for part in shapes.paint(name, random.Random(seed)))
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        if name in ("black", "white", "grey"):
            assert saturation < 0.4
            assert {"black": value < 0.12, "white": value > 0.94, "grey": 0.35 < value < 0.7}[name]
        else:
            turned = hue * 360 - 360 if name == "red" and hue > 0.5 else hue * 360
            low, high = shapes.HUES[name][0]
            assert low - 2 <= turned <= high + 2


def test_colours_do_not_overlap() -> None:
    rng = random.Random(0)
    points = {name: np.array([shapes.paint(name, rng) for _ in range(60)]) for name in COLOURS}
    for name, own in points.items():
        for other, theirs in points.items():
            if other != name:
                assert np.abs(own[:, None] - theirs[None]).max(-1).min() > 3, (name, other)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_as_many_things_are_drawn_as_the_caption_says(number: int) -> None:
    for seed in range(8):
        rng = random.Random(seed)
        white = Image.new("RGB", (160, 160), (255, 255, 255))
        draw = lambda side: shapes.shape("circle", (0, 0, 0), side)  # noqa: E731
        scene = scenes.counted(("circle", draw), number, on=white, rng=rng)
        dark = np.asarray(scene.picture.convert("L")) < 128
        assert ndimage.label(dark)[1] == number
        assert COUNTS[number - 1] in scene.caption.split() or COUNTS[number - 1] in scene.caption
        assert len(scene.false) == 4
        assert scene.caption not in scene.false
        assert scene.weights[COUNTS[number - 1]] == 1


def test_a_pair_shows_both_and_its_false_captions_name_one_or_a_stranger() -> None:
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ((255, 0, 0), (0, 0, 255)))
    scene = scenes.together(("dog", "cat"), (red, blue), other="lamp", rng=random.Random(3))
    colours, counts = np.unique(np.asarray(scene.picture).reshape(-1, 3), axis=0, return_counts=True)
    assert {tuple(colour) for colour in colours} == {(255, 0, 0), (0, 0, 255)}
    assert list(counts) == [2048, 2048]
    assert "dog" in scene.caption
    assert "cat" in scene.caption
    assert all(("dog" in text) + ("cat" in text) == 1 for text in scene.false)
    assert sum("lamp" in text for text in scene.false) == 2


def test_of_a_pair_one_may_take_more_and_each_keeps_its_middle() -> None:
    parts = [Image.new("RGB", (64, 64), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    for part, middle in zip(parts, ((255, 255, 0), (0, 255, 255)), strict=True):
        part.paste(middle, (28, 28, 36, 36))
    seen = set()
    for seed in range(40):
        scene = scenes.together(("a", "b"), (parts[0], parts[1]), other="c", rng=random.Random(seed), first=0.25)
        levels = np.asarray(scene.picture).astype(int)
        red, blue = (levels[..., 0] > levels[..., 2]).sum(), (levels[..., 2] > levels[..., 0]).sum()
        assert red + blue == 64 * 64
        seen.add(int(red))
        assert ((levels[..., 1] > 200) & (levels[..., 0] > 200)).any()
        assert ((levels[..., 1] > 200) & (levels[..., 2] > 200)).any()
    assert seen == {1024, 3072}  # either may be the smaller


def test_of_half_the_pairs_one_is_smaller_but_never_hidden(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[float] = []
    whole = scenes.together

    def together(*given: Any, first: float, **more: Any) -> scenes.Scene:
        parts.append(first)
        return whole(*given, first=first, **more)

    monkeypatch.setattr(painting.scenes, "together", together)
    for seed in range(120):
        painting.example(material, "pair", size=48, done=0.5, rng=random.Random(seed))
    assert 40 < parts.count(0.5) < 80
    assert 0.3 <= min(parts) < 0.35
    assert 0.65 < max(parts) <= 0.7


def test_plurals_follow_the_rules() -> None:
    given = ("dog", "bus", "cherry", "boy", "box", "woman", "fish", "school bus")
    assert [scenes.many(name) for name in given] == [
        *("dogs", "buses", "cherries", "boys", "boxes", "women", "fish", "school buses")
    ]


def test_ink_can_be_read_on_its_ground() -> None:
    for seed in range(300):
        rng = random.Random(seed)
        ink = backgrounds.colour(rng)
        ground = backgrounds.contrast(ink, rng)
        light = [0.3 * part[0] + 0.59 * part[1] + 0.11 * part[2] for part in (ink, ground)]
        assert abs(light[0] - light[1]) > 40
