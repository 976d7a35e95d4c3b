"""Captions like those on the web: partial descriptions with synonyms, between words that the image does not show.

Predicting the exact words of such a caption is hard, although telling which caption belongs to an image is not: the
reason that the paper gives for the contrastive objective (Radford et al. 2021, arXiv:2103.00020, section 2.3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from workbench.training.shapes import COLOURS, SHAPES, SIZES, Drawing

SYNONYMS: dict[str, tuple[str, ...]] = {
    "small": ("small", "little", "tiny"),
    "large": ("large", "big", "huge"),
    "red": ("red", "scarlet", "crimson"),
    "orange": ("orange", "amber", "tangerine"),
    "yellow": ("yellow", "golden", "lemon"),
    "green": ("green", "emerald", "verdant"),
    "blue": ("blue", "azure", "cobalt"),
    "purple": ("purple", "violet", "mauve"),
    "brown": ("brown", "chestnut", "umber"),
    "black": ("black", "ebony", "jet"),
    "circle": ("circle", "disc", "round"),
    "square": ("square", "box", "block"),
    "triangle": ("triangle", "wedge", "delta"),
    "star": ("star", "asterisk", "starlet"),
    "cross": ("cross", "plus", "crucifix"),
    "heart": ("heart", "valentine", "cardioid"),
}
# words of web captions that the image does not show, the commonest first
_COMMON = (
    *("photo", "by", "my", "new", "the", "of", "at", "in", "for", "sale", "free", "stock", "holiday", "birthday"),
    *("summer", "winter", "old", "view", "home", "day", "best", "download", "part", "one", "two"),
    *("anna", "ben", "carla", "david", "emma", "felix", "berlin", "lagos", "lima", "oslo", "paris", "quito"),
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
)
FILLER: tuple[str, ...] = (*_COMMON, *(f"img{number:03d}" for number in range(1000 - len(_COMMON))))
PAD, START, MASK = 0, 1, 2
VOCABULARY = ("<pad>", "<start>", "<mask>", "a", *(word for words in SYNONYMS.values() for word in words), *FILLER)
MENTIONED = {"size": 0.5, "colour": 0.9, "shape": 0.9}  # how often a caption mentions each property
MAX_FILLER = 5  # words on each side
_INDEX = {word: number for number, word in enumerate(VOCABULARY)}


def caption(drawing: Drawing, rng: np.random.Generator) -> list[str]:
    """Return a random caption of a drawing, as words; properties are left out at random, filler follows Zipf's law."""
    before, after = (_filler(rng) for _ in range(2))
    mentioned = [name for name, share in MENTIONED.items() if rng.random() < share]
    words = [SYNONYMS[getattr(drawing, name)][rng.integers(3)] for name in mentioned]
    return [*before, "a", *words, *after]


def token_ids(captions: Sequence[Sequence[str]]) -> Tensor:
    """Return (n, length) int64, padded with 0 on the right."""
    length = max(map(len, captions))
    return torch.tensor([[*(_INDEX[word] for word in words), *[PAD] * (length - len(words))] for words in captions])


def label_sentences() -> list[Tensor]:
    """Return, for each of the 48 pairs of shape and colour, its sentences, one a size; (2, 4) int64 each."""
    return [token_ids([["a", size, colour, shape] for size in SIZES]) for shape in SHAPES for colour in COLOURS]


def label_of(drawing: Drawing) -> int:
    """Return the row of a drawing's pair in `label_sentences`, 0..47."""
    return SHAPES.index(drawing.shape) * len(COLOURS) + list(COLOURS).index(drawing.colour)


def _filler(rng: np.random.Generator) -> list[str]:
    count = rng.integers(0, MAX_FILLER + 1)
    return [FILLER[number % len(FILLER)] for number in rng.zipf(1.3, count)]
