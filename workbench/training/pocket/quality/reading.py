"""Accuracy on printed words in held-out fonts."""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch

from workbench.backend import ClipBackend
from workbench.training.pocket import writing
from workbench.training.pocket.names import CLASSES
from workbench.training.pocket.quality.answers import SIDE, HeldOut, QualityAnswer, counted, embed, embed_names

WORDS = 120
FORM = "{}"


def sample(held_out: HeldOut, rng: random.Random | None = None) -> tuple[list[str], list[str]]:
    """120 words, and all single-word names of classes that they are drawn from."""
    known = {name.lower() for concept in held_out.lexicon.concepts[:CLASSES] for name in concept.names}
    every = [word for word in held_out.bank.words if word in known]
    return (rng or held_out.rng()).sample(every, WORDS), every


def reading(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """One picture for each of 120 words: 120-way, and among all words."""
    rng = held_out.rng()
    words, every = sample(held_out, rng)
    pictures = [writing.plain(word, rng.choice(held_out.fonts).path, size=SIDE, rng=rng).picture for word in words]
    rows = embed(backend, pictures)
    yield counted(
        "reads 120 words", rows @ embed_names(backend, words, FORM).T, torch.arange(WORDS), how="unseen fonts, 120-way"
    )
    truth = torch.tensor([every.index(word) for word in words])
    how = f"unseen fonts, {len(every)}-way"
    yield counted("reads among all single-word names", rows @ embed_names(backend, every, FORM).T, truth, how=how)
