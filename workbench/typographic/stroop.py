"""Stroop cards: the name of one colour in the ink of another. Which does a model answer, the word or the ink?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.statistics.intervals import Share, proportion
from workbench.typographic.lettering import Label
from workbench.typographic.writing import write
from workbench.zeroshot import classify

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.backend import ClipBackend

TEMPLATE = "my favorite word, written in the color {}."  # of the article
INKS = {
    "red": "#dc1414",
    "orange": "#ff8c00",
    "yellow": "#f0d800",
    "green": "#148c28",
    "blue": "#1446dc",
    "purple": "#7828a0",
    "pink": "#ff78b4",
    "brown": "#78461e",
}
SIDE = 224  # pixels of a card
SIZE = 0.26  # height of the letters, share of the side
PUBLISHED = (49, 49)  # incongruent cards that RN50x4 answered with the word, and cards: Goh et al. 2021, Distill


@dataclass(frozen=True, eq=False)
class StroopMatrix:
    """Answers to cards; row: the word that is written, column: its ink."""

    colours: tuple[str, ...]  # k
    answers: tuple[tuple[str, ...], ...]  # (k, k) names
    word_beats_ink: NDArray[np.bool_]  # (k, k) whether the word's cosine is above the ink's; False where they are one

    @property
    def counts(self) -> dict[str, Share]:
        """Of the cards whose word and ink differ, the share answered with the word, the ink, another colour."""
        pairs = [
            (answer, word, ink)
            for word, row in zip(self.colours, self.answers, strict=True)
            for ink, answer in zip(self.colours, row, strict=True)
            if word != ink
        ]
        words, inks = sum(one[0] == one[1] for one in pairs), sum(one[0] == one[2] for one in pairs)
        return {
            "word": proportion(words, len(pairs)),
            "ink": proportion(inks, len(pairs)),
            "another": proportion(len(pairs) - words - inks, len(pairs)),
        }

    @property
    def two_way(self) -> Share:
        """Of the same cards, the share on which the word beats the ink, other colours aside."""
        apart = ~np.eye(len(self.colours), dtype=bool)
        return proportion(int(self.word_beats_ink[apart].sum()), int(apart.sum()))


def card(word: str, ink: str) -> Image.Image:
    """Write a word in the middle of a white card; `ink` is a colour's number."""
    from PIL import Image

    blank = Image.new("RGB", (SIDE, SIDE), "white")
    return write(blank, [Label(word, y=0.5, size=SIZE, ink=ink, paper="")])


def stroop(backend: ClipBackend, *, template: str = TEMPLATE) -> StroopMatrix:
    """Ask about each word in each ink.

    Args:
        backend: the model.
        template: prompt with `{}`.

    Source:
        Goh et al. 2021, "Multimodal Neurons in Artificial Neural Networks", Distill, doi 10.23915/distill.00030; there
        all 49 incongruent cards were answered with the word (RN50x4).
    """
    colours, size = tuple(INKS), len(INKS)
    cards = [card(word, ink) for word in colours for ink in INKS.values()]
    answers = classify(backend, cards, colours, templates=(template,))
    cosines = answers.cosines.double().numpy().reshape(size, size, size)  # word, ink, colour
    named = answers.cosines.argmax(dim=1).reshape(size, size).tolist()
    at = np.arange(size)
    of_word, of_ink = cosines[at[:, None], at[None, :], at[:, None]], cosines[at[:, None], at[None, :], at[None, :]]
    return StroopMatrix(colours, tuple(tuple(colours[one] for one in row) for row in named), of_word > of_ink)
