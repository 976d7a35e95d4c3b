"""Two ways to maximise a loss within a ball: projected gradient descent, and its variant that finds its own step sizes.

An image that is already wrong is left as it is (unless the goal says onward), and so is one whose gradient is zero
everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.attacks.goals import Goal
    from workbench.attacks.norms import Ball
    from workbench.backend import WhiteBox

_MOMENTUM = 0.75  # of the newest step, Croce and Hein's alpha
_RISING = 0.75  # share of steps that must raise the loss, their rho
_FIRST, _SHORTER, _SHORTEST = (
    0.22,
    0.03,
    0.06,
)  # first checkpoint and how their distances shrink, as shares of the steps


@dataclass
class _Attacked:
    """The best points so far, and which images are still open."""

    points: Tensor  # (n, 3, h, w)
    losses: Tensor  # (n,)
    open: Tensor  # (n,) bool: not yet wrong

    def look(self, box: WhiteBox, goal: Goal, points: Tensor) -> tuple[Tensor, Tensor]:
        """Try points of those still open, keep the better; losses (n,) and gradients of all, zero of the others."""
        import torch

        at = self.open.nonzero()[:, 0]
        losses, gradients = self.losses.clone(), torch.zeros_like(points)
        losses[at], active, gradients[at] = goal.look(box, points[at], at)
        better = self.open & (losses > self.losses)
        better[at] |= ~active
        self.points = torch.where(better[:, None, None, None], points, self.points)
        self.losses = torch.where(better, losses, self.losses)
        self.open[at] &= active
        return losses, gradients


def pgd(box: WhiteBox, pixels: Tensor, goal: Goal, *, ball: Ball, steps: int, noise: Tensor) -> Tensor:
    """Take steps of 2.5 radius / steps from a random start; (n, 3, h, w) -> the same, each the worst point met.

    Source:
        Madry et al. 2018, arXiv:1706.06083, section 2.1; the step size is that of their code's successors.
    """
    attacked = _begin(box, pixels, goal)
    points = ball.project(pixels + ball.surface(noise) * 0.5, pixels)
    for _ in range(steps):
        if not attacked.open.any():
            break
        _, gradients = attacked.look(box, goal, points)
        points = ball.project(points + 2.5 * ball.radius / steps * ball.ascent(gradients), pixels)
    if attacked.open.any():
        attacked.look(box, goal, points)
    return attacked.points


def apgd(box: WhiteBox, pixels: Tensor, goal: Goal, *, ball: Ball, steps: int, noise: Tensor) -> Tensor:
    """APGD: momentum; halve a step that is too long and go on from the best point; (n, 3, h, w) -> the same.

    Source:
        Croce and Hein 2020, arXiv:2003.01690, algorithm 1 and section 3.
    """
    import torch

    attacked = _begin(box, pixels, goal)
    points = ball.project(pixels + ball.surface(noise), pixels)
    if not attacked.open.any():
        return attacked.points
    attacked.losses = torch.where(attacked.open, torch.full_like(attacked.losses, -torch.inf), attacked.losses)
    losses, gradients = attacked.look(box, goal, points)
    size = torch.full_like(losses, 2 * ball.radius)
    before, rises, marks = points, torch.zeros_like(losses), checkpoints(steps)
    mark = _Checkpoint(0, size.clone(), attacked.losses.clone())
    best, best_gradients = points.clone(), gradients.clone()
    for step in range(1, steps + 1):
        if not attacked.open.any():
            break
        aim = ball.project(points + size[:, None, None, None] * ball.ascent(gradients), pixels)
        share = 1.0 if step == 1 else _MOMENTUM
        after = ball.project(points + share * (aim - points) + (1 - share) * (points - before), pixels)
        before, points, last = points, after, losses
        highest = attacked.losses.clone()
        losses, gradients = attacked.look(box, goal, points)
        rises += losses > last
        new = (losses > highest)[:, None, None, None]
        best, best_gradients = torch.where(new, points, best), torch.where(new, gradients, best_gradients)
        if step in marks:
            halved = mark.stuck(step, rises, size=size, highest=attacked.losses)
            mark = _Checkpoint(step, size.clone(), attacked.losses.clone())
            size = torch.where(halved, size / 2, size)
            again = halved[:, None, None, None]
            points, gradients = torch.where(again, best, points), torch.where(again, best_gradients, gradients)
            before, losses = torch.where(again, best, before), torch.where(halved, attacked.losses, losses)
            rises = torch.zeros_like(rises)
    return attacked.points


def checkpoints(steps: int) -> tuple[int, ...]:
    """Return the steps after which step sizes are reviewed: 22 % in, then at shrinking distances."""
    shares, gap = [0.0, _FIRST], _FIRST
    while shares[-1] < 1:
        gap = max(gap - _SHORTER, _SHORTEST)
        shares.append(shares[-1] + gap)
    return tuple(sorted({math.ceil(round(share * steps, 6)) for share in shares[1:] if share <= 1}))


@dataclass(frozen=True)
class _Checkpoint:
    """Step sizes and losses at the last checkpoint."""

    step: int
    size: Tensor  # (n,)
    highest: Tensor  # (n,) loss

    def stuck(self, step: int, rises: Tensor, *, size: Tensor, highest: Tensor) -> Tensor:
        """Return (n,) whose step is too long: too few rises since, or the same step and no new highest loss."""
        few: Tensor = rises < _RISING * (step - self.step)
        return few | ((self.size == size) & (self.highest == highest))


def _begin(box: WhiteBox, pixels: Tensor, goal: Goal) -> _Attacked:
    """Look at the images themselves: one that is already wrong, or has no gradient, does not start."""
    import torch

    every = torch.arange(len(pixels), device=pixels.device)
    losses, active, gradients = goal.look(box, pixels, every)
    return _Attacked(pixels.clone(), losses, active & (gradients.flatten(1).abs().amax(dim=1) > 0))
