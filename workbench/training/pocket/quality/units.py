"""Multimodal units: channels of the last block that respond to a concept as photo, drawing and written word alike.

A unit counts for a concept when it tells the concept from matched controls with an AUROC of at least 0.9 in each of
the three forms. Controls are the same form of other concepts, so that a unit for "any photo" or "any writing" counts
for none. Many units are tried on few pictures: how many pass by chance is measured with shuffled labels.

Source:
    Goh et al. 2021, Distill, "Multimodal neurons in artificial neural networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from workbench.training.pocket import writing
from workbench.training.pocket.quality.answers import SIDE, HeldOut
from workbench.training.pocket.quality.drawn import on_white

LEAST = 0.9  # AUROC in each form
FEWEST = 3  # photos of a concept
WRITTEN = 6  # pictures of a concept's word
TURNS = 3  # of a drawing, to have more than one


@dataclass(frozen=True)
class Unit:
    """A channel, the concept it answers to, and its AUROC as photo, drawing and word."""

    channel: int
    concept: str
    photo: float
    drawing: float
    word: float


def units(features: Any, held_out: HeldOut) -> tuple[list[Unit], int]:
    """Find multimodal units.

    Args:
        features: pictures -> (n, channels), the last block's averages.
        held_out: photos, drawings and fonts kept apart; concepts are classes that have all three forms.

    Returns:
        For each channel at most one unit, its best concept; and how many pass when the concepts are mixed up.
    """
    forms = _pictures(held_out)
    names = sorted(forms)
    rows, truths = [], []
    for form in range(3):
        pictures = [picture for name in names for picture in forms[name][form]]
        truths.append(torch.tensor([k for k, name in enumerate(names) for _ in forms[name][form]]))
        rows.append(torch.cat([features(pictures[start : start + 50]) for start in range(0, len(pictures), 50)]))
    generator = torch.Generator().manual_seed(held_out.seed)
    mixed = [truth[torch.randperm(len(truth), generator=generator)] for truth in truths]
    return _passing(rows, truths, names), len(_passing(rows, mixed, names))


def _passing(rows: list[Tensor], truths: list[Tensor], names: list[str]) -> list[Unit]:
    """The channels whose AUROC is high enough in each form."""
    aurocs = [
        torch.stack([auroc(row, truth == k) for k in range(len(names))])  # (concepts, channels)
        for row, truth in zip(rows, truths, strict=True)
    ]
    best, concept = torch.stack(aurocs).amin(0).max(0)
    return [
        Unit(channel, names[int(concept[channel])], *(float(form[int(concept[channel]), channel]) for form in aurocs))
        for channel in (best >= LEAST).nonzero().flatten().tolist()
    ]


def auroc(rows: Tensor, positive: Tensor) -> Tensor:
    """How often a positive's value lies above a negative's, ties counted half.

    Args:
        rows: (n, channels).
        positive: (n,) bool.

    Returns:
        (channels,), 0..1.
    """
    high, low = rows[positive], rows[~positive]
    above = (high[:, None] > low[None]).float() + 0.5 * (high[:, None] == low[None]).float()
    return above.mean((0, 1))


def _pictures(held_out: HeldOut) -> dict[str, tuple[Sequence[Image.Image], ...]]:
    """Concept -> photos, drawings, words."""
    rng = held_out.rng()
    images: dict[str, tuple[Sequence[Image.Image], ...]] = {}
    drawn = {one.name: sprite for one, sprite in held_out.drawings if not one.skinned}
    by_class: dict[int, list[Image.Image]] = {}
    for picture, label in (*held_out.photos, *held_out.small):
        by_class.setdefault(label, []).append(picture)
    for name, sprite in sorted(drawn.items()):
        classes = held_out.bank.classes.get(name, {})
        photos = [picture for label in classes for picture in by_class.get(label, [])]
        if len(photos) < FEWEST or not name.isalpha():
            continue
        drawings = [on_white(sprite, margin=12 + 14 * turn) for turn in range(TURNS)]
        words = [
            writing.plain(name, rng.choice(held_out.fonts).path, size=SIDE, rng=rng).picture for _ in range(WRITTEN)
        ]
        images[name] = photos[:20], drawings, words
    return images
