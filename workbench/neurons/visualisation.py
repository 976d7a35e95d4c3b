"""Feature visualisation: images painted so that one unit responds to them as strongly as it can.

Several are painted at once, unlike each other; with a facet, in the manner of photos, drawings or written words.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput, unknown_name
from workbench.generation.canvases import Canvas, Fourier
from workbench.generation.canvases.kinds import canvases_for_units
from workbench.generation.cutouts import shrunk
from workbench.generation.steering import suitable_side
from workbench.neurons.layers import is_last
from workbench.objectives import Distance, Faceted, Objective, Sameness, TotalVariation, UnitActivation, Waking
from workbench.plugins import resolve
from workbench.progress import Progress

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.backend import WhiteBox
    from workbench.statistics.intervals import Share

ZOOM, TURN, SHIFT = 0.1, 0.2, 0.08  # how each step moves the canvas: share, radians, share of half a side
FACET_WEIGHT = 2.0  # of the facet's part beside the unit's own
WAKING = 10.0  # weight of waking a silent unit
SMOOTH = 1.5  # weight against differences of neighbouring pixels
PACE_OF_AN_EDIT = 0.3  # of the learning rate, where painting begins with an image
_GAP = 4  # white pixels between images


@dataclass(frozen=True)
class UnitImageSettings:
    """What decides the images; the same settings, model and start image give the same ones."""

    layer: str  # a name in the anatomy's layers
    unit: int
    canvas: str = "fourier"  # a key of `canvases_for_units`
    count: int = 3  # images
    steps: int = 96
    seed: int = 0
    side: int = 160  # pixels
    diversity: float = 0.5  # weight for being unlike each other
    opposite: bool = False  # what the unit responds to least

    def __post_init__(self) -> None:
        if self.canvas not in (known := canvases_for_units()):
            raise unknown_name("canvas", self.canvas, known)
        for name, value, low, high in (
            ("The number of images", self.count, 1, 9),
            ("The number of steps", self.steps, 1, 5000),
            ("The random seed", self.seed, 0, 2**31 - 1),
            ("The side", self.side, 32, 512),
            ("The weight of diversity", self.diversity, 0, 10),
        ):
            if not low <= value <= high:
                raise BadInput(f"{name} must lie between {low} and {high}; got {value}.")


@dataclass(frozen=True, eq=False)
class Facet:
    """A linear probe of one kind of images."""

    name: str  # photo, drawing, word, or the name of a folder
    layer: str  # whose activations it looks at
    weights: NDArray[np.float32]  # (units,) their mean absolute value is 1
    accuracy: Share  # on half of the images, fitted on the other half
    middle: float = 0.0  # of the weighted sums, between the means of this kind and of others
    reach: float = 1.0  # from the middle to either mean


@dataclass(frozen=True, eq=False)
class UnitImageJob:
    """What a device needs to paint; plain data."""

    settings: UnitImageSettings
    spread: float = 1.0  # of the unit's activations on a corpus, so that weights mean the same for every unit
    facet: Facet | None = None
    start: NDArray[np.uint8] | None = None  # (side, side, 3): the image that painting begins with


@dataclass(frozen=True, eq=False)
class UnitImages:
    """What was painted."""

    pixels: NDArray[np.uint8]  # (n, side, side, 3)
    settings: UnitImageSettings
    curve: tuple[float, ...]  # mean activation, step by step, on the moved canvases
    seconds: float


def paint(box: WhiteBox, job: UnitImageJob) -> Iterator[Progress | UnitImages]:
    """Yield progress with a preview after each step, and the images at the end.

    Raises:
        UnknownName, BadInput: the tower has no such layer, or the layer no such unit.
    """
    import torch

    settings = job.settings
    generator = torch.Generator().manual_seed(settings.seed)
    canvas, parameters, rate = _begin(box, job, generator)
    optimiser = torch.optim.Adam(parameters, lr=rate, betas=(0.5, 0.99))
    wanted, unit = _wanted(box, job), _unit(box, settings)
    side, begun = suitable_side(box), time.monotonic()
    curve: list[float] = []
    while len(curve) < settings.steps:
        with torch.enable_grad():
            pixels = canvas.pixels(parameters)
            passed = wanted.forward(box, moved(pixels, side, generator))
            optimiser.zero_grad()
            (-wanted.score(passed).mean()).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        curve.append(float(unit.score(passed).detach().mean()))
        done = Progress.timed(
            len(curve), settings.steps, "steps", seconds=time.monotonic() - begun, computed=len(curve), stage="paint"
        )
        yield replace(done, values={"activation": curve[-1]}, preview=side_by_side(_as_images(pixels)))
    with torch.no_grad():
        yield UnitImages(_as_images(canvas.pixels(parameters)), settings, tuple(curve), time.monotonic() - begun)


def moved(pixels: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Zoom, turn and shift each canvas a little, so that no single pixel matters.

    Args:
        pixels: (n, 3, height, width) in 0..1.
        size: side of what comes out; beyond the edge the canvas is mirrored.
        generator: of the moves.

    Returns:
        (n, 3, size, size) in 0..1.
    """
    import torch

    def around(reach: float, *shape: int) -> Tensor:
        return reach * (2 * torch.rand((len(pixels), *shape), generator=generator) - 1)

    zoom, turn, shift = 1 + around(ZOOM), around(TURN), around(SHIFT, 2)
    rows = [
        torch.stack([zoom * turn.cos(), -zoom * turn.sin(), shift[:, 0]], 1),
        torch.stack([zoom * turn.sin(), zoom * turn.cos(), shift[:, 1]], 1),
    ]
    small = shrunk(pixels, size)
    grid = torch.nn.functional.affine_grid(
        torch.stack(rows, 1).to(small), [len(pixels), 3, size, size], align_corners=False
    )
    return torch.nn.functional.grid_sample(small, grid, padding_mode="reflection", align_corners=False)


