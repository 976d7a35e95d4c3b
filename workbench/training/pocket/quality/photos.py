"""Accuracy on photos at full size, at 64 px and at 32 px."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from PIL import Image

from workbench.backend import ClipBackend
from workbench.training.pocket.quality.answers import HeldOut, QualityAnswer, counted, embed, embed_names

COMMON = (  # ten classes that everyone knows, shrunk to 32 px as CIFAR's pictures are
    *("golden retriever", "tabby", "goldfish", "school bus", "sports car"),
    *("pizza", "banana", "umbrella", "teapot", "steam locomotive"),
)
TINY = 32
SMALL = 600  # photos asked of the small set


def photos(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """A thousand names, full-size photos: top one and top five; and where the right class has another of its names."""
    first = held_out.lexicon.first()
    rows = embed(backend, [picture for picture, _ in held_out.photos])
    scores = rows @ embed_names(backend, first).T
    truth = torch.tensor([label for _, label in held_out.photos])
    yield counted("names photos, 1000-way, top 1", scores, truth, how="full size")
    yield counted("names photos, 1000-way, top 5", scores, truth, how="full size", top=5)
    other = _next_names(held_out)
    some = torch.tensor([label in other for label in truth.tolist()])
    if some.any():
        named, right = embed_names(backend, [other[label] for label in truth[some].tolist()]), truth[some, None]
        another = scores[some].scatter(1, right, (rows[some] * named).sum(1, keepdim=True))
        how = "the right class by its next name that means nothing else"
        yield counted("names photos by another name, 1000-way, top 1", another, right[:, 0], how=how)
        yield counted("the same photos by the first, top 1", scores[some], right[:, 0], how="full size")


def _next_names(held_out: HeldOut) -> dict[int, str]:
    """Of each class that has one, the name after its first that means nothing else."""
    out = {}
    for label, names in held_out.bank.synonyms.items():
        further = [name.lower() for name in held_out.lexicon.concepts[label].names[1:]]
        if known := [name for name in further if name in names]:
            out[label] = known[0]
    return out


def small(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """A thousand names, 64 px photos; and ten common names, the same photos shrunk to 32 px."""
    sampled = held_out.rng().sample(held_out.small, min(SMALL, len(held_out.small)))
    pictures, labels = [picture for picture, _ in sampled], [label for _, label in sampled]
    scores = embed(backend, pictures) @ embed_names(backend, held_out.lexicon.first()).T
    yield counted("names 64 px photos, 1000-way, top 1", scores, torch.tensor(labels), how="202 classes")
    first = held_out.lexicon.first()
    classes = [first.index(name) for name in COMMON]
    chosen = [(picture, classes.index(label)) for picture, label in held_out.small if label in classes]
    if chosen:
        tiny = [picture.resize((TINY, TINY), Image.Resampling.BOX) for picture, _ in chosen]
        scores = embed(backend, tiny) @ embed_names(backend, COMMON).T
        yield counted("names ten common things at 32 px", scores, torch.tensor([x for _, x in chosen]), how="10-way")
