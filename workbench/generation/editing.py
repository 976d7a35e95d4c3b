"""Ways from one sentence to another: one change of latents for all images, or a path that each image follows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from workbench.errors import BadInput
from workbench.generation.diffusion.guidance import batched_gradient

if TYPE_CHECKING:
    from torch import Tensor

PACE = 10  # steps of a path for a strength of 1
_STEP = 0.06  # root mean square of a step, in spreads of the latents
_LENGTH = 0.6  # root mean square of a direction, in spreads of the latents, where the strength is 1


def global_direction(score: Callable[[Tensor], Tensor], samples: Tensor, *, threshold: float = 0.1) -> Tensor:
    """How latents change where the score rises, averaged over samples.

    The change of each latent is measured in its own spread, so that one that hardly varies does not win; small ones are
    left out, which keeps apart what has nothing to do with the sentences.

    Args:
        score: latents (n, …) -> (n,), with gradient; the cosine of the embedding with the difference of two sentences.
        samples: (n, …) latents of ordinary images, at least two.
        threshold: 0..1; entries below this share of the largest one are 0.

    Returns:
        (…,): to be added to latents, times a strength.

    Raises:
        BadInput: fewer than two samples, or a score that no latent changes.

    Source:
        Patashnik et al. 2021, arXiv:2103.17249 (StyleCLIP), section 6: the relevance of each channel by its effect on
        the embedding; here the effect is the mean gradient.
    """
    import torch

    if len(samples) < 2:
        raise BadInput("A global direction is an average over at least two images.")
    gradient = batched_gradient(lambda some: score(some).sum(), samples)
    spread = samples.std(dim=0)
    relevance = gradient.mean(dim=0) * spread
    largest = float(relevance.abs().max())
    if not largest > 0:  # a NaN fails here too
        raise BadInput("No latent changes the score, so there is no direction between these sentences.")
    relevance = torch.where(relevance.abs() >= threshold * largest, relevance, torch.zeros_like(relevance))
    direction: Tensor = relevance / relevance.square().mean().sqrt() * _LENGTH * spread
    return direction


def path(score: Callable[[Tensor], Tensor], latents: Tensor, *, strength: float) -> Iterator[Tensor]:
    """Follow the gradient of a score in steps of one length: uphill for a strength above zero, downhill below.

    The path of a small strength is the beginning of that of a larger one, so an edit grows and never begins anew.

    Args:
        score: latents (1, …) -> (1,), with gradient; called anew for each step.
        latents: (1, …), where it begins, of unit spread.
        strength: length and direction; the last step is as long as what is left.

    Yields:
        (1, …) after each step; nothing for a strength of 0.

    Source:
        Patashnik et al. 2021, arXiv:2103.17249 (StyleCLIP), section 4, where a weight of likeness ends the way; here
        its length does.
    """
    import torch

    left, sign = abs(strength) * PACE, math.copysign(1.0, strength)
    while left > 1e-9:
        gradient = batched_gradient(lambda some: score(some).sum(), latents)
        size = gradient.square().mean().sqrt()
        if not float(size) > 0:  # a NaN fails here too
            raise BadInput("No latent changes the score, so there is no way between these sentences.")
        with torch.no_grad():
            latents = latents + sign * min(1.0, left) * _STEP * gradient / size
        left -= 1.0
        yield latents
