"""A contact sheet of a hundred images of the shipped prior, each under its sentence; none is chosen by hand.

    python -m workbench.training.prior.contact_sheet --out docs/generation-hundred.jpg

Four blocks: forty things that it learned, twenty compositions and twenty names that were held out, twenty more.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from workbench.engine import Engine
from workbench.generation.judging import Generated
from workbench.generation.models import needed
from workbench.generation.run import generate
from workbench.generation.settings import read_settings
from workbench.places import write_whole
from workbench.progress import Progress
from workbench.training.prior.held_out import COMPOSITIONS, NAMES
from workbench.training.prior.measure import SENTENCES

MORE = (
    *("a smiling cat", "a green car", "a blue heart", "a pink elephant", "a police officer", "a clock", "a fish"),
    *("a book", "a train", "the moon", "a star", "a hat", "a shoe", "a bear", "a butterfly", "a snowman"),
    *("the word stop", "a dog:1 | a cat:-0.5", "dogs playing poker", "a banquet hall"),
)
PROMPTS = (*SENTENCES.values(), *sorted(COMPOSITIONS), *sorted(NAMES), *MORE)
_TILE, _TEXT, _GAP, _COLUMNS = 104, 14, 4, 10  # pixels


def images(engine: Engine, prompts: Sequence[str], *, rounds: int, seed: int) -> Iterator[Image.Image]:
    """Draw one image a prompt with the prior's own defaults."""
    for prompt in prompts:
        settings = read_settings({"prompt": prompt, "method": "prior", "seed": seed, "steps": rounds, "side": 224})
        with engine.session("contact sheet", settings.model, others=needed(settings)) as session:
            *_, made = generate(session, settings)
        assert isinstance(made, Generated)
        yield Image.fromarray(made.painting.pixels)


def laid_out(prompts: Sequence[str], drawn: Sequence[Image.Image]) -> Image.Image:
    """Lay images out ten in a row, each with its prompt below."""
    high, wide = _TILE + _TEXT + _GAP, _TILE + _GAP
    sheet = Image.new("RGB", (_COLUMNS * wide + _GAP, -(-len(drawn) // _COLUMNS) * high + _GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=10)
    for number, (prompt, image) in enumerate(zip(prompts, drawn, strict=True)):
        left, top = number % _COLUMNS * wide + _GAP, number // _COLUMNS * high + _GAP
        sheet.paste(image.resize((_TILE, _TILE), Image.Resampling.LANCZOS), (left, top))
        shown = prompt
        while font.getlength(shown) > _TILE:
            shown = f"{shown.removesuffix('…')[:-1]}…"
        pen.text((left, top + _TILE), shown, fill="black", font=font)
    return sheet


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the hundred, and write the sheet after each row, so that it can be looked at while it grows."""
    parser = argparse.ArgumentParser(description="A hundred images of the shipped prior on one sheet.")
    parser.add_argument("--out", type=Path, required=True, help="a JPEG")
    parser.add_argument("--rounds", type=int, default=2, help="of eight candidates, for each image")
    parser.add_argument("--seed", type=int, default=0, help="of all images")
    given = parser.parse_args(arguments)
    drawn: list[Image.Image] = []
    begun = time.monotonic()
    with Engine(default="pocket", device="cpu") as engine:
        for image in images(engine, PROMPTS, rounds=given.rounds, seed=given.seed):
            drawn.append(image)
            if len(drawn) % _COLUMNS == 0:
                file = io.BytesIO()
                laid_out(PROMPTS[: len(drawn)], drawn).save(file, format="JPEG", quality=85)
                write_whole(given.out, file.getvalue())
                seconds = time.monotonic() - begun
                row = Progress.timed(len(drawn), len(PROMPTS), "images", seconds=seconds, computed=len(drawn))
                sys.stderr.write(row.line + "\n")


if __name__ == "__main__":
    main()