def _as_images(pixels: Tensor) -> NDArray[np.uint8]:
    """(n, 3, h, w) in 0..1 -> (n, h, w, 3) uint8."""
    values: NDArray[np.uint8] = (pixels.detach().float().clamp(0, 1).movedim(1, -1) * 255).round().byte().cpu().numpy()
    return values


def side_by_side(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, h, w, 3) -> one image, at most three in a row, with white between them."""
    count, height, width, _ = images.shape
    columns = min(count, 3)
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 255, np.uint8)
    for number, image in enumerate(images):
        top, left = number // columns * (height + _GAP), number % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = image
    return sheet


def _begin(box: WhiteBox, job: UnitImageJob, generator: torch.Generator) -> tuple[Canvas, list[Tensor], float]:
    import torch

    settings, start = job.settings, job.start
    canvas: Canvas
    if start is not None:
        canvas = Fourier(settings.side, contrast=0.0)
        pixels = torch.from_numpy(start).movedim(-1, 0).float()[None].expand(settings.count, -1, -1, -1) / 255
        drawn = canvas.start_from(pixels)
    else:
        canvas = resolve(canvases_for_units()[settings.canvas].for_units)(settings.side)
        drawn = canvas.start(settings.count, generator)
    parameters = [part.detach().to(box.device).requires_grad_() for part in drawn]
    return canvas, parameters, canvas.rate * (1.0 if start is None else PACE_OF_AN_EDIT)


def _unit(box: WhiteBox, settings: UnitImageSettings) -> UnitActivation:
    place: Literal["first", "mean"] = "first" if box.anatomy.prefix_tokens else "mean"
    return UnitActivation(settings.layer, settings.unit, place)


def _wanted(box: WhiteBox, job: UnitImageJob) -> Objective:
    """The unit and its facet by the unit's spread; less the images' likeness, and unevenness."""
    import torch

    settings, unit = job.settings, _unit(box, job.settings)
    sign = (-1.0 if settings.opposite else 1.0) / job.spread
    terms: list[Objective] = [sign * unit]
    head = box.anatomy.head
    if head is not None and is_last(box.anatomy, settings.layer) and not settings.opposite:
        terms.append(WAKING * Waking(unit, head.directions[:, settings.unit].detach().float(), job.spread / 2))
    if job.facet is not None:
        weights = torch.from_numpy(job.facet.weights)
        terms.append(sign * FACET_WEIGHT * Faceted(unit, job.facet.layer, weights))
    if settings.diversity and settings.count > 1:
        terms.append(-settings.diversity * Sameness(settings.layer))
    terms.append(-SMOOTH * TotalVariation())
    if job.start is not None:
        square = torch.from_numpy(job.start).movedim(-1, 0).float()[None] / 255
        size = (suitable_side(box),) * 2
        terms.append(-10.0 * Distance(torch.nn.functional.interpolate(square, size=size, mode="area")[0]))
    return sum(terms[1:], terms[0])
