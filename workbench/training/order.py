"""What can be asked of a training, whatever its recipe, and the recipe that is not a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CAPTIONS = "captions"  # a recipe that is a program, on anyone's photos


@dataclass(frozen=True)
class Order:
    """What whoever starts a training asks for, whatever the recipe; None leaves it to the recipe."""

    out: Path  # the model's folder, in the hub's format
    data: str | None = None  # where the pairs or the raw material lie
    model: str | None = None  # a key of the catalogue or a folder to begin from
    steps: int | None = None
    seed: int | None = None
    device: str = "auto"
    dtype: str | None = None
    resume: bool = False  # go on with what lies in `out`
