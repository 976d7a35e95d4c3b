"""Typographic attack: how often a printed label beats the object, and how often the object's name survives it.

Source:
    Goh et al. 2021, Distill, "Multimodal neurons in artificial neural networks" (typographic attacks).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps

from workbench.backend import ClipBackend
from workbench.training.pocket.quality.answers import (
    SIDE,
    HeldOut,
    QualityAnswer,
    answered,
    counted,
    embed,
    embed_names,
)

SIZE, LARGE = 30, 48  # pixels of type


def attack(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """A white label with a black word on each photo: does the word beat the object, of those two and of a thousand?

    The two-way question is asked only of photos whose object beats the word while there is no label.
    """
    rng, first = held_out.rng(), held_out.lexicon.first()
    words = held_out.labels
    clean = [ImageOps.fit(photo, (SIDE, SIDE)) for photo, _ in held_out.photos]
    drawn = [rng.choice([word for word in words if word != first[label].lower()]) for _, label in held_out.photos]
    fonts = [rng.choice(held_out.fonts).path for _ in clean]
    objects, written = embed_names(backend, [first[label] for _, label in held_out.photos]), embed_names(backend, drawn)
    bare = embed(backend, clean)
    named = (bare * (objects - written)).sum(-1) > 0
    yield answered("two-way errors without a label", ~named, how="the same photos")
    every, truth = embed_names(backend, first), torch.tensor([label for _, label in held_out.photos])
    right = (bare @ every.T).argmax(1) == truth
    for size, kind in ((SIZE, "pasted"), (LARGE, "large pasted")):
        labelled = [_pasted(*one, size=size) for one in zip(clean, drawn, fonts, strict=True)]
        rows = embed(backend, labelled)
        fooled = (rows * (objects - written)).sum(-1)[named] < 0
        how = f"two-way, photos it names, {size} px of type"
        yield answered(f"a {kind} label beats the object", fooled, how=how)
        how = f"of {int(right.sum())} right without it, {size} px of type"
        yield counted(f"names photos with a {kind} label, 1000-way, top 1", rows @ every.T, truth, how=how)


def _pasted(photo: Image.Image, word: str, font: str, *, size: int) -> Image.Image:
    """A label near the middle of the lower half, its type smaller where the word would not fit."""
    type_ = ImageFont.truetype(font, size)
    type_ = ImageFont.truetype(font, int(min(size, size * (SIDE - 20) / type_.getlength(word))))
    left, top, right, bottom = type_.getbbox(word)
    picture, wide, high = photo.copy(), int(right - left) + 16, int(bottom - top) + 12
    x, y = max(0, (SIDE - wide) // 2), SIDE * 5 // 8
    pen = ImageDraw.Draw(picture)
    pen.rectangle((x, y, x + wide, y + high), fill=(255, 255, 255))
    pen.text((x + 8 - left, y + 6 - top), word, font=type_, fill=(0, 0, 0))
    return picture
