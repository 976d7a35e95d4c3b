"""One picture of the stream: a photo, one with a label on it, a word, a drawing, a colour, a count, a pair."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from workbench.training.pocket import emoji, grounds, handwriting, labels, scenes, shapes, styling, views, writing
from workbench.training.pocket.bank import COLOURS, SHAPES
from workbench.training.pocket.ingredients import SMALL
from workbench.training.pocket.material import Drawing, Material
from workbench.training.pocket.names import CLASSES

PHOTO = (
    "a photo of a {}.",
    "a photo of a {}.",
    "{}",
    "a picture of a {}.",
    "a photo of the {}.",
    "a {}",
    "an image of a {}.",
)
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
DRAWN = (
    "{}",
    "an emoji of a {}",
    "a drawing of a {}.",
    "a cartoon {}",
    "a photo of a {}.",
    "a sketch of a {}",
    "a {}",
    "an icon of a {}",
)
OF_WORD = (0.12, 0.36)  # of the target of a photo with a printed word on it: of the smallest, of the largest
OF_HAND = (0.5, 0.7)  # the same where it is written by hand on a label
WIDE = (0.35, 0.9)  # of a side, the printed word
THINGS = 0.25  # of the words to read are names of things that no picture shows
LARGE = (0.1, 0.6)  # of the picture that a label takes where only the word is asked for
FULL = 0.55  # of the photos are of full size
ALIKE = {"word": 0.3, "drawing": 0.15}  # of these are of what photos show as well
SKINNED = 0.2  # of the drawings have a skin tone
WHITE = 0.3  # of the drawings are on white whatever the grounds say
EVEN = 0.5  # of the pairs share their picture evenly
SMALLER = 0.3  # of the picture, and no less, the smaller of another pair has: the larger hides it otherwise
TINY = (24, 44)  # pixels that a small photo is sometimes brought down to
TAKEN = 0.3  # of the other photos are taken again: noise, white balance, exposure
COARSE = (40, 110)  # pixels that a full-size photo is sometimes brought down to


@dataclass
class Made:
    """One picture with what it shows, a caption, captions that are false of it, and the classifier's say (0..1).

    `label` is the class of a photo without writing, -1 for all else; `written` is the word on it, "" for none, and
    `spots` say where its letters lie, in parts of the picture's sides. `claims` are the names in the caption: it
    is true of every picture that shows them all.
    """

    picture: Image.Image
    weights: dict[str, float]
    caption: str
    claims: frozenset[str]
    false: tuple[str, ...] = ()
    soft: float = 0.0
    label: int = -1
    written: str = ""
    spots: tuple[writing.Spot, ...] = ()
    named: bool = True  # whether it is asked which of all names it shows, and not only which sentence


def _choose(material: Material, rng: random.Random) -> tuple[Image.Image, int]:
    return rng.choice(material.full if rng.random() < FULL else material.small)


def _name(material: Material, label: int, rng: random.Random) -> str:
    """Any name of a class, its first the most often."""
    concepts, chance = material.lexicon.concepts, rng.random()
    wider = material.lexicon.above[label]
    if chance < 0.2 and wider:
        return concepts[rng.choice(wider)].names[0].lower()
    return concepts[label].names[0] if chance < 0.75 else rng.choice(concepts[label].names)


def _claimed(name: str, weights: dict[str, float]) -> frozenset[str]:
    """What a caption with a class's name claims: that name, or the class's first where the bank lacks it."""
    return frozenset([name.lower() if name.lower() in weights else max(weights, key=weights.__getitem__)])


def _photo(material: Material, size: int, rng: random.Random) -> Made:
    photo, label = _choose(material, rng)
    weights = dict(material.bank.of_class[label])
    name = _name(material, label, rng)
    caption = rng.choice(PHOTO).format(name)
    shown = functools.partial(Made, weights=weights, caption=caption, claims=_claimed(name, weights), label=label)
    if min(photo.size) < SMALL:  # the classifier knows such photos badly: their labels decide more
        picture = styling.toned(views.crop(photo, size, rng, least=0.5), rng, often=0.2)
        return shown(styling.coarse(picture, rng.randint(*TINY)) if rng.random() < 0.2 else picture, soft=0.3)
    picture, chance = views.crop(photo, size, rng), rng.random()
    if chance < 0.25:  # a stranger's part in it: the classifier says what this is
        other, _ = _choose(material, rng)
        wide = int(size * rng.uniform(0.3, 0.6))
        picture.paste(views.crop(other, wide, rng), (rng.randint(0, size - wide), rng.randint(0, size - wide)))
    elif chance < 0.55:  # of two photos there are many more mixtures than there are photos
        other, of_other = rng.choice(material.full)
        picture = views.mixed(picture, views.crop(other, size, rng), rng)
        both = {**material.bank.of_class[of_other], **weights}
        return shown(styling.toned(picture, rng, often=0.25), weights=both, soft=1.0)
    elif chance < 0.62:
        return shown(styling.sketched(picture, rng), caption=rng.choice(DRAWN).format(name))
    elif chance < 0.7:
        return shown(styling.coarse(picture, rng.randint(*COARSE)), soft=0.5)
    picture = labels.taken(picture, rng) if rng.random() < TAKEN else styling.toned(picture, rng, often=0.25)
    return shown(picture, soft=1.0)  # their labels would be learned by heart


def _read(material: Material, done: float, rng: random.Random) -> tuple[str, str]:
    """A word and a printed font; common words first, all of them from two fifths of the run on."""
    if material.bank.things and rng.random() < THINGS:
        return rng.choice(material.bank.things), rng.choice(material.fonts).path
    every = material.common
    among = every[: max(250, int(len(every) * min(1, 0.2 + 2 * done)))]
    if material.bank.alike and rng.random() < ALIKE["word"]:
        among = material.bank.alike
    return rng.choice(among), rng.choice(material.fonts).path


def _attacked(material: Material, size: int, done: float, rng: random.Random) -> Made:
    photo, label = _choose(material, rng)
    picture = views.crop(photo, size, rng)
    word, font = _read(material, done, rng)
    wide = rng.uniform(*WIDE)
    sprite = writing.sprite(word, font, width=size * wide, rng=rng, paper=0.7)
    written = writing.labelled(picture, sprite, rng)
    least, most = OF_WORD
    share = least + (most - least) * (wide - WIDE[0]) / (WIDE[1] - WIDE[0])
    return _both(material, written, (label, word), share, rng)


def _both(
    material: Material, written: writing.Written, shown: tuple[int, str], share: float, rng: random.Random
) -> Made:
    """A photo with a word on it: `share` of its target is the word's, the rest its class's."""
    label, word = shown
    weights = {name: (1 - share) * weight for name, weight in material.bank.of_class[label].items()}
    name, of_word = _name(material, label, rng), rng.random() < share
    caption = rng.choice(WORD).format(word) if of_word else rng.choice(PHOTO).format(name)
    claims = frozenset([word]) if of_word else _claimed(name, material.bank.of_class[label])
    weights[word] = weights.get(word, 0) + share
    return Made(written.picture, weights, caption, claims, written=word, spots=written.spots)


def _noted(material: Material, size: int, done: float, rng: random.Random) -> Made:
    """A photo with a handwritten label on it."""
    photo, label = _choose(material, rng)
    word, _ = _read(material, done, rng)
    text = handwriting.penned(word, rng.choice(material.hands).path, rng)
    written, area = labels.labelled(views.crop(photo, size, rng), text, rng)
    least, most = OF_HAND
    share = least + (most - least) * min(1.0, area / labels.SHARES[1])
    return _both(material, written, (label, word), share, rng)


def _blank(material: Material, size: int, rng: random.Random) -> Made:
    """A photo with a blank label on it, which is a photo of the same thing."""
    photo, label = _choose(material, rng)
    written, _ = labels.labelled(views.crop(photo, size, rng), None, rng)
    weights, name = dict(material.bank.of_class[label]), _name(material, label, rng)
    return Made(written.picture, weights, rng.choice(PHOTO).format(name), _claimed(name, weights))


def _penned(material: Material, size: int, done: float, rng: random.Random) -> Made:
    """A handwritten word on paper, with nothing that can be named behind it."""
    word, _ = _read(material, done, rng)
    on = grounds.ground(size, rng, [rng.choice(material.full)[0]])
    text = handwriting.penned(word, rng.choice(material.hands).path, rng)
    written, _ = labels.labelled(on, text, rng, shares=LARGE)
    caption = rng.choice(WORD).format(word)
    return Made(written.picture, {word: 1.0}, caption, frozenset([word]), written=word, spots=written.spots)


def _word(material: Material, size: int, done: float, rng: random.Random) -> Made:
    word, font = _read(material, done, rng)
    if rng.random() < 0.5:
        written = writing.plain(word, font, size=size, rng=rng)
    else:
        on = grounds.ground(size, rng, [photo for photo, _ in (rng.choice(material.full),)])
        sprite = writing.sprite(word, font, width=size * rng.uniform(0.5, 1), rng=rng, paper=0.4)
        written = writing.labelled(on, sprite, rng)
    picture = written.picture
    if rng.random() < 0.1:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1)))
    caption = rng.choice(WORD).format(word)
    return Made(picture, {word: 1.0}, caption, frozenset([word]), written=word, spots=written.spots)


def _sprite(material: Material, rng: random.Random) -> Drawing:
    """Any drawing, whatever its style; most are without skin tones."""
    return rng.choice(material.skinned if material.skinned and rng.random() < SKINNED else material.plain)


def _thing(material: Material, rng: random.Random) -> tuple[str, NDArray[np.uint8]]:
    """A drawing whose name is one or two words."""
    while True:
        one, drawn = rng.choice(material.things)
        if one.name.replace(" ", "").isalpha() and one.name.count(" ") < 2 and "face" not in one.name:
            return one.name, drawn


def _placed(drawn: NDArray[np.uint8], on: Image.Image, rng: random.Random) -> Image.Image:
    side = int(on.width * rng.uniform(0.5, 0.98))
    picture = Image.fromarray(drawn).resize((side, side), Image.Resampling.BICUBIC)
    if rng.random() < 0.4:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return writing.pasted(on, picture, rng, tilt=10)


def _drawing(material: Material, size: int, rng: random.Random) -> Made:
    likeness = material.likenesses and rng.random() < ALIKE["drawing"]
    one, drawn = rng.choice(material.likenesses) if likeness else _sprite(material, rng)
    on = grounds.ground(size, rng, [rng.choice(material.full)[0]])
    on = Image.new("RGB", on.size, (255, 255, 255)) if rng.random() < WHITE else on
    picture = _placed(drawn, on, rng)
    picture = styling.other_hand(picture, rng, paint=not one.skinned)
    name = one.name
    weights = {name: 2.0} if name in material.bank.place else {}
    weights |= dict.fromkeys(one.parts, 1.0 if one.skinned else 0.5)
    weights |= {tag: 0.15 for tag in one.tags if tag in material.bank.place and tag not in weights}
    if one.parts and rng.random() < (0.5 if one.skinned else 0.3):
        name = rng.choice(one.parts)
    form = rng.choice(DRAWN)
    false = tuple(map(form.format, emoji.others(name)))
    return Made(picture, weights or {name: 1.0}, form.format(name), frozenset([name]), false)


def _colour(material: Material, size: int, rng: random.Random) -> Made:
    name, side = rng.choice(COLOURS), int(size * rng.uniform(0.4, 0.95))
    fill = shapes.paint(name, rng)
    if rng.random() < 0.6:
        kind = rng.choice(SHAPES)
        thing = kind, shapes.shape(kind, fill, side)
    else:
        kind, drawn = _thing(material, rng)
        thing = kind, shapes.tinted(drawn, fill).resize((side, side), Image.Resampling.BICUBIC)
    on = Image.new("RGB", (size, size), (255, 255, 255) if rng.random() < 0.5 else grounds.contrast(fill, rng))
    if name in ("white", "yellow") and rng.random() < 0.8:
        on = Image.new("RGB", (size, size), tuple(rng.randrange(0, 130) for _ in range(3)))
    scene = scenes.coloured(thing, name, on=on, rng=rng)
    return Made(scene.picture, scene.weights, scene.caption, scene.claims, scene.false)


def _count(material: Material, size: int, rng: random.Random) -> Made:
    chance = rng.random()
    if chance < 0.4:
        kind, fill = rng.choice(SHAPES), shapes.paint(rng.choice(COLOURS), rng)
        draw: Callable[[int], Image.Image] = lambda side: shapes.shape(kind, fill, side)  # noqa: E731
    elif chance < 0.85:
        kind, drawn = _thing(material, rng)
        draw = lambda side: Image.fromarray(drawn).resize((side, side), Image.Resampling.BICUBIC)  # noqa: E731
    else:
        photo, label = rng.choice(material.small)
        kind = material.lexicon.concepts[label].names[0]
        draw = lambda side: views.crop(photo, side, rng, least=0.8).convert("RGBA")  # noqa: E731
    on = grounds.ground(size, rng, [rng.choice(material.full)[0]])
    scene = scenes.counted((kind.lower(), draw), rng.randint(1, 5), on=on, rng=rng)
    return Made(scene.picture, scene.weights, scene.caption, scene.claims, scene.false)


def _pair(material: Material, size: int, rng: random.Random) -> Made:
    parts, names = [], []
    for _ in "ab":
        if rng.random() < 0.7:
            photo, label = _choose(material, rng)
            parts.append(views.crop(photo, size, rng, least=0.6))
            names.append(_name(material, label, rng).lower())
        else:
            kind, drawn = _thing(material, rng)
            parts.append(_placed(drawn, grounds.ground(size, rng, [rng.choice(material.full)[0]]), rng))
            names.append(kind)
    other = _name(material, rng.randrange(CLASSES), rng).lower()
    first = 0.5 if rng.random() < EVEN else rng.uniform(SMALLER, 1 - SMALLER)
    scene = scenes.together((names[0], names[1]), (parts[0], parts[1]), other=other, rng=rng, first=first)
    return Made(scene.picture, scene.weights, scene.caption, scene.claims, scene.false, named=False)


def made(material: Material, kind: str, *, size: int, done: float, rng: random.Random) -> Made:
    """Make one picture.

    Args:
        material: what is drawn from.
        kind: `photo`, `attacked`, `noted`, `blank`, `word`, `penned`, `drawing`, `colour`, `count` or `pair`.
        size: pixels a side.
        done: part of the run that is over; words become rarer along it.
        rng: decides everything else.
    """
    reading = {"attacked": _attacked, "noted": _noted, "word": _word, "penned": _penned}
    if kind in reading:
        return reading[kind](material, size, done, rng)
    makers = {"photo": _photo, "drawing": _drawing, "colour": _colour, "count": _count, "pair": _pair, "blank": _blank}
    return makers[kind](material, size, rng)
