"""What a step of an image reports: pixels, when it is over, and whether memory ran out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.generation.settings import Settings


def painted_strokes(settings: Settings, strokes: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.uint8], str]:
    """Strokes at full size, as pixels and as SVG."""
    import torch

    from workbench.generation.canvases import make_canvas

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
