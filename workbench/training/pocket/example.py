"""One example of the stream: an image, what it shows, and a caption; photos and their names."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image

from workbench.training.pocket.material import Material
from workbench.training.pocket.writing import Spot

PHOTO = (
    "a photo of a {}.",
    "a photo of a {}.",
    "{}",
    "a picture of a {}.",
    "a photo of the {}.",
    "a {}",
    "an image of a {}.",
)


@dataclass
class TrainingExample:
    """One picture with what it shows, a caption, captions that are false of it, and the classifier's say (0..1).

    `label` is the class of a photo without writing, -1 for all else; `written` is the word on it, "" for none, and
    `spots` say where its letters lie, in parts of the picture's sides. `claims` are the names in the caption: it
    is true of every picture that shows them all. `clean` is the photo under a word or label: the classifier is asked
    about it instead, and has its say, `soft` of the target.
    """

    picture: Image.Image
    weights: dict[str, float]
    caption: str
    claims: frozenset[str]
    false: tuple[str, ...] = ()
    soft: float = 0.0
    label: int = -1
    written: str = ""
    spots: tuple[Spot, ...] = ()
    clean: Image.Image | None = None
    named: bool = True  # whether it is asked which of all names it shows, and not only which sentence


def choose(material: Material, rng: random.Random) -> tuple[Image.Image, int]:
    """Any photo with its class; more of the full-size ones than of the small."""
    return rng.choice(material.full if rng.random() < material.full_part else material.small)


def class_name(material: Material, label: int, rng: random.Random) -> str:
    """Any name of a class, its first the most often."""
    concepts, chance = material.lexicon.concepts, rng.random()
    wider = material.lexicon.above[label]
    if chance < 0.2 and wider:
        return concepts[rng.choice(wider)].names[0].lower()
    return concepts[label].names[0] if chance < 0.75 else rng.choice(concepts[label].names)


def claimed(name: str, weights: dict[str, float]) -> frozenset[str]:
    """What a caption with a class's name claims: that name, or the class's first where the bank lacks it."""
    return frozenset([name.lower() if name.lower() in weights else max(weights, key=weights.__getitem__)])
