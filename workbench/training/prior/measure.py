"""Measure generated images: does a judge that steered nothing rank the right sentence first of forty?

    python -m workbench.training.prior.measure --modules node_modules --methods prior,fourier --seconds 20

The judge is a linear head on EfficientNet-Lite2's features, fitted to drawings of the forty things in all styles but
one; its own accuracy is measured on that one style, which neither the judge nor the prior has seen.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from workbench.engine import Engine
from workbench.generation.judging import Generated
from workbench.generation.models import needed
from workbench.generation.painting import Neighbour
from workbench.generation.prior import Prior, load_prior
from workbench.generation.run import generate
from workbench.generation.settings import BY_CHECKPOINT, METHODS, read_settings
from workbench.statistics.intervals import proportion
from workbench.training.pocket import emoji
from workbench.training.pocket.towers import locked

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
_VARIANTS = 6  # of each drawing


@dataclass(frozen=True, eq=False)
class DrawingJudge:
    """A linear head over forty things."""

    tower: torch.nn.Module
    weight: Tensor  # (40, features)
    bias: Tensor  # (40,)
    hits: int  # of drawings in the style that was apart
    seen: int

    def best(self, images: Sequence[Image.Image]) -> Tensor:
        """The number of the likeliest sentence for each image, (n,)."""
        return (_features(self.tower, images) @ self.weight.T + self.bias).argmax(dim=1)


def drawing_judge(modules: Path) -> DrawingJudge:
    """Fit a judge to drawings of the forty things, varied in place, size and sharpness.

    Raises:
        BadInput: artwork is missing.
    """
    from sklearn.linear_model import LogisticRegression

    every = tuple(one for one in emoji.emoji(modules) if one.name in SENTENCES and not one.skinned)
    place = {name: number for number, name in enumerate(SENTENCES)}
    rng, tower = np.random.default_rng(0), locked("lite2")
    images, labels, apart, truth = [], [], [], []
    for style in (*emoji.TRAINED, *emoji.TO_CHOOSE, *emoji.TO_REPORT):
        for one, sprite in emoji.sprites(modules, style, every):
            if style == _APART:
                apart.append(_varied(sprite, None))
                truth.append(place[one.name])
            else:
                images += [_varied(sprite, rng) for _ in range(_VARIANTS)]
                labels += [place[one.name]] * _VARIANTS
    head = LogisticRegression(C=0.1, max_iter=300).fit(_features(tower, images).numpy(), labels)
    weight, bias = torch.from_numpy(head.coef_).float(), torch.from_numpy(head.intercept_).float()
    right = (_features(tower, apart) @ weight.T + bias).argmax(dim=1) == torch.tensor(truth)
    return DrawingJudge(tower, weight, bias, int(right.sum()), len(truth))


def _varied(sprite: NDArray[np.uint8], rng: np.random.Generator | None) -> Image.Image:
    """A drawing on white; with a generator, moved, coarsened, tinted."""
    rgba = Image.fromarray(sprite)
    side = _SIDE if rng is None else int(rng.integers(150, _SIDE))
    ground = Image.new("RGB", (_SIDE, _SIDE), "white" if rng is None else tuple(rng.integers(160, 256, 3).tolist()))
    left, top = ((_SIDE - side) // 2,) * 2 if rng is None else rng.integers(0, _SIDE - side + 1, 2).tolist()
    part = rgba.resize((side, side), Image.Resampling.BICUBIC)
    ground.paste(part, (left, top), part)
    if rng is not None and rng.random() < 0.6:
        small = int(rng.integers(28, 80))
        ground = ground.resize((small, small), Image.Resampling.BOX).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    if rng is not None and rng.random() < 0.5:
        noise = rng.normal(0, rng.uniform(5, 40), (_SIDE // 4, _SIDE // 4, 3)).repeat(4, 0).repeat(4, 1)
        ground = Image.fromarray((np.asarray(ground) + noise).clip(0, 255).astype(np.uint8))
    return ground


@torch.inference_mode()
def _features(tower: torch.nn.Module, images: Sequence[Image.Image]) -> Tensor:
    rows = []
    for first in range(0, len(images), 16):
        part = images[first : first + 16]
        some = [np.array(image.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)) for image in part]
        pixels = torch.stack([torch.from_numpy(one) for one in some]).movedim(-1, 1).float() / 255
        rows.append(tower.forward_features(pixels * 2 - 1).mean(dim=(2, 3)))  # type: ignore[operator]
    return torch.cat(rows).clone()


ROWS: dict[str, dict[str, Any]] = {  # what is compared -> settings
    "prior-unguided": {"method": "prior", "guidance": 1, "candidates": 1, "steps": 1},
    "prior-one": {"method": "prior", "candidates": 1, "steps": 1},
    "prior": {"method": "prior"},  # guided, best of many
    "prior-near": {"method": "prior", "search": "near"},
    **{
        f"prior-{guide}": {"method": "prior", "guide": guide, "push": 1}
        for guide in ("mpgd", "dps", "freedom", "universal", "tfg")
    },
    **{method: {"method": method} for method in METHODS if method not in ("prior", *BY_CHECKPOINT)},
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
        found = {key: [share.value, share.low, share.high] for key, share in shares.items()}
        return {"row": name, "n": self.count, "seconds": seconds, "steps": self.steps / self.count, **found}


def compare(
    engine: Engine, judge: DrawingJudge, order: MethodTable
) -> Iterator[tuple[str, MethodHits, list[Image.Image]]]:
    """Yield each row with its hits and its images; drawings of the training that are nearest follow a prior's row.

    Equal seconds for all rows, except those of a single drawing.
    """
    texts = list(SENTENCES.values())
    for name in order.rows:
        scores, near = MethodHits(), MethodHits()
        tiles: list[Image.Image] = []
        drawings: list[Image.Image] = []
        for number, sentence in enumerate(texts):
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
    parser = argparse.ArgumentParser(description="Measure generated images with a judge that steered nothing.")
    parser.add_argument("--modules", type=Path, required=True, help="node_modules with the artwork")
    parser.add_argument("--methods", default="prior", help=f"joined by commas: {', '.join(ROWS)}; or all")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each image")
    parser.add_argument("--seeds", type=int, default=1, help="images of each sentence")
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE, a setting of all images")
    parser.add_argument("--sheet", type=Path, help="a JPEG of all images, ten in a row")
    given = parser.parse_args(arguments)
    names = list(ROWS) if given.methods == "all" else given.methods.split(",")
    if unknown := [name for name in names if name not in ROWS]:
        parser.error(f"unknown methods: {unknown}")
    judge = drawing_judge(given.modules)
    sys.stderr.write(f"The judge names drawings of an unseen style: {proportion(judge.hits, judge.seen)}.\n")
    extra = dict(pair.split("=", 1) for pair in given.set)
    order = MethodTable(names, given.seconds, given.seeds, extra, load_prior())
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
