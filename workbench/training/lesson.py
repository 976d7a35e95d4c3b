"""What a lesson with the miniature is asked and tells; what trains it stands in `miniature`, which imports torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import BadInput
from workbench.statistics.intervals import Share
from workbench.training.shapes import COLOURS, SHAPES, Drawing, held_out

CHECK = 10  # steps between two measurements
MOST_STEPS, MOST_BATCH = 1000, 128


@dataclass(frozen=True)
class LessonSettings:
    """What a class may choose."""

    steps: int = 800
    batch: int = 64  # pairs of one step
    seed: int = 0
    scale: float | None = None  # what cosines are multiplied with; None: learned, from 14.3 on and at most 100

    def __post_init__(self) -> None:
        for what, given, least, most in (
            ("Steps", self.steps, 1, MOST_STEPS),
            ("The batch size", self.batch, 2, MOST_BATCH),
            ("The seed", self.seed, 0, 2**31 - 1),
        ):
            if not least <= given <= most:
                raise BadInput(f"{what} is a whole number from {least} to {most}; got {given}.")
        if self.scale is None:
            return
        from workbench.training.losses import MAX_SCALE

        if not 0 < self.scale <= MAX_SCALE:
            raise BadInput(f"A scale is more than 0 and at most {MAX_SCALE:g}; got {self.scale:g}.")


@dataclass(frozen=True)
class Moment:
    """How far the lesson has come, after one step."""

    step: int  # steps done
    steps: int  # in all
    loss: float  # of this step's batch; blind guessing costs the logarithm of the batch size
    scale: float  # what cosines are multiplied with by now
    similarity: np.ndarray | None = None  # (n, n) cosines of `watched()`: pictures in rows, sentences in columns
    unseen: Share | None = None  # held-out pairs of shape and colour, named right among all 48


def watched() -> list[Drawing]:
    """Return the fixed batch that is looked at: twelve drawings, two of each shape, one of them a held-out pair."""
    chosen = []
    for number, shape in enumerate(SHAPES):
        unseen = [colour for colour in COLOURS if held_out(shape, colour)]
        seen = [colour for colour in COLOURS if not held_out(shape, colour)]
        chosen += [Drawing(shape, seen[number], "large", 7), Drawing(shape, unseen[0], "small", 8)]
    return chosen
