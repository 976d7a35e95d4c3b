"""The material of stage two's examples: photos, drawings, fonts, names and words."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from workbench.training.pocket import labels, writing
from workbench.training.pocket.bank import Bank
from workbench.training.pocket.colouring import paint_of
from workbench.training.pocket.emoji import Emoji
from workbench.training.pocket.fonts import Font
from workbench.training.pocket.names import Lexicon

Drawing = tuple[Emoji, NDArray[np.uint8]]  # with its picture, (side, side, 4)


@dataclass(frozen=True)
class Material:
    """All that is drawn from.

    Attributes:
        full: full-size photos with their classes.
        small: 64 px photos with their classes.
        drawings: of all styles.
        fonts: printed ones, to train with.
        lexicon: names of classes.
        bank: all names.
        common: words to read, the more common first.
        hands: handwriting, to train with.
        full_part: how many of the photos that are shown are of full size, 0..1.
        paper_size: between which parts of a photo a paper label on it takes.
        print_size: between which parts of a photo's side a printed word on it takes.
    """

    full: list[tuple[Image.Image, int]]
    small: list[tuple[Image.Image, int]]
    drawings: list[Drawing]
    fonts: tuple[Font, ...]
    lexicon: Lexicon
    bank: Bank
    common: tuple[str, ...]
    hands: tuple[Font, ...]
    full_part: float = 0.55
    paper_size: tuple[float, float] = labels.SHARES
    print_size: tuple[float, float] = writing.WIDE

    @functools.cached_property
    def first_names(self) -> Tensor:
        """(1000,): where in the bank the first name of each class stands."""
        return torch.tensor([self.bank.place[name.lower()] for name in self.lexicon.first()])

    @functools.cached_property
    def paints(self) -> dict[str, tuple[int, int, int]]:
        """The average colour of each emoji in the first style that has it in colours."""
        return {one.name: paint for one, drawn in reversed(self.drawings) if (paint := paint_of(drawn)) is not None}

    @functools.cached_property
    def likenesses(self) -> list[Drawing]:
        """Drawings of what photos and words show as well."""
        alike = set(self.bank.alike)
        return [(one, drawn) for one, drawn in self.drawings if one.name in alike]

    @functools.cached_property
    def skinned(self) -> list[Drawing]:
        """Drawn people with a chosen skin tone."""
        return [(one, drawn) for one, drawn in self.drawings if one.skinned]

    @functools.cached_property
    def plain(self) -> list[Drawing]:
        """Drawings of all else."""
        return [(one, drawn) for one, drawn in self.drawings if not one.skinned]

    @functools.cached_property
    def things(self) -> list[Drawing]:
        """Those of them in which nobody is."""
        return [(one, drawn) for one, drawn in self.plain if not one.parts]
