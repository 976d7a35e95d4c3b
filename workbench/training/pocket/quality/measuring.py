"""All measures of one checkpoint on held-out data."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from workbench.backend import ClipBackend
from workbench.errors import BadInput
from workbench.images import safe_open
from workbench.preprocessing import unit_range
from workbench.training.pocket import sources
from workbench.training.pocket.ingredients import part
from workbench.training.pocket.quality.answers import HeldOut, QualityAnswer
from workbench.training.pocket.quality.attack import attack
from workbench.training.pocket.quality.colours import colours, counts, sentences
from workbench.training.pocket.quality.drawn import artwork, people
from workbench.training.pocket.quality.handwritten import handwritten
from workbench.training.pocket.quality.photos import photos, small
from workbench.training.pocket.quality.reading import reading
from workbench.training.pocket.settings import Settings

MEASURES: tuple[Callable[[ClipBackend, HeldOut], Iterator[QualityAnswer]], ...] = (
    *(photos, small, artwork, people, reading, colours, counts, attack, handwritten, sentences),
)
SELECTION, ACCEPTANCE = 0, 1  # the two halves of the photos, told apart by their names


def held_out(settings: Settings, folder: Path, *, work: Path, half: int | None, style: str) -> HeldOut:
    """Collect the held-out data.

    Args:
        settings: of the recipe.
        folder: photos with a `labels.csv` (file, class); or with WordNet ids as folders.
        work: where drawings and fonts are remembered.
        half: which half of the photos: to choose by, or to report; None takes all.
        style: emoji style, never trained on.
    """
    read = sources.read(settings, work)
    rows = labelled(folder)
    taken = [(path, label) for path, label in rows if half is None or part(path.name, 2) == half]
    drawings = sources.sprites(settings.modules, style, read.emoji, work=work)
    fonts, hands = (tuple(font for font in read.fonts if font.test and font.hand is hand) for hand in (False, True))
    little = [(_opened(photo.path), photo.label) for photo in read.photos.apart]
    full = [(_opened(path), label) for path, label in taken]
    return HeldOut(full, little, drawings, fonts, read.lexicon, read.bank, hands)


def measure(backend: ClipBackend, held_out: HeldOut) -> Iterator[QualityAnswer]:
    """Ask everything; yields one answer after the other."""
    for one in MEASURES:
        yield from one(backend, held_out)


def labelled(folder: Path) -> list[tuple[Path, int]]:
    """Read `labels.csv` (file, class, …) of a folder of photos.

    Raises:
        BadInput: there is none.
    """
    if not (folder / "labels.csv").is_file():
        raise BadInput(f"The folder of validation photos needs a labels.csv (file, class); {str(folder)!r} has none.")
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as rows:
        return [(folder / row["file"], int(row["class"])) for row in csv.DictReader(rows)]


def last_block(backend: Any) -> Callable[[Sequence[Image.Image]], Tensor]:
    """What gives the averages of the image tower's last block: pictures -> (n, channels).

    Args:
        backend: a loaded model that is a white box too.
    """
    layer = list(backend.anatomy.layers)[-1]

    @torch.inference_mode()
    def features(pictures: Sequence[Image.Image]) -> Tensor:
        squares = torch.stack([backend.prepare(picture) for picture in pictures])
        maps: Tensor = backend.activations(unit_range(squares), [layer])[layer]
        return maps.mean((2, 3)).float().cpu()

    return features


def _opened(path: Path) -> Image.Image:
    return safe_open(path)
