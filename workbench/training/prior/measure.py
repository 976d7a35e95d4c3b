"""Measure generated images: does a judge that steered nothing rank the right sentence first of forty?

    python -m workbench.training.prior.measure --methods prior-mpgd,fourier --seconds 20
    python -m workbench.training.prior.measure --methods prior-mpgd --compositions

The judge is `pocket-lite2`, or the model that `--judge` names. With `--modules node_modules` its own accuracy is
measured on drawings of the forty things in a style that neither the judge nor the prior has seen.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from workbench.backend import ClipBackend
from workbench.engine import Engine
from workbench.generation.canvases.kinds import CANVASES
from workbench.generation.judging import Generated
from workbench.generation.models import needed
from workbench.generation.painting import Neighbour
from workbench.generation.prior import Prior, load_prior
from workbench.generation.run import generate
from workbench.generation.settings import read_settings
from workbench.loading import load
from workbench.progress import Progress
from workbench.statistics.intervals import Share, proportion
from workbench.training.pocket import emoji
from workbench.training.prior.held_out import COMPOSITIONS

SENTENCES = {  # name of the drawing -> sentence
    "red apple": "a red apple",
    "banana": "a yellow banana",
    "strawberry": "a strawberry",
    "lemon": "a lemon",
    "watermelon": "a slice of watermelon",
    "grapes": "grapes",
    "pizza": "a pizza",
    "hamburger": "a hamburger",
    "doughnut": "a doughnut",
    "cookie": "a cookie",
    "birthday cake": "a birthday cake",
    "hot beverage": "a cup of coffee",
    "soccer ball": "a soccer ball",
    "basketball": "a basketball",
    "guitar": "a guitar",
    "violin": "a violin",
    "rocket": "a rocket",
    "automobile": "a red car",
    "bicycle": "a bicycle",
    "bus": "a bus",
    "sailboat": "a sailboat",
    "house": "a house",
    "castle": "a castle",
    "umbrella": "an umbrella",
    "key": "a key",
    "light bulb": "a light bulb",
    "camera": "a camera",
    "crown": "a crown",
    "balloon": "a red balloon",
    "sunflower": "a sunflower",
    "rose": "a rose",
    "evergreen tree": "a pine tree",
    "dog face": "a dog's face",
    "cat face": "a cat's face",
    "pig face": "a pig's face",
    "frog": "a frog",
    "panda": "a panda",
    "octopus": "an octopus",
    "ghost": "a ghost",
    "robot": "a robot",
}
_APART = "fluent"  # the style that the judge's accuracy is measured on
_SIDE = 224
_TILE = 96  # pixels of an image in the sheet


@dataclass(frozen=True, eq=False)
class Judge:
    """A model that steered nothing; it ranks n sentences for an image."""

    backend: ClipBackend
    sentences: Tensor  # (n, dim) unit rows

    @classmethod
    def loaded(cls, key: str, sentences: Sequence[str]) -> Judge:
        """The judge of that key."""
        backend = load(key, device="cpu")
        return cls(backend, backend.embed_texts(sentences))

    def best(self, images: Sequence[Image.Image]) -> Tensor:
        """The number of the likeliest sentence for each image, (n,)."""
        return (self.backend.embed_images(list(images)) @ self.sentences.T).argmax(dim=1)


def accuracy(judge: Judge, modules: Path) -> Share:
    """The share of drawings of the forty things, in a style that no training saw, for which the judge is right.

    Raises:
        BadInput: artwork is missing.
    """
    every = tuple(one for one in emoji.emoji(modules) if one.name in SENTENCES and not one.skinned)
    names, hits = list(SENTENCES), list[bool]()
    for one, sprite in emoji.sprites(modules, _APART, every):
        part = Image.fromarray(sprite).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        ground = Image.new("RGB", part.size, "white")
        ground.paste(part, (0, 0), part)
        hits.append(int(judge.best([ground])[0]) == names.index(one.name))
    return proportion(sum(hits), len(hits))


ROWS: dict[str, dict[str, Any]] = {  # what is compared -> settings
    "prior-unguided": {"method": "prior", "push": 0, "guidance": 1, "candidates": 1, "steps": 1},
    "prior-one": {"method": "prior", "push": 0, "candidates": 1, "steps": 1},
    "prior-best": {"method": "prior", "push": 0},  # best of many
    "prior-near": {"method": "prior", "push": 0, "search": "near"},
    **{
        f"prior-{guide}": {"method": "prior", "guide": guide, "push": 1}
        for guide in ("mpgd", "dps", "freedom", "universal", "tfg")
    },
    **{method: {"method": method} for method in CANVASES},
}
NEAREST_ROW = "nearest drawing of the training"


@dataclass(eq=False)
class MethodHits:
    """Hits of one row of the table."""

    count: int = 0
    judged: int = 0  # the judge ranks the right sentence first
    own: int = 0  # so does the model that steered
    steps: int = 0

    def row(self, name: str, seconds: float) -> dict[str, object]:
        """As JSON: shares with their intervals."""
        shares = {"judge": proportion(self.judged, self.count), "steering model": proportion(self.own, self.count)}
        figures = {key: [share.value, share.low, share.high] for key, share in shares.items()}
        return {"row": name, "n": self.count, "seconds": seconds, "steps": self.steps / self.count, **figures}


def compare(engine: Engine, judge: Judge, order: MethodTable) -> Iterator[tuple[str, MethodHits, list[Image.Image]]]:
    """Yield each row with its hits and its images; drawings of the training that are nearest follow a prior's row.

    Equal seconds for all rows, except those of a single drawing.
    """
    texts = order.sentences
    for name in order.rows:
        scores, near = MethodHits(), MethodHits()
        tiles: list[Image.Image] = []
        drawings: list[Image.Image] = []
        began = time.monotonic()
        for number, sentence in enumerate(texts):
            seconds = time.monotonic() - began
            done = Progress.timed(number, len(texts), "sentences", seconds=seconds, computed=number)
            sys.stderr.write(f"{name}: {done.line}\n")
            for seed in range(order.seeds):
                given = {"prompt": sentence, "seed": seed, "seconds": order.seconds, **ROWS[name], **order.extra}
                settings = read_settings(given)
                with engine.session("measure", settings.model, others=needed(settings)) as session:
                    *_, made = generate(session, settings)
                    assert isinstance(made, Generated)
                    pairs = [(Image.fromarray(made.painting.pixels), scores, tiles)]
                    if made.painting.nearest is not None:
                        pairs.append((order.drawing(made.painting.nearest), near, drawings))
                    for image, row, images in pairs:
                        own = session.embed_texts(texts) @ session.embed_images([image])[0]
                        row.own += int(own.argmax()) == number
                        row.judged += int(judge.best([image])[0]) == number
                        row.count += 1
                        images.append(image.resize((_TILE, _TILE), Image.Resampling.BICUBIC))
                    scores.steps += made.painting.settings.steps
        yield name, scores, tiles
        if drawings:
            yield f"{NEAREST_ROW} ({name})", near, drawings


@dataclass(frozen=True, eq=False)
class MethodTable:
    """What is compared."""

    rows: Sequence[str]
    sentences: Sequence[str]
    seconds: float
    seeds: int
    extra: Mapping[str, str]
    prior: Prior

    def drawing(self, neighbour: Neighbour) -> Image.Image:
        """The drawing of the training, from the components by which it was found."""
        values = torch.zeros(1, len(self.prior.components.scales))
        known = self.prior.drawings[neighbour.number]
        values[0, : len(known)] = known / self.prior.components.scales[: len(known)]
        image = (self.prior.components.decode(values)[0].movedim(0, -1) * 255).round().byte().numpy()
        return Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate, judge, and write one JSON line a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", default="pocket-lite2", help="a key of the catalogue, or a folder")
    parser.add_argument("--modules", type=Path, help="node_modules with the artwork, to measure the judge too")
    parser.add_argument(
        "--compositions", action="store_true", help="the twenty that were held out, not the forty things"
    )
    parser.add_argument("--methods", default="prior-mpgd", help=f"joined by commas: {', '.join(ROWS)}; or all")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each image")
    parser.add_argument("--seeds", type=int, default=1, help="images of each sentence")
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE, a setting of all images")
    parser.add_argument("--sheet", type=Path, help="a JPEG of all images, ten in a row")
    given = parser.parse_args(arguments)
    names = list(ROWS) if given.methods == "all" else given.methods.split(",")
    if unknown := [name for name in names if name not in ROWS]:
        parser.error(f"--methods takes all or some of {', '.join(ROWS)}; got {', '.join(map(repr, unknown))}")
    if given.seeds < 1 or given.seconds <= 0:
        parser.error(f"--seeds takes 1 or more and --seconds more than 0; got {given.seeds} and {given.seconds:g}")
    if given.modules and given.compositions:
        parser.error("--modules measures the judge on drawings of the forty things, not on --compositions")
    sentences = sorted(COMPOSITIONS) if given.compositions else list(SENTENCES.values())
    judge = Judge.loaded(given.judge, sentences)
    if given.modules:
        sys.stderr.write(f"The judge is right about drawings of an unseen style: {accuracy(judge, given.modules)}.\n")
    extra = dict(pair.split("=", 1) for pair in given.set)
    order = MethodTable(names, sentences, given.seconds, given.seeds, extra, load_prior())
    tiles: list[Image.Image] = []
    for name, scores, images in compare(Engine(default="pocket", device="cpu"), judge, order):
        sys.stdout.write(json.dumps({**scores.row(name, given.seconds), "settings": extra}) + "\n")
        sys.stdout.flush()
        tiles += images
    if given.sheet:
        sheet = Image.new("RGB", (10 * _TILE, -(-len(tiles) // 10) * _TILE), "white")
        for at, tile in enumerate(tiles):
            sheet.paste(tile, (at % 10 * _TILE, at // 10 * _TILE))
        sheet.save(given.sheet, quality=85)


if __name__ == "__main__":
    main()
