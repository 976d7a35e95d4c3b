"""Optimise a canvas until cutouts of it look to a model like a prompt: one step of the optimiser at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import OutOfResources
from workbench.generation.canvases import Canvas, Strokes, StyleGan2, make_canvas
from workbench.generation.cutouts import Cutouts
from workbench.generation.painting import CanvasJob, Painting, StrokeProgress
from workbench.generation.previews import as_array, memory_ran_out, over, painted_strokes, report
from workbench.generation.settings import Settings
from workbench.generation.steering import BATCH, Steering, steering, suitable_side
from workbench.objectives import Asymmetry, Distance, Forward, Objective, OutsideRange, TotalVariation
from workbench.progress import Progress

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.backend import WhiteBox
    from workbench.generation.diffusion.checkpoint import Checkpoint

EDIT_PACE = 0.3  # of the canvas's learning rate, where an image is edited


@dataclass
class _CanvasRun:
    """A canvas on its way."""

    canvas: Canvas
    parameters: list[Tensor]
    aim: Steering  # of what the models see
    shape: Objective | None  # of the whole canvas's pixels, without the model
    cutouts: Cutouts
    generator: torch.Generator
    optimiser: Any
    best: NDArray[np.uint8] | None = None
    best_value: float = -np.inf
    best_parameters: list[Tensor] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def look(self) -> tuple[float, Tensor]:
        """Gradients of all cutouts, pass by pass; the score of the whole image, and the pixels it is the score of."""
        import torch

        pixels = self.canvas.pixels(self.parameters)
        leaf = pixels.detach().requires_grad_()
        homographies = self.cutouts.draw(self.generator)
        whole = 0.0
        for first in range(0, self.cutouts.count, BATCH):
            squares = self.cutouts.cut(leaf, homographies[first : first + BATCH], self.generator)
            scores = self.aim.scores(squares)
            if first == 0:
                whole = float(scores[0].detach())
            (-scores.sum() / self.cutouts.count).backward()  # type: ignore[no-untyped-call]
        if self.shape is not None:
            (-self.shape.score(Forward(leaf, leaf.new_zeros(1, 1))).sum()).backward()  # type: ignore[no-untyped-call]
        self.optimiser.zero_grad()
        torch.autograd.backward(pixels, leaf.grad)
        return whole, pixels.detach()

    def strokes(self) -> tuple[NDArray[np.float32], ...]:
        """The best parameters so far, as plain data."""
        return tuple(part.cpu().numpy() for part in self.best_parameters)

    def finite(self, value: float) -> bool:
        """Whether score and gradients are numbers."""
        return np.isfinite(value) and all(
            part.grad is None or bool(part.grad.norm().isfinite()) for part in self.parameters
        )

    def keep(self, value: float, pixels: Tensor) -> None:
        """Remember the best image, and what it was painted from."""
        self.values.append(value)
        if value > self.best_value:
            self.best_value, self.best = value, as_array(pixels)
            self.best_parameters = [part.detach().clone() for part in self.parameters]


def optimise(
    boxes: Sequence[WhiteBox], job: CanvasJob, model: Checkpoint | StyleGan2 | None = None
) -> Iterator[Progress | Painting]:
    """Yield progress with a preview after each step, and the best image at the end.

    The first preview comes before the model's first pass. Where a value is no number, it ends with the last good
    image; where memory runs out, half of the cutouts go on.

    Args:
        boxes: the models that steer, the main one first.
        job: what is wanted.
        model: an autoencoder or a generator, for the method "latents".

    Raises:
        OutOfResources: memory does not suffice for one cutout.
    """
    settings = job.settings
    state = _begin(boxes, job, model)
    begun, note = time.monotonic(), ""
    yield Progress(0, settings.steps, "steps", "optimise", preview=as_array(state.canvas.pixels(state.parameters)))
    while not over(settings, len(state.values), time.monotonic() - begun):
        try:
            value, pixels = state.look()
        except (MemoryError, RuntimeError) as error:
            count = state.cutouts.count
            if not memory_ran_out(error):
                raise
            if count == 1:
                raise OutOfResources("Not enough memory for one cutout; choose a smaller model.") from None
            state.cutouts = replace(state.cutouts, count=count // 2)
            note = f"The memory did not suffice for {count} cutouts; it went on with {count // 2}."
            continue
        if not state.finite(value):
            note = f"Step {len(state.values) + 1} gave a value that is no number; this is the best image before it."
            break
        state.keep(value, pixels)
        state.optimiser.step()
        row = report(settings, state.values, seconds=time.monotonic() - begun, preview=as_array(pixels))
        yield StrokeProgress(**vars(row), strokes=state.strokes()) if settings.method == "strokes" else row
    yield _painting(settings, state, seconds=time.monotonic() - begun, note=note)


def _begin(boxes: Sequence[WhiteBox], job: CanvasJob, model: Checkpoint | StyleGan2 | None) -> _CanvasRun:
    import torch

    settings, box = job.settings, boxes[0]
    generator = torch.Generator().manual_seed(settings.seed)
    canvas = make_canvas(settings, held=job.start is None, model=model)
    start = None if job.start is None else torch.from_numpy(job.start).movedim(-1, 0).float()[None] / 255
    start_from = getattr(canvas, "start_from", None)
    if start is not None and start_from is not None:
        drawn = start_from(start)
    else:
        drawn = canvas.start(1, generator)
        if start is None and job.neutral is not None:  # a generator edits the seed's own image
            with torch.no_grad():
                start = canvas.pixels(drawn)
    parameters = [part.detach().to(box.device).requires_grad_() for part in drawn]
    rate = settings.rate or canvas.rate * (1.0 if start is None else EDIT_PACE)
    optimiser = torch.optim.Adam(parameters, lr=rate, betas=(0.5, 0.99))
    cutouts = Cutouts(settings.cutouts, settings.cutout_side or suitable_side(box), settings.wide, settings.augment)
    return _CanvasRun(
        canvas, parameters, steering(boxes, job, start), _shape(settings, start), cutouts, generator, optimiser
    )


def _shape(settings: Settings, start: Tensor | None) -> Objective | None:
    terms: list[tuple[float, Objective]] = [(settings.smooth, TotalVariation()), (settings.symmetry, Asymmetry())]
    terms.append((100 * settings.clipping, OutsideRange()))
    if start is not None:
        terms.append((10 * settings.likeness, Distance(start[0])))
    weighted = [-weight * term for weight, term in terms if weight]
    return sum(weighted[1:], weighted[0]) if weighted else None


def _painting(settings: Settings, state: _CanvasRun, *, seconds: float, note: str) -> Painting:
    import torch

    done = len(state.values)
    last = state.best_parameters or [part.detach() for part in state.parameters]
    pixels, svg = state.best, ""
    if isinstance(state.canvas, Strokes):
        pixels, svg = painted_strokes(settings, [part.cpu().numpy() for part in last])
    elif pixels is None:
        with torch.no_grad():
            pixels = as_array(state.canvas.pixels(last))
    effective = settings.model_copy(
        update={
            "steps": done,
            "cutouts": state.cutouts.count,
            "cutout_side": state.cutouts.size,
            "rate": float(state.optimiser.param_groups[0]["lr"]),
        }
    )
    return Painting(pixels, effective, tuple(state.values), seconds, note, svg)
