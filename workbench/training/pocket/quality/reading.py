"""Does it read: words in fonts that it never saw?"""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch

from workbench.backend import ClipBackend
from workbench.training.pocket import writing
from workbench.training.pocket.names import CLASSES
from workbench.training.pocket.quality.answers import SIDE, Answer, Apart, counted, embed, say

WORDS = 120
FORM = "{}"


def sample(apart: Apart, rng: random.Random | None = None) -> tuple[list[str], list[str]]:
    """120 words, and all single-word names of classes that they are drawn from."""
    known = {name.lower() for concept in apart.lexicon.concepts[:CLASSES] for name in concept.names}
    every = [word for word in apart.bank.words if word in known]
    return (rng or apart.rng()).sample(every, WORDS), every


def reading(backend: ClipBackend, apart: Apart) -> Iterator[Answer]:
    """One picture for each of 120 words: 120-way, and among all words."""
    rng = apart.rng()
    words, every = sample(apart, rng)
    pictures = [writing.plain(word, rng.choice(apart.fonts).path, size=SIDE, rng=rng).picture for word in words]
    rows = embed(backend, pictures)
    yield counted(
        "reads 120 words", rows @ say(backend, words, FORM).T, torch.arange(WORDS), how="unseen fonts, 120-way"
    )
    truth = torch.tensor([every.index(word) for word in words])
    how = f"unseen fonts, {len(every)}-way"
    yield counted("reads among all single-word names", rows @ say(backend, every, FORM).T, truth, how=how)
