"""What a training reports after each step, and what starting one takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Progress:
    """One row of a training, after a step."""

    step: int  # steps done
    steps: int  # steps in all
    loss: float  # of this step; NaN when the step had none
    rate: float  # learning rate of this step
    text: str = ""  # what else there is to say: a figure measured, a picture that failed; mostly empty


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
