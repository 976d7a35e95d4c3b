"""What a device gets to make an image from, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.generation.settings import Settings


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


def painted_strokes(settings: Settings, strokes: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.uint8], str]:
    """Strokes at full size, as pixels and as SVG."""
    import torch

    from workbench.generation.settings import make_canvas

    canvas: Any = make_canvas(settings, whole=True)
    parameters = [torch.from_numpy(part) for part in strokes]
    with torch.no_grad():
        return as_array(canvas.pixels(parameters)), canvas.svg(parameters)


def as_array(pixels: Tensor) -> NDArray[np.uint8]:
    """(1, 3, h, w) in 0..1 -> (h, w, 3) uint8."""
    image = pixels.detach()[0].float().clamp(0, 1).movedim(0, -1)
    values: NDArray[np.uint8] = (image * 255).round().byte().cpu().numpy()
    return values


def over(settings: Settings, done: int, seconds: float) -> bool:
    """Whether the steps are done, or the seconds where no steps are named."""
    return done >= settings.steps if settings.steps else done > 0 and seconds >= settings.seconds


def report(
    settings: Settings, values: Sequence[float], *, seconds: float, preview: NDArray[np.uint8], unit: str = "steps"
) -> Progress:
    """Make the progress of a step whose whole image scores the last of `values`."""
    done = len(values)
    row = Progress.timed(done, settings.steps, unit, seconds=seconds, computed=done, stage="generate")
    left = row.seconds_left if settings.steps else max(0.0, settings.seconds - seconds)
    return replace(row, seconds_left=left, values={"similarity": values[-1]}, preview=preview)


def memory_ran_out(error: BaseException) -> bool:
    """Whether memory ran out, on whatever device."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text
