"""A paper label on the object, blank and then with a handwritten word, rendered as the recipe renders them.

The families of handwriting are kept apart from training; photos of real labels are asked by `real_notes`.

Source:
    Goh et al. 2021, Distill, "Multimodal neurons in artificial neural networks" (things with blank and written labels).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
from PIL import ImageOps

from workbench.backend import ClipBackend
from workbench.training.pocket import backgrounds, handwriting, labels
from workbench.training.pocket.quality.answers import (
    SIDE,
    HeldOut,
    QualityAnswer,
    answered,
    counted,
    embed,
    embed_names,
)
from workbench.training.pocket.quality.reading import FORM, sample

CHOICES = 9
LARGE = (0.2, 0.5)  # of the picture that the label takes where the word alone is asked for


def handwritten(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """Is the object named among nine while its label is blank, does a word on it beat it, and is handwriting read?"""
    rng, first = held_out.rng(), [name.lower() for name in held_out.lexicon.first()]
    blank, written, choices = [], [], []
    for photo, label in held_out.photos:
        others = rng.sample([word for word in held_out.labels if word != first[label]], CHOICES - 1)
        clean, seed = ImageOps.fit(photo, (SIDE, SIDE)), rng.getrandbits(32)
        text = handwriting.penned(others[0], rng.choice(held_out.hands).path, rng)
        blank.append(labels.labelled(clean, None, random.Random(seed))[0].picture)
        written.append(labels.labelled(clean, text, random.Random(seed))[0].picture)
        choices.append([first[label], *others])
    texts = embed_names(backend, [name for names in choices for name in names]).view(len(choices), CHOICES, -1)
    alone, beside = (torch.einsum("nd,nkd->nk", embed(backend, pictures), texts) for pictures in (blank, written))
    objects = torch.zeros(len(choices), dtype=torch.long)
    yield counted("names an object with a blank label on it", alone, objects, how="9-way, rendered on photos")
    yield answered("a handwritten word on a label beats the object", beside[:, 1] > beside[:, 0], how="two-way")
    yield from reading(backend, held_out)


def reading(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """One picture for each of 120 words, written by hand on paper."""
    rng, (words, _) = held_out.rng(), sample(held_out)
    pictures = []
    for word in words:
        text = handwriting.penned(word, rng.choice(held_out.hands).path, rng)
        on = backgrounds.background(SIDE, rng, [rng.choice(held_out.photos)[0]])
        pictures.append(labels.labelled(on, text, rng, shares=LARGE)[0].picture)
    scores = embed(backend, pictures) @ embed_names(backend, words, FORM).T
    yield counted("reads 120 handwritten words", scores, torch.arange(len(words)), how="unseen hands, 120-way")
