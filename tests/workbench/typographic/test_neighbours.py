"""Words near a target are those that the text tower puts there, and none speaks for another answer."""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.typographic.neighbours import neighbours, shortened

NEAR = {"cheese": 0.9, "tomato": 0.8, "bread": 0.7, "burger": 0.95, "$$$": 0.6, "pz": 0.5}


class Tower:
    """The first axis is "pizza"; every other text has a place of its own beside how near it is."""

    def embed_texts(self, texts: list[str]) -> Tensor:
        rows = torch.zeros(len(texts), 3)
        for at, text in enumerate(texts):
            word = text.removeprefix("a photo of a ").removesuffix(".")
            near = 1.0 if word == "pizza" else NEAR.get(word, 0.0)
            rows[at] = torch.tensor([near, (1 - near**2) ** 0.5, 0.3])
        return torch.nn.functional.normalize(rows, dim=1)


def test_the_nearest_words_come_first_and_names_are_left_out() -> None:
    result = neighbours(Tower(), "pizza", ("dog", "bread"))  # type: ignore[arg-type]
    assert result[:2] == ("cheese", "tomato")
    assert result[4:] == ("$$$", "pz")
    assert len(result) == 6
    assert "bread" not in result
    assert "pizza" not in result
    assert neighbours(Tower(), "pizza", ("cheese",))[0] == "tomato"  # type: ignore[arg-type]


def test_short_strings_come_from_the_target() -> None:
    assert shortened("hot dog") == ["ho", "hot", "ht", "do", "dog", "dg"]
