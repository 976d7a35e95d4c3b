"""What learning a defence ends in, and what all ways of learning share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.prompts import fill

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OPENING = "a photo of a"  # what a prompt begins with
MOST_NAMES = 2000  # that have a prefix of their own
COST = 0.01  # of the clean accuracy, that switching units or heads off may take while one learns


@dataclass(frozen=True, eq=False)
class Learned:
    """What an edited model's folder takes."""

    settings: dict[str, Any]
    tensors: dict[str, NDArray[np.float32]]


def prompts(names: Sequence[str]) -> list[str]:
    """Return the prompt of each name, as a model is asked while one learns."""
    return [fill(f"{OPENING} {{}}.", name) for name in names]
