"""Accuracy on drawings of a style that was held out: names of things, sex and skin tone of people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from workbench.backend import ClipBackend
from workbench.training.pocket.quality.answers import SIDE, HeldOut, QualityAnswer, counted, embed, embed_names

NAMES = 350
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")


def artwork(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """Emoji of a foreign style against the names of 350 of them."""
    known = [(one, sprite) for one, sprite in held_out.drawings if not one.skinned and one.name in held_out.bank.place]
    chosen = held_out.rng().sample(known, min(NAMES, len(known)))
    names = [one.name for one, _ in chosen]
    scores = (
        embed(backend, [on_white(sprite) for _, sprite in chosen]) @ embed_names(backend, names, "an emoji of a {}").T
    )
    how = f"a style never trained on, {len(names)}-way"
    yield counted("names new artwork", scores, torch.arange(len(names)), how=how)


def people(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """Drawn people of a foreign style: man or woman, and which of five skin tones."""
    rng = held_out.rng()
    for question, choices in (("sex of drawn people", ("man", "woman")), ("skin tone of drawn people", TONES)):
        forms = choices if choices != TONES else tuple(f"person with {tone} skin" for tone in TONES)
        rows = []
        for one, sprite in held_out.drawings:
            tone = one.name.partition(" with ")[2].removesuffix(" skin") if one.skinned else ""
            hit = [
                k
                for k, choice in enumerate(choices)
                if (choice in one.parts[:1] if choices != TONES else choice == tone)
            ]
            if hit and one.parts and one.parts[0] in ("man", "woman", "person"):
                rows.append((sprite, hit[0]))
        rows = rng.sample(rows, min(250, len(rows)))
        scores = (
            embed(backend, [on_white(sprite) for sprite, _ in rows])
            @ embed_names(backend, forms, "a drawing of a {}.").T
        )
        yield counted(question, scores, torch.tensor([k for _, k in rows]), how=f"{len(choices)}-way, foreign style")


def on_white(sprite: NDArray[np.uint8], side: int = SIDE, margin: int = 12) -> Image.Image:
    """A drawn thing on white, (side, side)."""
    ground, inner = Image.new("RGB", (side, side), (255, 255, 255)), side - 2 * margin
    picture = Image.fromarray(sprite).resize((inner, inner), Image.Resampling.BICUBIC)
    ground.paste(picture, (margin, margin), picture)
    return ground
