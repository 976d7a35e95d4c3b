"""Occlusion: cover a square of the picture, move it along, and see how far the score falls.

Knows no tower and needs no gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.attribution.baselines import SAYS, baseline
from workbench.attribution.request import Request
from workbench.attribution.score import Finding, Score
from workbench.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class _Stretch:
    """A few neighbouring positions of the covering square, and the part of the picture that they touch."""

    top: int
    left: int
    height: int
    width: int
    positions: int


def occlusion(score: Score, picture: Tensor, request: Request) -> Iterator[Progress | Finding]:
    """Average, for each pixel, the fall of the score over the squares that cover it.

    Captum is asked for one stretch of a row of squares at a time; its averages are turned back into sums, which add up
    over stretches, and are averaged again at the end: what Captum gives for the whole picture at once.

    Args:
        score: the objective.
        picture: (1, 3, s, s) in 0..1.
        request: `window`, `stride`, `baseline` and `batch` count.

    Yields:
        Progress in positions of the square, then the Finding: map (s, s), in units of the objective.

    Source:
        Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2.
    """
    import torch

    window, stride = request.covering
    cover = baseline(request.emptiness, picture)
    stretches = _stretches(request.side, window, stride, request.batch)
    total = sum(stretch.positions for stretch in stretches)
    falls, covered = torch.zeros_like(picture[0, 0]), torch.zeros_like(picture[0, 0])
    done = 0
    for stretch in stretches:
        place = (slice(stretch.top, stretch.top + stretch.height), slice(stretch.left, stretch.left + stretch.width))
        squares = _squares_over(stretch, window, stride).to(picture.device)  # (width,)
        falls[place] += _mean_fall(score, picture, cover, stretch, request) * squares
        covered[place] += squares
        done += stretch.positions
        yield Progress(done, total, "positions of the square")
    note = f"A square of {window} pixels, moved by {stride}, shows {SAYS[request.emptiness]}."
    yield Finding(falls / covered, note)


def _stretches(side: int, window: int, stride: int, batch: int) -> list[_Stretch]:
    """Cut the grid of positions into rows, and rows into stretches of at most `batch`."""
    starts = [i * stride for i in range(-(-(side - window) // stride) + 1)]  # the last square may stick out
    return [
        _Stretch(top, some[0], min(window, side - top), min(some[-1] + window, side) - some[0], len(some))
        for top in starts
        for some in (starts[i : i + batch] for i in range(0, len(starts), batch))
    ]


def _squares_over(stretch: _Stretch, window: int, stride: int) -> Tensor:
    """Count the squares of a stretch that cover each of its columns; (width,) float32."""
    import torch

    counts = torch.zeros(stretch.width)
    for i in range(stretch.positions):
        counts[i * stride : i * stride + window] += 1
    return counts


def _mean_fall(score: Score, picture: Tensor, cover: Tensor, stretch: _Stretch, request: Request) -> Tensor:
    """Let Captum cover one stretch; (height, width) mean fall."""
    from captum.attr import Occlusion

    window, stride = request.covering
    bottom, right = stretch.top + stretch.height, stretch.left + stretch.width

    def score_with(parts: Tensor) -> Tensor:
        whole = picture.repeat(len(parts), 1, 1, 1)
        whole[:, :, stretch.top : bottom, stretch.left : right] = parts
        return score(whole)

    falls: Tensor = Occlusion(score_with).attribute(
        picture[:, :, stretch.top : bottom, stretch.left : right],
        sliding_window_shapes=(3, stretch.height, min(window, stretch.width)),
        strides=(3, stretch.height, stride if stretch.positions > 1 else min(stride, stretch.width)),
        baselines=cover[:, :, stretch.top : bottom, stretch.left : right],
        perturbations_per_eval=request.batch,
    )
    return falls[0, 0]  # the square covers the three colours together
