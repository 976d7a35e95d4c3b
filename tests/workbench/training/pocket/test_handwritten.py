"""A note hides the same part of a photo with and without its word, and what a planted model answers is counted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.workbench.training.pocket.conftest import FONT
from workbench.errors import BadInput
from workbench.training.pocket.fonts import Font
from workbench.training.pocket.material import Material
from workbench.training.pocket.quality import handwritten
from workbench.training.pocket.quality.answers import SIDE, Apart


class Planted:
    """Answers with the object, with the written word in every `fooled`-th picture, or with another when it is blind."""

    def __init__(self, *, fooled: int, blind: bool = False) -> None:
        self.fooled, self.blind, self.calls = fooled, blind, 0
        self.seen: list[Sequence[Image.Image]] = []

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        self.known = sorted(set(texts))
        self.texts = list(texts)
        return torch.eye(len(self.known))[[self.known.index(text) for text in texts]]

    def embed_images(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        self.calls += 1
        self.seen.append(pictures)
        rows = []
        for number in range(len(pictures)):
            place = 2 if self.blind else 1 if self.calls == 2 and number % self.fooled == 0 else 0
            rows.append(self.known.index(self.texts[number * handwritten.CHOICES + place]))
        return torch.eye(len(self.known))[rows]


@pytest.fixture
def apart(material: Material) -> Apart:
    lexicon = material.lexicon
    names = [(f"thing{chr(97 + k)}{chr(97 + k)}",) for k in range(12)]
    concepts = [type(lexicon.concepts[0])(name, "", frozenset({k})) for k, name in enumerate(names)]
    own = type(lexicon)(lexicon.wnids, (*concepts, *lexicon.concepts[12:]), lexicon.nouns, lexicon.above)
    photos = [(Image.new("RGB", (240, 230), (20 * k, 90, 40)), k) for k in range(8)]
    return Apart(photos, [], [], (Font(str(FONT), "Breip", "free", True),), own, material.bank)


@pytest.mark.parametrize(("fooled", "beaten"), [(2, 4), (8, 1)])
def test_what_is_named_blank_and_what_a_word_beats(apart: Apart, fooled: int, beaten: int) -> None:
    named, word = handwritten.handwritten(Planted(fooled=fooled), apart)  # type: ignore[arg-type]
    assert (named.share.value, named.share.n) == (1, 8)
    assert (word.share.value, word.share.n) == (beaten / 8, 8)


def test_without_a_font_like_handwriting_it_is_refused_with_the_way_to_get_one(apart: Apart) -> None:
    with pytest.raises(BadInput, match=r"Breip, .*none is here.*apt-get install"):
        list(handwritten.handwritten(Planted(fooled=2), replace(apart, fonts=())))  # type: ignore[arg-type]


def test_a_model_that_sees_another_thing_names_none(apart: Apart) -> None:
    named, _ = handwritten.handwritten(Planted(fooled=8, blind=True), apart)  # type: ignore[arg-type]
    assert named.share.value == 0


def test_the_first_notes_are_blank_and_the_second_bear_the_word_that_is_asked_for(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noted(photo: Image.Image, word: str, hand: str, *, rng: random.Random) -> Image.Image:
        made = photo.copy()
        made.info["word"] = word
        return made

    monkeypatch.setattr(handwritten, "noted", noted)
    model = Planted(fooled=2)
    list(handwritten.handwritten(model, apart))  # type: ignore[arg-type]
    blank, written = ([picture.info["word"] for picture in pictures] for pictures in model.seen)
    assert blank == [""] * 8
    asked = [text.removeprefix("a photo of a ").removesuffix(".") for text in model.texts]
    assert written == asked[1 :: handwritten.CHOICES]


def test_the_word_changes_nothing_but_the_paper_and_the_photo_stays() -> None:
    photo = Image.new("RGB", (SIDE, SIDE), (0, 128, 0))
    blank, written, again = (
        np.asarray(handwritten.noted(photo, word, str(FONT), rng=random.Random(4)))
        for word in ("", "toaster", "toaster")
    )
    ground = np.asarray(photo)
    assert blank.shape == written.shape == (SIDE, SIDE, 3)
    assert (ground == (0, 128, 0)).all()
    assert (written == again).all()
    paper = (blank != ground).any(-1)
    assert 0.9 < paper.sum() / (handwritten.WIDE * handwritten.HIGH) < 1.15
    assert not paper[: SIDE // 2].any()  # the lower half
    inked = (written != blank).any(-1)
    assert 0.03 < inked[paper].mean() < 0.5
    assert not inked[~paper].any()
