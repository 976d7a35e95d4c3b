"""What a training tells after each step: where it is, how well it does, and how fast it goes.

Knows neither what is trained nor who listens.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One row of a training, after a step."""

    step: int  # steps done
    steps: int  # steps in all
    loss: float  # of this step; NaN when the step had none
    rate: float  # learning rate of this step
    text: str = ""  # what else there is to say: a figure measured, a picture that failed; mostly empty
