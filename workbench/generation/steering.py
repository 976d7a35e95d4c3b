"""What steers: one model or several, each with what it wants to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.generation.prompts import WeightedUnit, parse_units
from workbench.neurons.layers import check_unit, is_last, layer_name
from workbench.objectives import Cosine, Directional, Objective, UnitActivation, UnitShare, Waking

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.backend import WhiteBox
    from workbench.generation.painting import CanvasJob

BATCH = 16  # images that go through a model at once: memory does not grow with their number (1.5 GB with a ViT-B/32)
_CONVOLUTIONAL_SHARE = 4 / 7  # of a convolutional tower's side: enough to see with, and three times as fast


@dataclass(frozen=True, eq=False)
class Steering:
    """Models with an objective each; the score is the mean over the models."""

    boxes: tuple[WhiteBox, ...]
    objectives: tuple[Objective, ...]

    def scores(self, squares: Tensor, *, whole: bool = False) -> Tensor:
        """Score images (n, 3, h, h) in 0..1; (n,) with gradient.

        Args:
            squares: of any size; each model gets the one that it wants.
            whole: at each model's full size, which ranks better than the smaller one that gradients get along with.
        """
        import torch

        total = squares.new_zeros(len(squares))
        for box, objective in zip(self.boxes, self.objectives, strict=True):
            side = box.image_size if whole else suitable_side(box)
            seen = squares
            if squares.shape[-1] != side and (whole or box is not self.boxes[0]):
                seen = torch.nn.functional.interpolate(
                    squares, size=(side, side), mode="bicubic", antialias=squares.shape[-1] > side
                ).clamp(0, 1)
            total = total + objective(box, seen).to(total) / len(self.boxes)
        return total

    def rank(self, images: Tensor) -> Tensor:
        """Score whole images, a few at a time; (n,) with gradient."""
        import torch

        return torch.cat([self.scores(some, whole=True) for some in torch.split(images, BATCH)])


def steering(boxes: Sequence[WhiteBox], job: CanvasJob, start: Tensor | None = None) -> Steering:
    """Objectives of a job: the prompt's rows by their weights; for an edit, the change from one sentence to another.

    Args:
        boxes: the models, the main one first.
        job: with rows for each of them.
        start: (1, 3, side, side) in 0..1, the image that an edit begins with.
    """
    aims = [(job.rows, job.neutral), *((aim.rows, aim.neutral) for aim in job.also)]
    wanted = [_wanted(box, job, start, *aim) for box, aim in zip(boxes, aims, strict=True)]
    wanted[0] = sum(job.facets, wanted[0])
    for unit in parse_units(job.settings.prompt):
        wanted[0] = wanted[0] + unit.weight * _unit(boxes[0], unit)
    return Steering(tuple(boxes), tuple(wanted))


def suitable_side(box: WhiteBox) -> int:
    """Side of the cutouts: the model's own, or less for a convolutional tower, which takes any size."""
    if box.anatomy.kind != "convolutional" or box.image_size < 128:
        return box.image_size
    return max(96, round(_CONVOLUTIONAL_SHARE * box.image_size / 32) * 32)


def _unit(box: WhiteBox, wanted: WeightedUnit) -> Objective:
    """A unit of the main model, on the scale of a cosine; one of the last layer is woken where it is silent."""
    anatomy = box.anatomy
    layer = layer_name(anatomy, wanted.layer)
    unit = UnitActivation(layer, wanted.unit, "first" if anatomy.prefix_tokens else "mean")
    share = UnitShare(unit)
    if anatomy.head is None or not is_last(anatomy, layer) or wanted.weight < 0:
        return share
    check_unit(wanted.unit, anatomy.head.directions.shape[1], layer)
    return share + Waking(unit, anatomy.head.directions[:, wanted.unit].detach().float(), 1e-3)


def _wanted(
    box: WhiteBox, job: CanvasJob, start: Tensor | None, given: NDArray[Any], neutral: NDArray[Any] | None
) -> Objective:
    import torch

    rows = torch.from_numpy(given)
    total = sum(abs(weight) for weight in job.weights)
    if neutral is None or start is None:
        terms = [weight / total * Cosine(rows, at) for at, weight in enumerate(job.weights)]
        return sum(terms[1:], terms[0])
    target = torch.tensor(job.weights) @ rows / total
    with torch.no_grad():
        side = suitable_side(box)
        seen = torch.nn.functional.interpolate(start, size=(side, side), mode="bilinear", antialias=True)
        first = box.embed_pixels(seen.to(box.device))[0]
    return job.settings.strength * Directional(first.cpu(), target - torch.from_numpy(neutral))
