"""What is asked besides: letters in their cells, words by letters, a concept by its one channel."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from workbench.training.pocket import lessons, spelling, towers
from workbench.training.pocket.painting import Material
from workbench.training.pocket.stream import Batch
from workbench.training.pocket.writing import Spot


def batch(words: list[str], shown: list[frozenset[str]], spots: list[tuple[Spot, ...]]) -> Batch:
    nothing, letters = torch.zeros(len(shown)), torch.stack([spelling.letters(word) for word in words])
    blank = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    return Batch(blank, blank, nothing[:, None], words, [], nothing, nothing.long() - 1, shown, letters, spots)


def test_each_concept_gets_the_channel_that_the_classifier_counts_for_it(material: Material) -> None:
    assert material.bank.alike == ("tabby",)  # the one name of the small world that is a class, a drawing and a word
    bank = replace(material.bank, alike=("bird", "crane", "motorcycle"))
    weights = torch.zeros(1000, 6)
    weights[[0, 1], 4] = 5.0  # both kinds of birds
    weights[1, 2], weights[2, 2] = 4.0, 4.0  # both cranes
    weights[5, 4], weights[5, 1] = 3.0, 2.0  # a motorcycle counts the birds' channel more, but that one is taken
    assert lessons.channels(weights, bank).tolist() == [4, 2, 1]


def test_closed_forms() -> None:
    asked = lessons.Lessons(torch.tensor([7, 3]), ("cat", "dog"), middle=4)
    for part in (asked.letter, asked.word):
        assert not part.weight.any()  # the tower is not pulled by what has not begun to learn
        torch.nn.init.zeros_(part.bias)
    rows = torch.zeros(3, towers.WIDTH)
    rows[0, 7], rows[1, 3] = 2.0, 1.0  # the last picture is the one with writing
    shown = [frozenset({"cat", "pet"}), frozenset({"cat", "dog"}), frozenset({"tree"})]
    given = batch(["ab"], shown, [(Spot("a", 0.1, 0.1), Spot("b", 0.9, 0.9))])
    parts = asked.asked(torch.zeros(1, 4, 2, 2), rows, given)
    half = math.log(2)  # what an answer of one half costs
    assert float(parts["lettered"].detach()) == pytest.approx(26 * 4 * half / 2, rel=1e-5)
    assert float(parts["spelt"].detach()) == pytest.approx(spelling.WIDTH * half, rel=1e-5)
    with torch.no_grad():
        asked.factor.zero_()
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]).log_softmax(-1)
    want = -(logits[0, 0] + (logits[1, 0] + logits[1, 1]) / 2 + logits[2, 2]) / 3
    got = asked.asked(torch.zeros(1, 4, 2, 2), rows, given)["alone"]
    assert float(got.detach()) == pytest.approx(float(want), rel=1e-5)
