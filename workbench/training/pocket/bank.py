"""The bank of all names that training asks for, each once, whether a photo, a drawing or a written word shows it.

One list of names for all three makes one unit answer to all three.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.training.pocket.emoji import Emoji
from workbench.training.pocket.names import CLASSES, EVERYDAY, Lexicon

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey")
SHAPES = (
    *("circle", "square", "triangle", "star", "heart", "diamond", "pentagon", "hexagon"),
    *("ring", "cross", "rectangle", "oval"),
)
COUNTS = ("one", "two", "three", "four", "five")
_WORDS = """person man woman boy girl child baby doctor nurse teacher engineer lawyer judge criminal thief suspicious
    animal gorilla human terrorist police thug hero student worker pilot artist scientist farmer cook mechanic singer
    asian indian young old dark light six seven eight nine ten zero happy sad angry good evil rich poor apple ipod
    pizza library toaster dog cat spider pig money cash ebay google usa trash pear grape fish bird tree flower house
    love peace dough iphone coffee tea water milk bread phone laptop plant chair table book car truck bus train stop
    open closed exit sale rocket moon astronaut horse coin coins motorcycle clock gray"""
DRILLED = tuple(_WORDS.split())  # words that people put on pictures, and that the audits use
LONGEST = 13  # letters of a word to read
OFTEN = 12  # photos of a concept that photos, drawings and words are to share
OTHER_SENSE = frozenset({"ear", "hook", "mouse", "notebook", "sewing needle", "wireless"})  # drawn, than photos show
JOINING = frozenset({"with", "of", "in", "and"})  # the thing's own word is not the last one then
FIRST, OTHER, WIDER, USUAL = 3.0, 1.5, 0.5, 1.0  # how much of a photo's target each kind of name gets


@dataclass(frozen=True)
class Bank:
    """All names, and how they hang together with the thousand classes.

    Attributes:
        names: lower case, each once, sorted.
        words: those of them that are single words to read, and that pictures show.
        things: further single words to read, that no picture shows.
        of_class: for each class, its names with weights that sum to 1.
        classes: for a name, the classes it may mean, with weights that sum to 1; names of no class are missing.
        alike: words that photos, drawings and writing all can show, and that there are many photos of.
    """

    names: tuple[str, ...]
    words: tuple[str, ...]
    of_class: tuple[dict[str, float], ...]
    classes: dict[str, dict[int, float]]
    alike: tuple[str, ...]
    things: tuple[str, ...] = ()

    @functools.cached_property
    def place(self) -> dict[str, int]:
        """Where each name stands."""
        return {name: number for number, name in enumerate(self.names)}

    @functools.cached_property
    def spread(self) -> Tensor:
        """(1000, names): each class's target over all names."""
        table = torch.zeros(CLASSES, len(self.names))
        for number, weights in enumerate(self.of_class):
            for name, weight in weights.items():
                table[number, self.place[name]] = weight
        return table

    @functools.cached_property
    def synonyms(self) -> dict[int, list[str]]:
        """For a class, the names that mean nothing else."""
        every: dict[int, list[str]] = {}
        for name, classes in self.classes.items():
            if len(classes) == 1 and name not in EVERYDAY:
                (number,) = classes
                every.setdefault(number, []).append(name)
        return every

    def target(self, weights: dict[str, float]) -> Tensor:
        """(names,): weights over names, those that are not in the bank left out, summing to 1."""
        row = torch.zeros(len(self.names))
        for name, weight in weights.items():
            if name in self.place:
                row[self.place[name]] = weight
        return row / row.sum().clamp(min=1e-6)


def also_called(one: Emoji, names: Bank) -> tuple[str, ...]:
    """Other names of what an emoji shows: those of its class, and the plain one of `tiger face` or `red apple`."""
    own, out = tuple(names.classes.get(one.name, ())), []
    if len(own) == 1 and one.name not in OTHER_SENSE | EVERYDAY.keys():
        out = [name for name in names.synonyms[own[0]] if name != one.name]
    first, _, last = one.name.rpartition(" ")
    if first and not one.parts and not JOINING & set(first.split()):
        plain = first if last == "face" else last
        known = names.place if last == "face" else () if own else names.classes
        if plain in one.tags and plain in known:
            out.append(plain)
    return tuple(out)


def bank(lexicon: Lexicon, emoji: tuple[Emoji, ...], pictured: Counter[int]) -> Bank:
    """Collect the names of classes, wider kinds, emoji, people, colours, shapes and counts.

    Args:
        lexicon: classes and wider kinds.
        emoji: drawn things and people.
        pictured: how many photos there are of each class.
    """
    of_class = [_names_of(lexicon, number) for number in range(CLASSES)]
    classes: dict[str, dict[int, float]] = {}
    for number, weights in enumerate(of_class):
        own = {name.lower() for name in lexicon.concepts[number].names}
        for name in sorted(weights.keys() & own):  # a shared name (crane, cardigan) means each of its classes
            classes.setdefault(name, {})[number] = 2.0 if name == lexicon.concepts[number].names[0].lower() else 1.0
    for concept in lexicon.concepts[CLASSES:]:
        for name in concept.names:
            classes.setdefault(name.lower(), dict.fromkeys(concept.classes, 1.0))
    plain = {one.name for one in emoji}
    parts = {part for one in emoji for part in one.parts}
    painted = {f"{colour} {shape}" for colour in COLOURS for shape in SHAPES}
    names = {*classes, *plain, *parts, *COLOURS, *SHAPES, *COUNTS, *painted, *DRILLED}
    things = {name for name in lexicon.things if len(name) <= LONGEST} - names
    own = {name.lower() for concept in lexicon.concepts[:CLASSES] for name in concept.names}
    read = {*own, *EVERYDAY, *plain, *COLOURS, *SHAPES, *COUNTS, *DRILLED}
    words = {name for name in read if name.isascii() and name.isalpha() and len(name) <= LONGEST}
    things |= (words & own) - names  # a class's fifth name is read, and meant by no picture
    return Bank(
        tuple(sorted(names | things)),
        tuple(sorted(words)),
        tuple(_normal(weights) for weights in of_class),
        {name: _normal(weights) for name, weights in classes.items()},
        tuple(sorted(name for name in words & classes.keys() & plain if _often(classes[name], pictured))),
        tuple(sorted(things)),
    )


def _often(classes: dict[int, float], pictured: Counter[int]) -> bool:
    return sum(pictured[number] for number in classes) >= OFTEN


def _names_of(lexicon: Lexicon, number: int) -> dict[str, float]:
    weights: dict[str, float] = {}
    for place in lexicon.above[number]:
        concept = lexicon.concepts[place]
        weights[concept.names[0].lower()] = WIDER if concept.gloss else USUAL
    for order, name in enumerate(lexicon.concepts[number].names[:4]):
        weights[name.lower()] = FIRST if order == 0 else OTHER
    return weights


def _normal(weights: dict) -> dict:  # type: ignore[type-arg]
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}
