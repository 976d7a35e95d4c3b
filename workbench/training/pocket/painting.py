"""Makes one example: a photo, one with a label on it, a word, a drawing, a vessel, a colour, a count, a pair."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.training.pocket import (
    backgrounds,
    colouring,
    emoji,
    handwriting,
    labels,
    scenes,
    shapes,
    styling,
    vessels,
    views,
    worded,
    writing,
)
from workbench.training.pocket.bank import COLOURS, SHAPES, also_called
from workbench.training.pocket.example import PHOTO, TrainingExample, choose, claimed, class_name
from workbench.training.pocket.ingredients import SMALL
from workbench.training.pocket.material import Drawing, Material
from workbench.training.pocket.names import CLASSES

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
ALIKE = 0.15  # of the drawings are of what photos show as well
SKINNED = 0.2  # of the drawings have a skin tone
COLOURED_IN = 0.7  # of the line drawings of what other styles have in colours
DARK = 0.06  # of the drawings are silhouettes
OUTLINED = 0.25  # of the others have few flat colours and black lines
FLAT = (3, 4, 6)  # so many
WHITE = 0.3  # of the drawings are on white whatever the grounds say
SHAPED = 0.3  # of the colours are shapes, which are easy; the others are tinted drawings
EVEN = 0.5  # of the pairs share their picture evenly
SMALLER = 0.3  # of the picture, and no less, the smaller of another pair has: the larger hides it otherwise
TINY = (24, 44)  # pixels that a small photo is sometimes brought down to
TAKEN = 0.3  # of the other photos are taken again: noise, white balance, exposure
NOTED = {"drawing": 0.4, "vessel": 0.12}  # of these have a handwritten label
READABLE = 96  # pixels a side, below which a drawing has none
OF_NOTE, NOTE = 0.6, (0.04, 0.3)  # of the target of such a picture is the word's; of the picture, the label
DRAWN_NOTE, NOTE_WIDTH = 0.6, (0.25, 0.75)  # of a drawing's labels are flat, as drawings have them; of a side, the word
SOFT = 0.3  # of the drawings that are known sharp are as soft as small pictures of them
COARSE = (40, 110)  # pixels that a full-size photo is sometimes brought down to


def _photo(material: Material, size: int, rng: random.Random) -> TrainingExample:
    photo, label = choose(material, rng)
    weights = dict(material.bank.of_class[label])
    name = class_name(material, label, rng)
    caption = rng.choice(PHOTO).format(name)
    shown = functools.partial(
        TrainingExample, weights=weights, caption=caption, claims=claimed(name, weights), label=label
    )
    if min(photo.size) < SMALL:  # the classifier knows such photos badly: their labels decide more
        picture = styling.toned(views.crop(photo, size, rng, least=0.5), rng, often=0.2)
        return shown(styling.coarse(picture, rng.randint(*TINY)) if rng.random() < 0.2 else picture, soft=0.3)
    picture, chance = views.crop(photo, size, rng), rng.random()
    if chance < 0.25:  # a stranger's part in it: the classifier says what this is
        other, _ = choose(material, rng)
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
    picture = Image.fromarray(drawn)
    if drawn.shape[0] > emoji.SIDE and rng.random() < SOFT:
        picture = picture.resize((emoji.SIDE, emoji.SIDE), Image.Resampling.BOX)
    picture = picture.resize((side, side), Image.Resampling.BICUBIC)
    if rng.random() < 0.4:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return writing.pasted(on, picture, rng, tilt=10)


def _restyled(drawn: NDArray[np.uint8], on: Image.Image, rng: random.Random) -> NDArray[np.uint8]:
    chance = rng.random()
    if chance < DARK:
        return colouring.silhouette(drawn, 0 if np.asarray(on).mean() > colouring.SOLID else 255)
    if chance < DARK + OUTLINED and colouring.paint_of(drawn) is not None:
        return colouring.outlined(drawn, colours=rng.choice(FLAT), width=rng.choice((1, 3)))
    return drawn


def _drawing(material: Material, size: int, rng: random.Random) -> TrainingExample:
    likeness = material.likenesses and rng.random() < ALIKE
    one, drawn = rng.choice(material.likenesses) if likeness else _sprite(material, rng)
    on = backgrounds.background(size, rng, [rng.choice(material.full)[0]])
    on = Image.new("RGB", on.size, (255, 255, 255)) if rng.random() < WHITE else on
    if one.name in material.paints and colouring.paint_of(drawn) is None and rng.random() < COLOURED_IN:
        drawn = colouring.coloured_in(drawn, material.paints[one.name])
    elif not one.skinned:
        drawn = _restyled(drawn, on, rng)
    picture = _placed(drawn, on, rng)
    picture = styling.other_hand(picture, rng, paint=not one.skinned)
    name = one.name
    weights = {name: 2.0} if name in material.bank.place else {}
    plain = name.removesuffix(" face")  # nobody calls a drawn tiger a tiger face
    weights |= {other: 2.0 if other == plain else 1.0 for other in also_called(one, material.bank)}
    weights |= dict.fromkeys(one.parts, 1.0 if one.skinned else 0.5)
    weights |= {tag: 0.15 for tag in one.tags if tag in material.bank.place and tag not in weights}
    if one.parts and rng.random() < (0.5 if one.skinned else 0.3):
        name = rng.choice(one.parts)
    form = rng.choice(DRAWN)
    false = tuple(map(form.format, emoji.others(name)))
    example = TrainingExample(picture, weights or {name: 1.0}, form.format(name), frozenset([name]), false)
    if size >= READABLE and rng.random() < NOTED["drawing"]:
        return _noted(material, example, form, rng, drawn=True)
    return example


def _noted(
    material: Material, example: TrainingExample, form: str, rng: random.Random, *, drawn: bool = False
) -> TrainingExample:
    """The same with a handwritten label on it, which the caption says instead; a drawing's may be drawn as well."""
    word = rng.choice([one for one in material.common if one not in example.weights])
    picture, font = example.picture, rng.choice(material.hands).path
    if drawn and rng.random() < DRAWN_NOTE:
        sprite = writing.sprite(word, font, width=picture.width * rng.uniform(*NOTE_WIDTH), rng=rng, paper=0.9)
        written = writing.labelled(picture.copy(), sprite, rng, tilt=10)
    else:
        written, _ = labels.labelled(picture, handwriting.penned(word, font, rng), rng, shares=NOTE)
    of_thing = (1 - OF_NOTE) / sum(example.weights.values())
    weights = {name: of_thing * weight for name, weight in example.weights.items()} | {word: OF_NOTE}
    caption = form.format(word)
    false = tuple(one for one in (example.caption, *example.false) if one.lower() != caption.lower())
    labelled = replace(example, picture=written.picture, weights=weights, written=word, spots=written.spots)
    return replace(labelled, caption=caption, claims=frozenset([word]), false=false)


