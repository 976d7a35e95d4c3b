"""A drawn person is told from the same one with another skin tone, and a man from a woman."""

from __future__ import annotations

import random

from workbench.training.pocket import emoji, painting
from workbench.training.pocket.material import Material


def test_what_a_drawn_person_is_not() -> None:
    assert emoji.others("cook with dark skin") == tuple(
        f"cook with {tone} skin" for tone in ("light", "medium-light", "medium", "medium-dark")
    )
    assert emoji.others("woman firefighter") == ("man firefighter",)
    assert emoji.others("old man with light skin")[-1] == "old woman with light skin"
    assert len(emoji.others("old man with light skin")) == 5
    assert emoji.others("boy") == ("girl",)
    for name in ("tree", "human skin", "family with man, woman, boy"):
        assert emoji.others(name) == ()
    assert emoji.others("couple with heart with woman, man") == ()


def test_its_caption_goes_with_those_that_are_false_of_it_in_the_same_words(material: Material) -> None:
    seen = 0
    for seed in range(150):
        made = painting.example(material, "drawing", size=48, done=0.5, rng=random.Random(seed))
        if "dark skin" in made.caption:
            seen += 1
            swapped = {made.caption.replace("dark", tone) for tone in emoji.TONES if tone != "dark"}
            assert swapped <= set(made.false)
            assert made.caption.replace("woman", "man") in made.false
            assert made.caption not in made.false
    assert seen > 3
