"""Known things, unknown things, digits and textures (`builtin:known-and-unknown`), for the audit of unknown images."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from audits.datasets.dataset import About
from audits.datasets.drawn import Picture
from audits.datasets.drawn_things import on_white, things
from audits.fractal_noise import plasma
from audits.seeds import generator
from workbench.pictures import draw

SIDE = 224  # pixels
ORIGINS = ("known", "unknown things", "digits", "textures")
KNOWN = 75  # of the 150 things; the others are unknown
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono-Oblique", "STIXGeneral", "cmr10")
TEXTURES = ("noise", "coarse noise", "stripes", "checks", "rings", "clouds")
EACH = 12  # images of each texture
ABOUT = About(
    title="Known things, unknown things, digits and textures",
    licence="drawings CC BY-SA 4.0; digits and textures: none needed",
    source="OpenMoji 17 (openmoji.org); the fonts in matplotlib's package; rendered textures",
    shows=(
        "Half of 150 drawn things are known: their names are the labels. The other half, printed digits and textures "
        "have no label. The set shows how well a score separates the two when both have the same style. The known "
        "things are a random half, so an unknown one may be close to a label (a lion when only tiger is a label)."
    ),
)


def digit(number: int, font: str, *, style: str) -> Image.Image:
    """Print a digit, 224 x 224: black on white ("print"), or white on black from 28 x 28 pixels ("coarse")."""
    from matplotlib import get_data_path

    path = Path(get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    sheet = Image.new("L", (SIDE, SIDE), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((SIDE / 2, SIDE / 2), str(number), font=ImageFont.truetype(str(path), 170), fill=0, anchor="mm")
    if style == "coarse":
        small = sheet.point(lambda value: 255 - value).resize((28, 28), Image.Resampling.BOX)
        sheet = small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return sheet.convert("RGB")


def texture(kind: str, number: int) -> Image.Image:
    """Draw a texture in two random colours, 224 x 224."""
    rng = generator(0, "texture", kind, number)
    first, second = rng.integers(0, 256, (2, 3))
    mix = _pattern(kind, rng)[..., None]
    return Image.fromarray(np.rint(first * (1 - mix) + second * mix).astype(np.uint8))


def _pattern(kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a pattern, (side, side) in 0..1."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2
    period, turn = float(rng.uniform(12, 60)), float(rng.uniform(0, np.pi))
    along = rows * np.cos(turn) + columns * np.sin(turn)
    across = columns * np.cos(turn) - rows * np.sin(turn)
    drawn: dict[str, Callable[[], Any]] = {
        "noise": lambda: rng.random((SIDE, SIDE)),
        "coarse noise": lambda: np.kron(rng.random((14, 14)), np.ones((16, 16))),
        "stripes": lambda: 0.5 + 0.5 * np.sin(2 * np.pi * along / period),
        "checks": lambda: (along // period + across // period) % 2,
        "rings": lambda: 0.5 + 0.5 * np.sin(2 * np.pi * np.hypot(rows, columns) / period),
        "clouds": lambda: plasma(256, decay=1.7, rng=rng)[:SIDE, :SIDE],
    }
    return np.asarray(drawn[kind](), np.float64)


def _facts(cluster: str, label: str, origin: str, style: str) -> dict[str, str]:
    return {"cluster": cluster, "split": "test", "label": label, "origin": origin, "style": style}


def pictures() -> Iterator[Picture]:
    """Yield the images, 224 x 224, with their origins.

    Raises:
        BadInput: the package of the drawings is incomplete.
    """
    every = things()
    order = generator(0, "known").permutation(len(every))
    known = {every[at][1] for at in order[:KNOWN]}
    for _, thing, glyph in every:
        slug = thing.replace(" ", "-")
        yield slug, on_white(draw(glyph)), _facts(slug, thing, ORIGINS[0 if thing in known else 1], "drawing")
    for number, font, style in itertools.product(range(10), FONTS, ("print", "coarse")):
        cluster = f"digit-{number}-{font.lower()}"
        yield f"{cluster}-{style}", digit(number, font, style=style), _facts(cluster, str(number), ORIGINS[2], style)
    for kind, number in itertools.product(TEXTURES, range(EACH)):
        name = f"texture-{kind.replace(' ', '-')}-{number:02d}"
        yield name, texture(kind, number), _facts(name, "", ORIGINS[3], kind)
