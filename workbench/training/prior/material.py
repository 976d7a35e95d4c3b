"""What the prior learns from: pictures of 64 pixels, each with its sentences, style and embeddings.

Read, rendered and embedded once, and kept in one file.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from workbench.backend import ClipBackend
from workbench.generation.prior import SIDE
from workbench.training.pocket import emoji, scenes, shapes
from workbench.training.pocket.bank import COLOURS, COUNTS, SHAPES
from workbench.training.prior.held_out import COMPOSITIONS, NAMES

STYLES = ("google", "twitter", "noto-v1", "emojione", "scene")
TEMPLATES = ("{}", "a {}", "a photo of a {}.", "a drawing of a {}")
_SCENES, _COUNTS, _WORDS = 3200, 2400, 300
_MOST_TAGS = 3
_TINTED = "dog face,cat face,apple,car,automobile,bird,fish,rabbit face,bear,frog,horse,butterfly,house,umbrella"
_TINTED += ",hat,shoe,balloon,flower,tree,boat,sailboat,bicycle,bus,chair,key,clock,cup,bell,gift,star,pear,banana"
_COUNTED = "cat,dog,apple,pear,banana,fish,bird,star,heart,balloon,strawberry,lemon,mushroom,bell,key,egg,leaf,rose"


@dataclass(frozen=True)
class NamedDrawing:
    """One picture, its sentences and its style."""

    picture: NDArray[np.uint8]  # (64, 64, 3)
    texts: tuple[str, ...]
    style: int


@dataclass(frozen=True, eq=False)
class DrawingSet:
    """All pictures, embedded."""

    pictures: Tensor  # (n, 3, 64, 64) uint8
    image_rows: Tensor  # (n, dim) float16
    text_rows: Tensor  # (m, dim) float16
    first: Tensor  # (n + 1,): where each picture's texts begin
    styles: Tensor  # (n,)
    names: tuple[str, ...]  # (n,)


def material(modules: Path, model: ClipBackend, keep: Path) -> DrawingSet:
    """Read what is kept, or make and keep it.

    Raises:
        BadInput: artwork is missing.
    """
    if not keep.exists():
        drawn = list(_drawn(modules, random.Random(0)))
        big = [Image.fromarray(one.picture).resize((224, 224), Image.Resampling.BICUBIC) for one in drawn]
        rows = torch.cat([model.embed_images(big[start : start + 64]) for start in range(0, len(big), 64)])
        texts = sorted({text for one in drawn for text in one.texts})
        place = {text: number for number, text in enumerate(texts)}
        text_rows = torch.cat([model.embed_texts(texts[start : start + 256]) for start in range(0, len(texts), 256)])
        order = [place[text] for one in drawn for text in one.texts]
        keep.parent.mkdir(parents=True, exist_ok=True)
        half = keep.with_suffix(".part.npz")
        np.savez(
            half,
            pictures=np.stack([one.picture for one in drawn]),
            image_rows=rows.numpy().astype(np.float16),
            text_rows=text_rows.numpy().astype(np.float16)[order],
            first=np.cumsum([0, *(len(one.texts) for one in drawn)]),
            styles=np.array([one.style for one in drawn]),
            names=np.array([one.texts[0] for one in drawn]),
        )
        half.rename(keep)
    with np.load(keep, allow_pickle=False) as kept:
        tensors = {name: torch.from_numpy(kept[name]) for name in kept.files if name != "names"}
        names = tuple(map(str, kept["names"]))
    tensors["pictures"] = tensors["pictures"].movedim(-1, 1).contiguous()
    return DrawingSet(**tensors, names=names)


def _drawn(modules: Path, rng: random.Random) -> Iterator[NamedDrawing]:
    every = tuple(one for one in emoji.emoji(modules) if not one.skinned and one.name not in NAMES)
    by_name: dict[str, list[NDArray[np.uint8]]] = {}
    for number, style in enumerate(STYLES[:-1]):
        for one, sprite in emoji.sprites(modules, style, every):
            by_name.setdefault(one.name, []).append(sprite)
            texts = [template.format(one.name) for template in TEMPLATES]
            yield NamedDrawing(_on_white(sprite), (*texts, *(f"a {tag}" for tag in one.tags[:_MOST_TAGS])), number)
    yield from _scenes(by_name, rng)


def _scenes(by_name: dict[str, list[NDArray[np.uint8]]], rng: random.Random) -> Iterator[NamedDrawing]:
    """Coloured shapes and things, one to five of a kind, and words; compositions that are held out never."""
    things = [name for name in _TINTED.split(",") if name in by_name]
    counted = [name for name in _COUNTED.split(",") if name in by_name]
    made = 0
    while made < _SCENES:
        colour = rng.choice(COLOURS)
        kind = rng.choice(SHAPES) if rng.random() < 0.45 else rng.choice(things)
        name = kind.removesuffix(" face")
        if f"{colour} {name}" in COMPOSITIONS:
            continue
        side, fill = rng.randint(46, 60), shapes.paint(colour, rng)
        if kind in SHAPES:
            part = shapes.shape(kind, fill, side)
        else:
            part = shapes.tinted(rng.choice(by_name[kind]), fill).resize((side, side), Image.Resampling.BICUBIC)
        made += 1
        yield _scene(part, (rng.randint(0, SIDE - side), rng.randint(0, SIDE - side)), f"{colour} {name}")
    for _ in range(_COUNTS):
        yield _many(by_name, counted, rng)
    for _ in range(_WORDS):
        yield _word(rng)


def _scene(part: Image.Image, at: tuple[int, int], name: str) -> NamedDrawing:
    ground = Image.new("RGB", (SIDE, SIDE), "white" if "white" not in name else (205, 215, 225))
    ground.paste(part, at, part)
    return NamedDrawing(
        np.asarray(ground), tuple(template.format(name) for template in TEMPLATES), STYLES.index("scene")
    )


def _many(by_name: dict[str, list[NDArray[np.uint8]]], things: list[str], rng: random.Random) -> NamedDrawing:
    while True:
        number, colour = rng.randint(1, 5), rng.choice(COLOURS[:7])
        shaped = rng.random() < 0.5
        kind = rng.choice(SHAPES[:6]) if shaped else rng.choice(things)
        name = f"{colour} {kind}" if shaped else kind
        plural = scenes.many(name) if number > 1 else name
        if f"{COUNTS[number - 1]} {plural}" not in COMPOSITIONS:
            break
    sprite, fill = None if shaped else rng.choice(by_name[kind]), shapes.paint(colour, rng)

    def draw(side: int) -> Image.Image:
        if sprite is None:
            return shapes.shape(kind, fill, side)
        return Image.fromarray(sprite).resize((side, side), Image.Resampling.BICUBIC)

    ground = Image.new("RGB", (SIDE, SIDE), "white")
    scenes.counted((kind, draw), number, on=ground, rng=rng)
    phrase = f"{COUNTS[number - 1]} {plural}"
    texts = (phrase, f"a photo of {phrase}.", f"there are {phrase}", f"a drawing of {phrase}")
    return NamedDrawing(np.asarray(ground), texts, STYLES.index("scene"))


def _word(rng: random.Random) -> NamedDrawing:
    word = rng.choice(("stop", "love", "open", "sale", "cat", "dog", "yes", "no", "hello", "pizza", "exit", "peace"))
    colour = rng.choice(("black", "red", "blue", "green"))
    ground = Image.new("RGB", (SIDE, SIDE), "white")
    pen, font = ImageDraw.Draw(ground), ImageFont.load_default(size=rng.randint(18, 24))
    pen.text((SIDE / 2, SIDE / 2 + rng.randint(-6, 6)), word, fill=shapes.paint(colour, rng), font=font, anchor="mm")
    phrase = f"the word {word}"
    return NamedDrawing(
        np.asarray(ground), (phrase, f'the written word "{word}"', f"{word}, written"), STYLES.index("scene")
    )


def _on_white(sprite: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.new("RGBA", (emoji.SIDE, emoji.SIDE), "white")
    picture.alpha_composite(Image.fromarray(sprite))
    return np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS))