def _colour(material: Material, size: int, rng: random.Random) -> TrainingExample:
    name, side = rng.choice(COLOURS), int(size * rng.uniform(0.4, 0.95))
    fill = shapes.paint(name, rng)
    if rng.random() < SHAPED:
        kind = rng.choice(SHAPES)
        thing = kind, shapes.shape(kind, fill, side)
    else:
        kind, drawn = _thing(material, rng)
        thing = kind, shapes.tinted(drawn, fill).resize((side, side), Image.Resampling.BICUBIC)
    on = Image.new("RGB", (size, size), (255, 255, 255) if rng.random() < 0.5 else backgrounds.contrast(fill, rng))
    if name in ("white", "yellow") and rng.random() < 0.8:
        on = Image.new("RGB", (size, size), tuple(rng.randrange(0, 130) for _ in range(3)))
    scene = scenes.coloured(thing, name, on=on, rng=rng)
    return TrainingExample(scene.picture, scene.weights, scene.caption, scene.claims, scene.false)


def _count(material: Material, size: int, rng: random.Random) -> TrainingExample:
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
    on = backgrounds.background(size, rng, [rng.choice(material.full)[0]])
    scene = scenes.counted((kind.lower(), draw), rng.randint(1, 5), on=on, rng=rng)
    return TrainingExample(scene.picture, scene.weights, scene.caption, scene.claims, scene.false)


def _pair(material: Material, size: int, rng: random.Random) -> TrainingExample:
    parts, names = [], []
    for _ in "ab":
        if rng.random() < 0.7:
            photo, label = choose(material, rng)
            parts.append(views.crop(photo, size, rng, least=0.6))
            names.append(class_name(material, label, rng).lower())
        else:
            kind, drawn = _thing(material, rng)
            parts.append(_placed(drawn, backgrounds.background(size, rng, [rng.choice(material.full)[0]]), rng))
            names.append(kind)
    other = class_name(material, rng.randrange(CLASSES), rng).lower()
    first = 0.5 if rng.random() < EVEN else rng.uniform(SMALLER, 1 - SMALLER)
    scene = scenes.together((names[0], names[1]), (parts[0], parts[1]), other=other, rng=rng, first=first)
    return TrainingExample(scene.picture, scene.weights, scene.caption, scene.claims, scene.false, named=False)


def _vessel(material: Material, size: int, rng: random.Random) -> TrainingExample:
    """A mug, a trash can and the like on a floor, some with a handwritten label; the others are what it is not."""
    vessel = vessels.chosen(rng)
    behind = [views.crop(rng.choice(material.full)[0], size, rng, least=0.1) for _ in "ab"]
    picture = vessels.placed(vessels.drawn(vessel, size, rng), behind, rng)
    names, form = [material.lexicon.concepts[label].names for label in vessels.CLASSES], rng.choice(PHOTO)
    name = rng.choice(material.lexicon.concepts[vessel.label].names[:3])
    false = tuple(form.format(rng.choice(other[:3])) for other in names if name not in other)
    weights, claims = dict(material.bank.of_class[vessel.label]), frozenset([name.lower()])
    example = TrainingExample(picture, weights, form.format(name), claims, false)
    if rng.random() < NOTED["vessel"]:
        return _noted(material, example, form, rng)
    return replace(example, picture=labels.taken(picture, rng)) if rng.random() < TAKEN else example


def example(material: Material, kind: str, *, size: int, done: float, rng: random.Random) -> TrainingExample:
    """Make one picture.

    Args:
        material: what is drawn from.
        kind: `photo`, `attacked`, `noted`, `blank`, `word`, `penned`, `drawing`, `colour`, `count`, `pair` or `vessel`.
        size: pixels a side.
        done: part of the run that is over; words become rarer along it.
        rng: decides everything else.
    """
    if kind in worded.KINDS:
        return worded.KINDS[kind](material, size, done, rng)
    makers = {
        "photo": _photo,
        "drawing": _drawing,
        "colour": _colour,
        "count": _count,
        "pair": _pair,
        "vessel": _vessel,
    }
    return makers[kind](material, size, rng)
