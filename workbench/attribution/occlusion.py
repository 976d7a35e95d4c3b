"""Occlusion: cover a square of the image, move it along, and see how far the score falls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.attribution.baselines import SAYS, baseline
from workbench.attribution.request import Request
from workbench.attribution.score import AttributionMap, Score
from workbench.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class _Positions:
    """Neighbouring positions of the covering square, and the part of the image that they touch."""

    top: int
    left: int
    height: int
    width: int
    positions: int


def occlusion(score: Score, picture: Tensor, request: Request) -> Iterator[Progress | AttributionMap]:
    """Average, for each pixel, the fall of the score over the squares that cover it.

    Captum computes part of a row of squares at a time; its averages are turned back into sums, which add up over
    parts, and are averaged again at the end: the same as Captum for the whole image at once.

    Args:
        score: the objective.
        picture: (1, 3, s, s) in 0..1.
        request: `window`, `stride`, `baseline` and `batch` count.

    Yields:
        Progress in positions of the square, then the AttributionMap: map (s, s), in units of the objective.

    Source:
        Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2.
    """
    import torch

    window, stride = request.covering
    cover = baseline(request.emptiness, picture)
    parts = _positions(request.side, window, stride, request.batch)
    total = sum(part.positions for part in parts)
    falls, covered = torch.zeros_like(picture[0, 0]), torch.zeros_like(picture[0, 0])
    done = 0
    for part in parts:
        place = (slice(part.top, part.top + part.height), slice(part.left, part.left + part.width))
        squares = _squares_over(part, window, stride).to(picture.device)  # (width,)
        falls[place] += _mean_fall(score, picture, cover, part, request) * squares
        covered[place] += squares
        done += part.positions
        yield Progress(done, total, "positions of the square")
    note = f"A square of {window} pixels, moved by {stride}, shows {SAYS[request.emptiness]}."
    yield AttributionMap(falls / covered, note)


def _positions(side: int, window: int, stride: int, batch: int) -> list[_Positions]:
    """Cut the grid of positions into rows, and rows into parts of at most `batch`."""
    starts = [i * stride for i in range(-(-(side - window) // stride) + 1)]  # the last square may stick out
    return [
        _Positions(top, some[0], min(window, side - top), min(some[-1] + window, side) - some[0], len(some))
        for top in starts
        for some in (starts[i : i + batch] for i in range(0, len(starts), batch))
    ]


def _squares_over(part: _Positions, window: int, stride: int) -> Tensor:
    """Count the squares of a part of a row that cover each of its columns; (width,) float32."""
    import torch

    counts = torch.zeros(part.width)
    for i in range(part.positions):
        counts[i * stride : i * stride + window] += 1
    return counts


def _mean_fall(score: Score, picture: Tensor, cover: Tensor, part: _Positions, request: Request) -> Tensor:
    """Let Captum cover one part of a row; (height, width) mean fall."""
    from captum.attr import Occlusion

    window, stride = request.covering
    bottom, right = part.top + part.height, part.left + part.width

    def score_with(squares: Tensor) -> Tensor:
        whole = picture.repeat(len(squares), 1, 1, 1)
        whole[:, :, part.top : bottom, part.left : right] = squares
        return score(whole)

    falls: Tensor = Occlusion(score_with).attribute(
        picture[:, :, part.top : bottom, part.left : right],
        sliding_window_shapes=(3, part.height, min(window, part.width)),
        strides=(3, part.height, stride if part.positions > 1 else min(stride, part.width)),
        baselines=cover[:, :, part.top : bottom, part.left : right],
        perturbations_per_eval=request.batch,
    )
    return falls[0, 0]  # the square covers the three colours together
