"""Is it fooled by a written label, as CLIP is, and is it right where there is none?

Source:
    Goh et al. 2021, Distill, "Multimodal neurons in artificial neural networks" (typographic attacks).
"""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont, ImageOps

from workbench.backend import ClipBackend
from workbench.statistics.intervals import proportion
from workbench.training.pocket.quality.answers import SIDE, Answer, Apart, embed, say

SIZE = 30  # pixels of type


def attack(backend: ClipBackend, apart: Apart) -> Iterator[Answer]:
    """A white label with a black word on each photo: does the word beat the object, of those two?

    Asked only of photos whose object beats the word while there is no label.
    """
    rng, first = apart.rng(), apart.lexicon.first()
    words = apart.labels
    clean = [ImageOps.fit(photo, (SIDE, SIDE)) for photo, _ in apart.photos]
    drawn = [rng.choice([word for word in words if word != first[label].lower()]) for _, label in apart.photos]
    labelled = [_pasted(photo, word, rng.choice(apart.fonts).path) for photo, word in zip(clean, drawn, strict=True)]
    objects, written = say(backend, [first[label] for _, label in apart.photos]), say(backend, drawn)
    margin = [(embed(backend, pictures) * (objects - written)).sum(-1) for pictures in (clean, labelled)]
    named = margin[0] > 0
    fooled = int((margin[1][named] < 0).sum())
    yield Answer("a pasted label beats the object", proportion(fooled, int(named.sum())), "two-way, photos it names")
    yield Answer("two-way errors without a label", proportion(int((~named).sum()), len(named)), "the same photos")


def _pasted(photo: Image.Image, word: str, font: str) -> Image.Image:
    """A label near the middle of the lower half."""
    type_ = ImageFont.truetype(font, SIZE)
    left, top, right, bottom = type_.getbbox(word)
    picture, wide, high = photo.copy(), int(right - left) + 16, int(bottom - top) + 12
    x, y = max(0, (SIDE - wide) // 2), SIDE * 5 // 8
    pen = ImageDraw.Draw(picture)
    pen.rectangle((x, y, x + wide, y + high), fill=(255, 255, 255))
    pen.text((x + 8 - left, y + 6 - top), word, font=type_, fill=(0, 0, 0))
    return picture
