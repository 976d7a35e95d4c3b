"""A printed label: what beats the object of two names, and what of a thousand is kept, are counted separately."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from PIL import Image

from tests.workbench.training.pocket.conftest import FONT
from workbench.training.pocket.fonts import Font
from workbench.training.pocket.material import Material
from workbench.training.pocket.quality.answers import HeldOut
from workbench.training.pocket.quality.attack import _pasted, attack

RED, BLUE = (200, 0, 0), (0, 0, 200)  # photos of a tabby and of a crane


class Planted:
    """Names bare photos rightly; with a small label a red one is its word, with a large one all are a third thing.

    That lies nearer to the object than to the word in the blue ones alone.
    """

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        names = [text.removeprefix("a photo of a ").removesuffix(".") for text in texts]
        place = {"tabby": 0, "crane": 1}
        return torch.eye(3)[[place.get(name, 2) for name in names]]

    def embed_images(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        rows = []
        for picture in pictures:
            levels = np.asarray(picture).astype(int)
            red, white = levels[0, 0, 0] > 100, (levels.sum(-1) > 700).sum(0).max()  # pixels of the label's height
            own = torch.tensor([1.0, 0, 0] if red else [0, 1.0, 0])
            if 0 < white < 45 and red:
                own = torch.tensor([0, 1.0, 0])
            elif white >= 45:
                own = torch.tensor([0.1, 0.2, 1])
            rows.append(own)
        return torch.stack(rows)


@pytest.fixture
def held_out(material: Material) -> HeldOut:
    photos = [(Image.new("RGB", (230, 240), colour), label) for colour, label in ((RED, 0), (BLUE, 1), (RED, 0))]
    return HeldOut(photos, [], [], (Font(str(FONT), "DejaVu Sans", "free", True),), material.lexicon, material.bank)


def test_two_names_and_a_thousand_are_counted_apart(held_out: HeldOut) -> None:
    errors, small, kept, large, lost = attack(Planted(), held_out)  # type: ignore[arg-type]
    assert (errors.share.value, errors.share.n) == (0, 3)
    assert small.share.value == pytest.approx(2 / 3)  # both red ones
    assert kept.share.value == pytest.approx(1 / 3)  # the blue one
    assert large.share.value == pytest.approx(2 / 3)
    assert lost.share.value == 0  # though the blue one is no word, it is no crane either
    assert "3 right without it" in kept.how


def test_a_large_label_is_larger_and_a_long_word_still_fits() -> None:
    photo = Image.new("RGB", (224, 224), BLUE)
    small, large, long = (
        np.asarray(_pasted(photo, word, str(FONT), size=size)).sum(-1) > 700
        for word, size in (("cat", 30), ("cat", 48), ("caterpillar", 48))
    )
    assert 1.8 < large.sum() / small.sum() < 2.8
    assert long[:, 3:-3].any()
    assert not long[:, 0].any()
    assert not long[:, -1].any()
    assert (np.asarray(photo) == BLUE).all()
