"""Two photos in one picture: most of it is of the first, and it shows what both show."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workbench.training.pocket import painting, views
from workbench.training.pocket.material import Material

RED, BLUE = ((200, 0, 0), (0, 0, 200))


def test_most_of_a_mixture_is_of_the_first_on_any_side_or_all_over() -> None:
    first, second = (Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE))
    places = set()
    for seed in range(80):
        levels = np.asarray(views.mixed(first, second, random.Random(seed))).astype(int)
        assert levels.shape == (40, 40, 3)
        assert 0.5 <= levels[..., 0].mean() / 200 <= 0.725  # of a part no more is lost than a row of 40
        np.testing.assert_allclose(levels.sum(-1), 200, atol=1)  # nothing but these two
        red = levels[..., 0] == 200
        corners = tuple(bool(red[y, x]) for y in (0, -1) for x in (0, -1))
        places.add(corners if red.any() else "all over")
    assert places == {
        "all over",
        (True, False, True, False),
        (False, True, False, True),
        (True, True, False, False),
        (False, False, True, True),
    }
    assert (np.asarray(first) == RED).all()
    assert (np.asarray(second) == BLUE).all()


def test_a_mixture_shows_what_both_show_and_is_the_classifiers_to_judge(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixtures: list[Image.Image] = []

    def mixed(*given: Any) -> Image.Image:
        mixtures.append(Image.blend(given[0], given[1], 0.5))
        return mixtures[-1]

    monkeypatch.setattr(painting.views, "mixed", mixed)
    both = 0
    for seed in range(200):
        before = len(mixtures)
        made = painting.example(material, "photo", size=48, done=0.5, rng=random.Random(seed))
        own = set(material.bank.of_class[made.label])
        assert own <= set(made.weights)
        assert made.claims <= own  # the caption is about the first
        if len(mixtures) > before:
            assert made.soft == 1.0
            assert any(set(made.weights) == own | set(names) for names in material.bank.of_class)
            both += set(made.weights) != own
        else:
            assert set(made.weights) == own
    assert 20 < len(mixtures) < 90
    assert both > 10
