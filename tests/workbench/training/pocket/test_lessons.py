"""What is asked besides: letters in their cells, words by letters, a concept by its one channel."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest
import torch

from workbench.training.pocket import bank as banks
from workbench.training.pocket import lessons, spelling, towers
from workbench.training.pocket.material import Material
from workbench.training.pocket.stream import Batch
from workbench.training.pocket.writing import Spot

NOWHERE = torch.zeros(1, 26, 2, 2)  # logits of letters


def held(taught: lessons.Lessons, last: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return torch.cat([taught.alive(part) for part in last])


def batch(words: list[str], shown: list[frozenset[str]], spots: list[tuple[Spot, ...]]) -> Batch:
    nothing, letters = torch.zeros(len(shown)), torch.stack([spelling.letters(word) for word in words])
    blank = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    none = nothing[:0].long()
    labels = nothing.long() - 1
    return Batch(
        blank, blank, nothing[:, None], words, [], nothing, blank[:0], none, labels, shown, shown, letters, spots
    )


def test_each_concept_gets_the_channel_that_the_classifier_counts_for_it(material: Material) -> None:
    assert material.bank.alike == ("tabby",)  # the one name of the small world that is a class, a drawing and a word
    few = banks.bank(material.lexicon, tuple(one for one, _ in material.drawings), Counter({0: banks.OFTEN - 1}))
    assert few.alike == ()  # one photo short
    bank = replace(material.bank, alike=("bird", "crane", "motorcycle"))
    weights = torch.zeros(1000, 6)
    weights[[0, 1], 4] = 5.0  # both kinds of birds
    weights[1, 2], weights[2, 2] = 4.0, 4.0  # both cranes
    weights[5, 4], weights[5, 1] = 3.0, 2.0  # a motorcycle counts the birds' channel more, but that one is taken
    assert lessons.channels(weights, bank).tolist() == [4, 2, 1]
    bank = replace(material.bank, alike=("bird", "motorcycle"))
    birds, motorcycles = lessons.channels(weights, bank, each=2).reshape(2, 2).T.tolist()  # the concepts come twice
    assert sorted(birds) == [2, 4]
    assert 1 in motorcycles
    assert len({*birds, *motorcycles}) == 4


def test_closed_forms() -> None:
    taught = lessons.Lessons(torch.tensor([7, 3]), ("cat", "dog"), middle=4)
    for part in (taught.letter, taught.word):
        assert not part.weight.any()  # the tower is not pulled by what has not begun to learn
        torch.nn.init.zeros_(part.bias)
    rows = torch.zeros(3, towers.WIDTH)
    last = maps({(0, 7): 2.0, (1, 3): 1.0, (2, 3): -5.0})  # the last picture is the one with writing
    shown = [frozenset({"cat", "pet"}), frozenset({"cat", "dog"}), frozenset({"tree"})]
    given = batch(["ab"], shown, [(Spot("a", 0.1, 0.1), Spot("b", 0.9, 0.9))])
    result, alive = taught.letter(torch.zeros(1, 4, 2, 2)), held(taught, last)
    assert (result.shape, alive.shape) == ((1, 26, 2, 2), (3, 2))
    parts = taught.question_losses(result, rows, alive, batch=given)
    half = math.log(2)  # what an answer of one half costs
    assert float(parts["lettered"].detach()) == pytest.approx(26 * 4 * half / 2, rel=1e-5)
    assert float(parts["spelt"].detach()) == pytest.approx(spelling.WIDTH * half, rel=1e-5)
    with torch.no_grad():
        taught.factor.zero_()
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -0.5, 0.0]])  # a tenth of what is below zero
    rows_of = logits.log_softmax(1)
    by_picture = -(rows_of[0, 0] + (rows_of[1, 0] + rows_of[1, 1]) / 2 + rows_of[2, 2]) / 3
    columns = logits.log_softmax(0)
    by_unit = -((columns[0, 0] + columns[1, 0]) / 2 + columns[1, 1]) / 2
    got = taught.question_losses(result, rows, alive, batch=given)["alone"]
    assert float(got.detach()) == pytest.approx(float(by_picture + by_unit) / 2, rel=1e-5)


def test_two_channels_of_a_concept_are_asked_alike() -> None:
    taught = lessons.Lessons(torch.tensor([7, 3, 9, 5]), ("cat", "dog"), middle=4)  # cat's are 7 and 9
    assert taught.alive(torch.zeros(2, towers.WIDTH, 2, 2)).shape == (2, 4)
    seen = torch.tensor([[2.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    with torch.no_grad():
        taught.factor.zero_()
    rows = torch.tensor([[2.0, 0.0, 1.0, 0.0, 0.0], [0.0] * 5]).log_softmax(1)
    by_picture = -((rows[0, 0] + rows[0, 2]) / 2 + rows[1, 4]) / 2
    columns = seen.log_softmax(0)
    by_unit = -(columns[0, 0] + columns[0, 2]) / 2
    got = taught.alone(seen, [frozenset({"cat"}), frozenset({"tree"})])
    assert float(got.detach()) == pytest.approx(float(by_picture + by_unit) / 2, rel=1e-5)


def maps(values: dict[tuple[int, int], float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Three pictures' last maps, two smaller ones and a larger, each channel the same everywhere."""
    small, large = torch.zeros(2, towers.WIDTH, 2, 2), torch.zeros(1, towers.WIDTH, 3, 3)
    for (picture, channel), value in values.items():
        part, place = (small, picture) if picture < 2 else (large, picture - 2)
        part[place, channel] = value
    return small, large


def test_a_silent_channel_can_learn_its_concept() -> None:
    taught = lessons.Lessons(torch.tensor([7, 3]), ("cat", "dog"), middle=4)
    last = tuple(part.requires_grad_() for part in maps({(0, 7): -2.0}))  # below zero: silent in the tower
    shown = [frozenset({"cat"}), frozenset({"tree"}), frozenset()]
    given = batch([""], shown, [()])
    taught.question_losses(NOWHERE, torch.zeros(3, towers.WIDTH), held(taught, last), batch=given)["alone"].backward()
    assert last[0].grad is not None
    assert (last[0].grad[0, 7] < 0).all()  # a step down the slope makes it say more


def test_where_no_concept_is_shown_pictures_are_asked_all_the_same() -> None:
    taught = lessons.Lessons(torch.tensor([7, 3]), ("cat", "dog"), middle=4)
    given = batch([""], [frozenset()] * 3, [()])
    got = taught.question_losses(NOWHERE, torch.zeros(3, towers.WIDTH), held(taught, maps({})), batch=given)["alone"]
    assert float(got.detach()) == pytest.approx(math.log(3), rel=1e-5)  # one of two concepts, or none
