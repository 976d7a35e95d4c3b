"""A drawing also goes by the other names of its class, and by the plain one of `tiger face`."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from workbench.training.pocket import bank as banks
from workbench.training.pocket import painting
from workbench.training.pocket.bank import also_called
from workbench.training.pocket.emoji import Emoji
from workbench.training.pocket.material import Material
from workbench.training.pocket.names import CLASSES, Concept, Lexicon
from workbench.training.texts import vectors

CONCEPTS = (
    ("hippopotamus", "hippo", "river horse"),
    ("mouse", "computer mouse"),
    ("ice cream", "icecream"),
    ("Granny Smith",),
    ("tiger", "Panthera tigris"),
    ("crane",),
    ("crane", "lift"),
    ("cream",),
)


def _emoji(name: str, *tags: str, parts: tuple[str, ...] = ()) -> Emoji:
    return Emoji(name, name, name.replace(" ", "-"), tags, parts, False)


DRAWN = (
    _emoji("hippopotamus"),
    _emoji("mouse", "computer"),
    _emoji("ice cream", "cream", "sweet"),
    _emoji("red apple", "apple", "red"),
    _emoji("apple"),
    _emoji("custard apple", "fruit"),
    _emoji("tiger face", "tiger", "predator"),
    _emoji("money-mouth face", "paid"),
    _emoji("face with tiger", "tiger"),
    _emoji("old tiger", "tiger", parts=("old person",)),
    _emoji("crane"),
)


@pytest.fixture(scope="module")
def names() -> banks.Bank:
    every = [*CONCEPTS, *((f"thing {k}",) for k in range(CLASSES - len(CONCEPTS)))]
    concepts = [Concept(names, "a gloss", frozenset({number})) for number, names in enumerate(every)]
    concepts.append(Concept(("apple",), "", frozenset({3})))  # an everyday name
    ids = tuple(f"n{number:08d}" for number in range(CLASSES))
    return banks.bank(Lexicon(ids, tuple(concepts), (), ((),) * CLASSES), DRAWN, Counter())


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("hippopotamus", {"hippo", "river horse"}),
        ("mouse", set()),  # the animal is no computer mouse
        ("ice cream", {"icecream"}),  # whose own word is not the last one: it is a class by itself
        ("red apple", {"apple"}),
        ("custard apple", set()),  # no tag says so
        ("apple", set()),  # an everyday name is wider than the class that stands for it
        ("tiger face", {"tiger"}),
        ("money-mouth face", set()),
        ("face with tiger", set()),
        ("old tiger", set()),  # a person's parts say more
        ("crane", set()),  # of two classes
    ],
)
def test_other_names(names: banks.Bank, name: str, others: set[str]) -> None:
    (one,) = (one for one in DRAWN if one.name == name)
    assert set(also_called(one, names)) == others


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("hippopotamus", {"hippopotamus": 2.0, "hippo": 1.0, "river horse": 1.0}),
        ("tiger face", {"tiger face": 2.0, "tiger": 2.0}),  # a face is called what it is of as often
        ("red apple", {"red apple": 2.0, "apple": 1.0, "red": 0.15}),  # a tag weighs little
    ],
)
def test_what_they_weigh_beside_its_own(
    material: Material, names: banks.Bank, name: str, weights: dict[str, float]
) -> None:
    (one,) = (one for one in DRAWN if one.name == name)
    known = replace(material, drawings=[(one, drawn) for _, drawn in material.drawings], bank=names)
    made = painting.example(known, "drawing", size=48, done=1.0, rng=random.Random(0))
    assert made.weights == weights


def test_the_other_names_of_a_class_go_with_its_first(names: banks.Bank) -> None:
    first = torch.tensor([names.place[one[0].lower()] for one in CONCEPTS] + [0] * (CLASSES - len(CONCEPTS)))
    choices = vectors.Choices.of(names, first)
    assert choices.synonyms.shape[1:] == (2,)
    pairs = {(names.names[other], names.names[one]) for other, one in choices.synonyms.tolist()}
    assert {pair for pair in pairs if not pair[0].startswith("thing ")} == {
        ("hippo", "hippopotamus"),
        ("river horse", "hippopotamus"),
        ("computer mouse", "mouse"),
        ("icecream", "ice cream"),
        ("panthera tigris", "tiger"),
        ("lift", "crane"),
    }


def test_they_are_drawn_to_it_and_it_stays() -> None:
    n, generator = 5, torch.Generator().manual_seed(0)
    tables = {
        form: normalize(torch.randn(n, 8, generator=generator), dim=-1).requires_grad_() for form in vectors.FORMS
    }
    now = vectors.Vectors.begun(tables)
    away = vectors._apart(now, torch.tensor([[0, 1], [2, 1]]))
    by_hand = [1 - float((table[k] @ table[1]).detach()) for table in tables.values() for k in (0, 2)]
    assert float(away.detach()) == pytest.approx(sum(by_hand) / 6, abs=1e-6)
    away.backward()  # type: ignore[no-untyped-call]
    for table in tables.values():
        moved = table.grad.norm(dim=1) > 0  # type: ignore[union-attr]
        assert moved.tolist() == [True, False, True, *[False] * (n - 3)]
    assert float(vectors._apart(now, torch.zeros(0, 2, dtype=torch.long)).detach()) == 0
