"""Sentences of one and of two things, asked of planted models whose answers are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.training.pocket.material import Material
from workbench.training.pocket.quality.answers import HeldOut
from workbench.training.pocket.quality.colours import PAIRS, sentences

SHADES = 8  # things, each a photo of one shade of grey


class Planted:
    """Sees shades and reads things in sentences; is `fond` of long ones, or sees but `one` shade."""

    def __init__(self, *, fond: bool = False, one: bool = False) -> None:
        self.fond, self.one = fond, one

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        things = [[int(k) for k in re.findall(r"thing (\d+)", text)] for text in texts]
        assert all(len(set(named)) == len(named) for named in things)  # of two things, two
        return self._rows(things, message=True)

    def embed_images(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        seen = [sorted({int(shade) // 30 for shade in np.unique(np.asarray(picture))}) for picture in pictures]
        return self._rows([shades[:1] if self.one else shades for shades in seen], message=False)

    def _rows(self, every: Sequence[Sequence[int]], *, message: bool) -> torch.Tensor:
        rows = torch.zeros(len(every), SHADES + 1)
        for row, things in zip(rows, every, strict=True):
            row[list(things)] = 1
            row[SHADES] = 5 * self.fond * (len(things) > 1 or not message)
        return torch.nn.functional.normalize(rows, dim=-1)


@pytest.fixture
def held_out(material: Material) -> HeldOut:
    lexicon = material.lexicon
    concepts = [type(lexicon.concepts[0])((f"thing {k}",), "", frozenset({k})) for k in range(SHADES)]
    own = type(lexicon)(lexicon.wnids, (*concepts, *lexicon.concepts[SHADES:]), lexicon.nouns, lexicon.above)
    photos = [(Image.new("RGB", (240, 230), (30 * k + 5,) * 3), k) for k in range(SHADES)]
    return HeldOut(photos, [], [], (), own, material.bank)


@pytest.mark.parametrize(
    ("model", "pairs", "alone"), [(Planted(), 1, 1), (Planted(fond=True), 1, 0), (Planted(one=True), 0, 1)]
)
def test_two_things_and_one_are_told_apart_both_ways(held_out: HeldOut, model: Planted, pairs: int, alone: int) -> None:
    of_two, of_one = sentences(model, held_out)  # type: ignore[arg-type]
    assert (of_two.share.value, of_two.share.n) == (pairs, PAIRS)
    assert (of_one.share.value, of_one.share.n) == (alone, SHADES)
