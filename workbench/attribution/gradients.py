"""Integrated gradients: what each pixel adds on the straight way from a baseline to the picture.

Knows no tower: it needs pixels with gradients only, and so serves every white box.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.attribution.baselines import SAYS, baseline
from workbench.attribution.request import Progress, Request
from workbench.attribution.score import Finding, Score

if TYPE_CHECKING:
    from torch import Tensor

_ROUGH = 0.1  # of the gained objective; a larger delta is pointed out
_STRETCH = 4  # points that are evenly spaced
_CROWDING = 3  # after the share t of the points, the path has come as far as t to this power


def integrated_gradients(score: Score, picture: Tensor, request: Request) -> Iterator[Progress | Finding]:
    """Integrate gradients along the path with the midpoint rule, in stretches that Captum integrates one by one.

    Stretches are short near the baseline, where the score turns most: with even ones, nine tenths of the shipped
    model's error on photos lie in the first ninth of the path.

    Args:
        score: the objective.
        picture: (1, 3, s, s) in 0..1.
        request: `steps` (points), `baseline` and `batch` (points that go through the model together) count.

    Yields:
        Progress in points, then the Finding: map (s, s) summed over the colours, with `delta`, its sum minus
        the objective's difference between picture and baseline, which completeness (axiom 1) says is zero.

    Source:
        Sundararajan, Taly and Yan 2017, arXiv:1703.01365, sections 3, 5; uneven points: arXiv:2302.11107.
    """
    import torch
    from captum.attr import IntegratedGradients

    captum = IntegratedGradients(score)
    start = baseline(request.emptiness, picture)
    way = picture - start
    pixels = torch.zeros_like(picture)
    for done in range(0, request.steps, _STRETCH):
        after = min(done + _STRETCH, request.steps)
        pixels += captum.attribute(
            start + way * (after / request.steps) ** _CROWDING,
            baselines=start + way * (done / request.steps) ** _CROWDING,
            n_steps=after - done,
            internal_batch_size=request.batch if request.batch < after - done else None,
            # Captum's midpoint rule wants two points; for one, Gauss and Legendre choose the midpoint too
            method="riemann_middle" if after - done > 1 else "gausslegendre",
        )
        yield Progress(after, request.steps, "points on the path")
    with torch.no_grad():
        gained = float(score(picture) - score(start))
    delta = float(pixels.sum(dtype=torch.float64)) - gained
    yield Finding(pixels[0].sum(dim=0), _note(request, delta, gained), delta=delta, gained=gained)


def _note(request: Request, delta: float, gained: float) -> str:
    note = f"{request.steps} points between the baseline ({SAYS[request.emptiness]}) and the picture."
    if abs(delta) <= _ROUGH * abs(gained):
        return note
    return (
        f"{note} Rough: the delta is large beside what was gained, so the map does not add up; "
        "more points help, or a method that does not integrate."
    )
