"""Examples with a word to read: on a photo, on a label stuck on a photo, or alone; and labels that are blank."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from workbench.training.pocket import backgrounds, handwriting, labels, views, writing
from workbench.training.pocket.example import PHOTO, TrainingExample, choose, claimed, class_name
from workbench.training.pocket.ingredients import SMALL
from workbench.training.pocket.material import Material

WORD = (
    "{}",
    "{}",
    "the word {}",
    "a sign that says {}",
    "text that says {}",
    "a photo of a {}.",
    "a label that says {}",
    "a {}",
)
OF_WORD = (0.1, 0.32)  # of the target of a photo with a printed word on it: of the smallest, of the largest
OF_HAND = (0.8, 0.92)  # the same where it is written by hand on a label
THINGS = 0.25  # of the words to read are names of things that no picture shows
LARGE = (0.05, 0.6)  # of the picture that a label takes where only the word is asked for
SOFT, SOFT_SMALL = (
    0.9,
    0.3,
)  # of what a covered photo shows the classifier decides; of a small one, which it knows badly
ALIKE = 0.3  # of the words to read are of what photos and drawings show as well


def _read(material: Material, done: float, rng: random.Random) -> tuple[str, str]:
    """A word and a printed font; common words first, all of them from two fifths of the run on."""
    if material.bank.things and rng.random() < THINGS:
        return rng.choice(material.bank.things), rng.choice(material.fonts).path
    every = material.common
    among = every[: max(250, int(len(every) * min(1, 0.2 + 2 * done)))]
    if material.bank.alike and rng.random() < ALIKE:
        among = material.bank.alike
    return rng.choice(among), rng.choice(material.fonts).path


def _attacked(material: Material, size: int, done: float, rng: random.Random) -> TrainingExample:
    photo, label = choose(material, rng)
    clean = views.crop(photo, size, rng)
    word, font = _read(material, done, rng)
    wide = rng.uniform(*material.print_size)
    sprite = writing.sprite(word, font, width=size * wide, rng=rng, paper=0.7)
    written = writing.labelled(clean.copy(), sprite, rng)
    share = float(np.interp(wide, material.print_size, OF_WORD))
    return _both(_covered(material, photo, label, clean, rng), written, word, share, rng)


def _covered(
    material: Material, photo: Image.Image, label: int, clean: Image.Image, rng: random.Random
) -> TrainingExample:
    """What a photo shows, before anything covers a part of it; the classifier decides more of it at full size."""
    weights, name = dict(material.bank.of_class[label]), class_name(material, label, rng)
    soft = SOFT_SMALL if min(photo.size) < SMALL else SOFT
    return TrainingExample(
        clean, weights, rng.choice(PHOTO).format(name), claimed(name, weights), soft=soft, clean=clean
    )


def _both(
    example: TrainingExample, written: writing.Written, word: str, share: float, rng: random.Random
) -> TrainingExample:
    """A photo with a word on it: `share` of its target is the word's, the rest the photo's."""
    soft = (1 - share) * example.soft  # of the whole target
    weights = {name: (1 - share - soft) * weight / (1 - soft) for name, weight in example.weights.items()}
    weights[word] = weights.get(word, 0) + share / (1 - soft)
    if rng.random() < share:
        example = replace(example, caption=rng.choice(WORD).format(word), claims=frozenset([word]))
    return replace(example, picture=written.picture, weights=weights, soft=soft, written=word, spots=written.spots)


def _noted(material: Material, size: int, done: float, rng: random.Random) -> TrainingExample:
    """A photo with a handwritten label on it."""
    photo, label = choose(material, rng)
    word, _ = _read(material, done, rng)
    text = handwriting.penned(word, rng.choice(material.hands).path, rng)
    clean = views.crop(photo, size, rng)
    written, area = labels.labelled(clean, text, rng, shares=material.paper_size)
    least, most = OF_HAND
    share = least + (most - least) * min(1.0, area / labels.SHARES[1])
    return _both(_covered(material, photo, label, clean, rng), written, word, share, rng)


def _blank(material: Material, size: int, done: float, rng: random.Random) -> TrainingExample:
    """A photo with a blank label on it, which is a photo of the same thing."""
    photo, label = choose(material, rng)
    clean = views.crop(photo, size, rng)
    written, _ = labels.labelled(clean, None, rng, shares=material.paper_size)
    return replace(_covered(material, photo, label, clean, rng), picture=written.picture)


def _penned(material: Material, size: int, done: float, rng: random.Random) -> TrainingExample:
    """A handwritten word on paper, with nothing that can be named behind it."""
    word, _ = _read(material, done, rng)
    on = backgrounds.background(size, rng, [rng.choice(material.full)[0]])
    text = handwriting.penned(word, rng.choice(material.hands).path, rng)
    written, _ = labels.labelled(on, text, rng, shares=LARGE)
    caption = rng.choice(WORD).format(word)
    return TrainingExample(written.picture, {word: 1.0}, caption, frozenset([word]), written=word, spots=written.spots)


def _word(material: Material, size: int, done: float, rng: random.Random) -> TrainingExample:
    word, font = _read(material, done, rng)
    if rng.random() < 0.5:
        written = writing.plain(word, font, size=size, rng=rng)
    else:
        on = backgrounds.background(size, rng, [photo for photo, _ in (rng.choice(material.full),)])
        sprite = writing.sprite(word, font, width=size * rng.uniform(0.5, 1), rng=rng, paper=0.4)
        written = writing.labelled(on, sprite, rng)
    picture = written.picture
    if rng.random() < 0.1:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1)))
    caption = rng.choice(WORD).format(word)
    return TrainingExample(picture, {word: 1.0}, caption, frozenset([word]), written=word, spots=written.spots)


KINDS = {"attacked": _attacked, "noted": _noted, "blank": _blank, "word": _word, "penned": _penned}
