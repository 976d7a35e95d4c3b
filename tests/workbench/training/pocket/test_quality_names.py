"""Photos are asked by another name of their class, which stands in the place of its first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch

from workbench.training.pocket.bank import bank
from workbench.training.pocket.names import Lexicon
from workbench.training.pocket.quality.answers import TEMPLATE, HeldOut
from workbench.training.pocket.quality.photos import photos


def _backend(names: dict[str, list[float]], pictures: dict[Any, list[float]]) -> Any:
    def rows(table: dict[Any, list[float]], asked: Sequence[Any]) -> torch.Tensor:
        return torch.tensor([table.get(one, [0.0, 0.0, -1.0]) for one in asked])

    written = {TEMPLATE.format(name): vector for name, vector in names.items()}
    return SimpleNamespace(
        embed_texts=lambda texts: rows(written, texts), embed_images=lambda some: rows(pictures, some)
    )


def test_another_name_takes_the_place_of_the_first(lexicon: Lexicon) -> None:
    post = replace(lexicon.concepts[4], names=("post", "crane"))  # its other name means two classes more
    lexicon = replace(lexicon, concepts=(*lexicon.concepts[:4], post, *lexicon.concepts[5:]))
    names = {"tabby": [1.0, 0, 0], "tabby cat": [0.6, 0.8, 0], "crane": [0, 1.0, 0], "lift": [0, 0, 1.0]}
    shown: Any = [("near", 0), ("far", 0), ("lifted", 2), ("away", 0), ("thing", 7), ("post", 4)]
    pictures = {"near": [1.0, 0, 0], "far": [0.5, 0.55, 0], "lifted": [0.2, 0.1, 1.0], "away": [1.0, -0.8, 0]}
    held_out = HeldOut(shown, [], [], (), lexicon, bank(lexicon, (), Counter()))
    rows = {row.question: row for row in photos(_backend(names, pictures), held_out)}
    another = rows["names photos by another name, 1000-way, top 1"]
    assert another.hits == (True, True, True, False)
    assert rows["the same photos by the first, top 1"].hits == (True, False, False, True)
    assert another.share.n == 4
