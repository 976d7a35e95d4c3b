"""What a device gets to make an image from, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.generation.settings import Settings
    from workbench.objectives import Objective


@dataclass(frozen=True, eq=False)
class Aim:
    """What a further model is to see."""

    rows: NDArray[np.float32]  # (k, dim) unit rows
    neutral: NDArray[np.float32] | None = None  # (dim,)


@dataclass(frozen=True, eq=False)
class CanvasJob:
    """What a device needs to make one image; plain data."""

    settings: Settings
    rows: NDArray[np.float32]  # (k, dim) unit rows: texts of the prompt, then image prompts
    weights: tuple[float, ...]  # of the rows
    neutral: NDArray[np.float32] | None = None  # (dim,): of the sentence that an edit comes from
    start: NDArray[np.uint8] | None = None  # (side, side, 3): the image that it begins with
    also: tuple[Aim, ...] = ()  # of further models that steer
    facets: tuple[Objective, ...] = ()  # of the main model, weighted, one for each that the prompt names


@dataclass(frozen=True)
class Neighbour:
    """The drawing of a prior's training that is nearest to an image."""

    name: str
    style: str
    distance: float  # root mean square difference of pixels, 0..1
    number: int = -1  # among the drawings of the prior


@dataclass(frozen=True, eq=False)
class Painting:
    """The best image that was met."""

    pixels: NDArray[np.uint8]  # (side, side, 3) RGB
    settings: Settings  # as they took effect: the number of steps, the cutouts that memory allowed
    values: tuple[float, ...]  # the whole image's score, step by step
    seconds: float
    note: str = ""  # why it ended early, or what was changed
    svg: str = ""  # of strokes
    nearest: Neighbour | None = None  # of a prior's drawings


@dataclass(frozen=True)
class StrokeProgress(Progress):
    """A report that carries the strokes, so that an image that is stopped can still be drawn at full size."""

    strokes: tuple[NDArray[np.float32], ...] = ()  # parameters of the canvas


@dataclass
class Best:
    """The best preview of an image so far, and all its scores."""

    pixels: NDArray[np.uint8]
    values: list[float]
    seconds: float = 0.0
    strokes: tuple[NDArray[np.float32], ...] | None = None
