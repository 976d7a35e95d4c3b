"""Measure edits of drawings with the prior: does the image follow the strength, and how much of it stays?

    python -m workbench.training.prior.edits --modules node_modules --kinds follow,gradient

Twenty drawings go from "a NAME" to "a blue NAME" at five strengths. Blueness is measured on the pixels, so no model has
a say in it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.engine import Engine
from workbench.generation.judging import Generated
from workbench.generation.models import needed
from workbench.generation.run import generate, start_pixels
from workbench.generation.settings import read_settings
from workbench.training.pocket import emoji
from workbench.training.prior.measure import SENTENCES

STRENGTHS = (-1.5, -0.75, 0.0, 0.75, 1.5)
MEASURES = ("target", "change", "blueness", "difference")  # of an image
_STYLE, _SIDE, _TILE, _TOLERANCE = "google", 128, 96, 0.002


def measured(
    engine: Engine, name: str, start: NDArray[np.uint8], *, kind: str
) -> tuple[NDArray[np.float64], list[Image.Image]]:
    """Edit one drawing at each strength.

    Returns:
        (strengths, measures): the cosine with the target, the same less that with the neutral sentence, blue less the
        mean of red and green, and the mean absolute difference of pixels from the start, all of 0..1 pixels; and the
        images.
    """
    given = {"prompt": f"a blue {name}", "neutral": f"a {name}", "method": "prior", "edit": kind, "side": _SIDE}
    rows, images = [], []
    for strength in STRENGTHS:
        settings = read_settings({**given, "strength": strength, "steps": 1})
        with engine.session("measure", settings.model, others=needed(settings)) as session:
            *_, made = generate(session, settings, start)
            assert isinstance(made, Generated)
            images.append(Image.fromarray(made.painting.pixels))
            cosines = session.embed_texts([f"a blue {name}", f"a {name}"]) @ session.embed_images(images[-1:])[0]
        pixels = made.painting.pixels.astype(float) / 255
        blueness = float((pixels[..., 2] - pixels[..., :2].mean(axis=-1)).mean())
        rows.append(
            [float(cosines[0]), float(cosines[0] - cosines[1]), blueness, float(np.abs(pixels - start / 255).mean())]
        )
    return np.array(rows), images


def summary(kind: str, rows: Sequence[NDArray[np.float64]]) -> dict[str, object]:
    """Means of all drawings at each strength, and for how many drawings a measure follows the strength.

    A measure follows where no step falls by more than 0.002; the difference from the start, where it grows from 0
    both ways.
    """
    every = np.stack(rows)
    middle = STRENGTHS.index(0.0)
    row: dict[str, object] = {"edit": kind, "n": len(every), "strengths": list(STRENGTHS)}
    for at, measure in enumerate(MEASURES):
        values = every[..., at]
        steps = np.diff(values, axis=1)
        if measure == "difference":
            steps[:, :middle] *= -1
        rises = steps > -_TOLERANCE
        row[measure] = [round(float(value), 4) for value in values.mean(axis=0)]
        row[f"{measure} follows"] = int(rises.all(axis=1).sum())
        row[f"{measure} follows from 0 on"] = int(rises[:, middle:].all(axis=1).sum())
    return row


def main(arguments: Sequence[str] | None = None) -> None:
    """Edit, measure, and write one JSON line a kind of edit; one after each drawing to stderr."""
    parser = argparse.ArgumentParser(description="Measure edits of drawings with the prior.")
    parser.add_argument("--modules", type=Path, required=True, help="node_modules with the artwork")
    parser.add_argument("--kinds", default="gradient", help="joined by commas: follow, gradient, direction")
    parser.add_argument("--count", type=int, default=20, help="drawings")
    parser.add_argument("--sheet", type=Path, help="a JPEG of all images, a row a drawing")
    given = parser.parse_args(arguments)
    names = list(SENTENCES)[: given.count]
    every = tuple(one for one in emoji.emoji(given.modules) if one.name in names and not one.skinned)
    tiles: list[list[Image.Image]] = [[] for _ in every]
    with Engine(default="pocket", device="cpu") as engine:
        for kind in given.kinds.split(","):
            rows = []
            for at, (one, sprite) in enumerate(emoji.sprites(given.modules, _STYLE, every)):
                ground = Image.new("RGBA", (_SIDE, _SIDE), "white")
                ground.alpha_composite(Image.fromarray(sprite).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
                row, images = measured(engine, one.name, start_pixels(ground, _SIDE), kind=kind)
                rows.append(row)
                tiles[at] += [image.resize((_TILE, _TILE)) for image in images]
                sys.stderr.write(json.dumps({"drawing": one.name, **summary(kind, rows)}) + "\n")
                if given.sheet:
                    _sheet(tiles).save(given.sheet, quality=85)
            sys.stdout.write(json.dumps(summary(kind, rows)) + "\n")
            sys.stdout.flush()


def _sheet(tiles: Sequence[Sequence[Image.Image]]) -> Image.Image:
    sheet = Image.new("RGB", (_TILE * max(map(len, tiles)), _TILE * len(tiles)), "white")
    for row, images in enumerate(tiles):
        for column, image in enumerate(images):
            sheet.paste(image, (_TILE * column, _TILE * row))
    return sheet


if __name__ == "__main__":
    main()
