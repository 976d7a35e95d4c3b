"""Accuracy on colours, on counts, and on sentences of one and of two things."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from PIL import Image, ImageOps

from workbench.backend import ClipBackend
from workbench.training.pocket import scenes, shapes, views
from workbench.training.pocket.bank import COLOURS, COUNTS, SHAPES
from workbench.training.pocket.quality.answers import SIDE, HeldOut, QualityAnswer, answered, counted, embed

EACH = 20  # pictures of one colour
COUNTED = 40  # pictures of one count
PAIRS = 150
GROUND = (128, 128, 128)


def colours(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """Eleven names, on shapes and on tinted drawings of a foreign style, against `a photo of a {colour} {thing}`."""
    rng, things = held_out.rng(), _things(held_out)
    pictures, sentences, truth = [], [], []
    for place, name in enumerate(COLOURS):
        for number in range(EACH):
            fill, side = shapes.paint(name, rng), rng.randint(90, 190)
            if number % 2:
                kind = rng.choice(SHAPES)
                thing = shapes.shape(kind, fill, side)
            else:
                kind, sprite = rng.choice(things)
                thing = shapes.tinted(sprite, fill).resize((side, side), Image.Resampling.BICUBIC)
            ground = (255, 255, 255) if name not in ("white", "yellow") else (60, 60, 60)
            pictures.append(
                scenes.coloured((kind, thing), name, on=Image.new("RGB", (SIDE, SIDE), ground), rng=rng).picture
            )
            sentences.append([f"a photo of a {colour} {kind}." for colour in COLOURS])
            truth.append(place)
    scores = _choices(backend, pictures, sentences)
    yield counted("tells colours", scores, torch.tensor(truth), how="11 names on shapes and objects")


def counts(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """One to five shapes or drawings of a foreign style, against `a photo of {count} {things}`."""
    rng, things = held_out.rng(), _things(held_out)
    pictures, sentences, truth = [], [], []
    for number in range(1, 6):
        for place in range(COUNTED):
            if place % 2:
                kind, fill = rng.choice(SHAPES), shapes.paint(rng.choice(COLOURS), rng)
                on = Image.new("RGB", (SIDE, SIDE), (250, 245, 235) if sum(fill) < 500 else (40, 40, 45))
                draw = functools.partial(shapes.shape, kind, fill)
            else:
                kind, sprite = rng.choice(things)
                on = Image.new("RGB", (SIDE, SIDE), (255, 255, 255))
                draw = functools.partial(_sized, Image.fromarray(sprite))
            pictures.append(scenes.counted((kind, draw), number, on=on, rng=rng).picture)
            named = [kind if count == 1 else scenes.many(kind) for count in range(1, 6)]
            sentences.append([f"a photo of {count} {what}." for count, what in zip(COUNTS, named, strict=True)])
            truth.append(number - 1)
    yield counted("counts one to five", _choices(backend, pictures, sentences), torch.tensor(truth), how="5-way")


def sentences(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """Two photos side by side: does the sentence of both beat each of the two sentences of one?

    And with each photo alone, does its sentence beat those that add a stranger, named first or last? A model that likes
    long sentences fails there.
    """
    rng, first = held_out.rng(), held_out.lexicon.first()
    pictures: list[Image.Image] = []
    choices: list[list[str]] = []
    while len(pictures) < PAIRS:
        (one, a), (other, b) = rng.sample(held_out.photos, 2)
        if a != b:
            parts = tuple(views.crop(photo, SIDE, rng, least=0.9) for photo in (one, other))
            pictures.append(scenes.together((first[a], first[b]), (parts[0], parts[1]), other="", rng=rng).picture)
            choices.append(
                [f"a photo of a {first[a]} and a {first[b]}.", *(f"a photo of a {first[k]}." for k in (a, b))]
            )
    hits = _choices(backend, pictures, choices).argmax(1) == 0
    yield answered("a sentence of two things beats those of one", hits, how="photos side by side")
    alone = []
    for _, a in held_out.photos:
        b = rng.choice([label for _, label in held_out.photos if label != a])
        both = (f"a photo of a {first[x]} and a {first[y]}." for x, y in ((a, b), (b, a)))
        alone.append([f"a photo of a {first[a]}.", *both])
    hits = _choices(backend, [ImageOps.fit(photo, (SIDE, SIDE)) for photo, _ in held_out.photos], alone).argmax(1) == 0
    yield answered("a sentence of one thing beats those of two", hits, how="the same photos alone")


def _things(held_out: HeldOut) -> list:  # type: ignore[type-arg]
    """Drawings with names of one word that show no people."""
    return [(one.name, sprite) for one, sprite in held_out.drawings if one.name.isalpha() and not one.parts]


def _choices(backend: ClipBackend, pictures: list[Image.Image], sentences: list[list[str]]) -> torch.Tensor:
    """Scores (n, choices) of each picture against its own sentences."""
    every = sorted({sentence for row in sentences for sentence in row})
    place = {sentence: number for number, sentence in enumerate(every)}
    texts = torch.cat([backend.embed_texts(every[start : start + 256]) for start in range(0, len(every), 256)])
    chosen = texts[torch.tensor([[place[sentence] for sentence in row] for row in sentences])]
    return (chosen * embed(backend, pictures)[:, None]).sum(-1)


def _sized(picture: Image.Image, side: int) -> Image.Image:
    return picture.resize((side, side))
