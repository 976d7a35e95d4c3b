"""A label hides the same part of a photo with and without its word, and what a planted model answers is counted."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import torch
from PIL import Image

from tests.workbench.training.pocket.conftest import FONT
from workbench.training.pocket.fonts import Font
from workbench.training.pocket.material import Material
from workbench.training.pocket.quality import handwritten
from workbench.training.pocket.quality.answers import HeldOut
from workbench.training.pocket.writing import Written


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
def held_out(material: Material, monkeypatch: pytest.MonkeyPatch) -> HeldOut:
    monkeypatch.setattr(handwritten, "reading", lambda backend, held_out: iter(()))
    lexicon = material.lexicon
    names = [(f"thing{chr(97 + k)}{chr(97 + k)}",) for k in range(12)]
    concepts = [type(lexicon.concepts[0])(name, "", frozenset({k})) for k, name in enumerate(names)]
    own = type(lexicon)(lexicon.wnids, (*concepts, *lexicon.concepts[12:]), lexicon.nouns, lexicon.above)
    photos = [(Image.new("RGB", (240, 230), (20 * k, 90, 40)), k) for k in range(8)]
    hand = Font(str(FONT), "A hand", "free", True, hand=True)
    return HeldOut(photos, [], [], (), own, material.bank, (hand,))


@pytest.mark.parametrize(("fooled", "beaten"), [(2, 4), (8, 1)])
def test_what_is_named_blank_and_what_a_word_beats(held_out: HeldOut, fooled: int, beaten: int) -> None:
    named, word = handwritten.handwritten(Planted(fooled=fooled), held_out)  # type: ignore[arg-type]
    assert (named.share.value, named.share.n) == (1, 8)
    assert (word.share.value, word.share.n) == (beaten / 8, 8)


def test_a_model_that_sees_another_thing_names_none(held_out: HeldOut) -> None:
    named, _ = handwritten.handwritten(Planted(fooled=8, blind=True), held_out)  # type: ignore[arg-type]
    assert named.share.value == 0


def test_the_first_labels_are_blank_and_the_second_bear_the_word_that_is_asked_for(
    held_out: HeldOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    def labelled(photo: Image.Image, text: str | None, rng: random.Random) -> tuple[Written, float]:
        made = photo.copy()
        made.info |= {"word": text, "chance": rng.random()}
        return Written(made, ()), 0.1

    monkeypatch.setattr(handwritten.labels, "labelled", labelled)
    monkeypatch.setattr(handwritten.handwriting, "penned", lambda word, font, rng: word)
    model = Planted(fooled=2)
    list(handwritten.handwritten(model, held_out))  # type: ignore[arg-type]
    blank, written = ([picture.info["word"] for picture in pictures] for pictures in model.seen)
    assert blank == [None] * 8
    request = [text.removeprefix("a photo of a ").removesuffix(".") for text in model.texts]
    assert written == request[1 :: handwritten.CHOICES]
    chances = [[picture.info["chance"] for picture in pictures] for pictures in model.seen]
    assert chances[0] == chances[1]  # the same photo has both labels alike
    assert len(set(chances[0])) == 8


def test_of_written_words_those_that_are_named_count(held_out: HeldOut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(handwritten, "sample", lambda held_out: (["crane", "tabby", "tree"], []))

    class Reads:
        """Takes every word for the first."""

        def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
            return torch.eye(3)[: len(texts)]

        def embed_images(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
            return torch.eye(3)[[0] * len(pictures)]

    (read,) = handwritten.reading(Reads(), held_out)  # type: ignore[arg-type]
    assert (read.share.value, read.share.n) == (pytest.approx(1 / 3), 3)
