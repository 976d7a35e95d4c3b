"""A drawing or a vessel with a handwritten label is mostly what the label says."""

from __future__ import annotations

import random

import numpy as np
import pytest

from workbench.training.pocket import painting, writing
from workbench.training.pocket.example import TrainingExample
from workbench.training.pocket.material import Material

KINDS = ("drawing", "vessel")
SIDE = 96


def _both(
    material: Material, kind: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[TrainingExample, TrainingExample]:
    """The same picture without a label and with one; a vessel without one may be taken again, noise and all."""
    monkeypatch.setattr(painting, "TAKEN", 0.0)
    made = []
    for often in (0.0, 1.0):
        monkeypatch.setattr(painting, "NOTED", dict.fromkeys(KINDS, often))
        made.append(painting.example(material, kind, size=SIDE, done=1.0, rng=random.Random(seed)))
    return made[0], made[1]


@pytest.mark.parametrize("kind", KINDS)
def test_most_of_the_target_is_the_words_and_the_thing_keeps_the_rest(
    kind: str, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(20):
        bare, noted = _both(material, kind, seed, monkeypatch)
        assert not bare.written
        assert noted.written in set(material.common) - set(bare.weights)
        assert sum(noted.weights.values()) == pytest.approx(1)
        assert noted.weights[noted.written] == pytest.approx(0.6)
        whole = sum(bare.weights.values())
        for name, weight in bare.weights.items():
            assert noted.weights[name] == pytest.approx(0.4 * weight / whole)


@pytest.mark.parametrize("kind", KINDS)
def test_the_caption_says_the_word_and_that_of_the_thing_is_false(
    kind: str, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(20):
        bare, noted = _both(material, kind, seed, monkeypatch)
        assert noted.claims == {noted.written}
        assert noted.written in noted.caption
        assert noted.false[0] == bare.caption
        assert set(noted.false[1:]) == {one for one in bare.false if one.lower() != noted.caption.lower()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_letter_of_the_word_lies_somewhere_on_the_picture(
    kind: str, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(20):
        _, noted = _both(material, kind, seed, monkeypatch)
        assert "".join(spot.letter for spot in noted.spots) == noted.written
        assert all(-0.5 < place < 1.5 for spot in noted.spots for place in (spot.x, spot.y))


def test_drawings_too_small_to_be_read_have_none(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painting, "NOTED", {"drawing": 1.0})
    made = [painting.example(material, "drawing", size=SIDE - 1, done=1.0, rng=random.Random(k)) for k in range(5)]
    assert not any(one.written or one.spots for one in made)


@pytest.mark.parametrize("kind", KINDS)
def test_the_label_covers_a_part_and_the_thing_stays_where_it_was(
    kind: str, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = []
    for seed in range(20):
        bare, noted = (np.asarray(one.picture, float) for one in _both(material, kind, seed, monkeypatch))
        shares.append((np.abs(bare - noted).max(2) > 60).mean())
    assert 0.02 < np.median(shares) < 0.4  # labels take 0.04 to 0.3; a white one on white does not show


@pytest.mark.parametrize(("kind", "often"), [("drawing", 0.6), ("vessel", 0.0)])
def test_six_of_ten_labels_on_drawings_are_drawn_as_well_and_none_on_vessels(
    kind: str, often: float, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote, sprite = list[str](), writing.sprite
    monkeypatch.setattr(writing, "sprite", lambda word, *font, **how: wrote.append(word) or sprite(word, *font, **how))
    monkeypatch.setattr(painting, "NOTED", dict.fromkeys(KINDS, 1.0))
    every = [painting.example(material, kind, size=SIDE, done=1.0, rng=random.Random(seed)) for seed in range(200)]
    assert len(wrote) / len(every) == pytest.approx(often, abs=0.1)
    assert set(wrote) <= {one.written for one in every}


def test_four_drawings_of_ten_have_one(material: Material) -> None:
    every = [painting.example(material, "drawing", size=SIDE, done=1.0, rng=random.Random(seed)) for seed in range(300)]
    assert sum(bool(one.written) for one in every) / len(every) == pytest.approx(0.4, abs=0.08)
