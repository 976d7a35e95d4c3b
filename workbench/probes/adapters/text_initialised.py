"""A linear probe that starts at the classes' sentences, with cosine logits; CLAP also holds it near them.

Both are trained by gradient descent with 300 steps, momentum 0.9, and a step that falls from 0.1 to 0 along a cosine,
as the released code does. Here every step sees all images at once, and no image is augmented.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.probes.adapters.support import Scorer, Support

STEPS = 300
STEP = 0.1
MOMENTUM = 0.9
LENGTH = 10.0  # of the weights at the start; the step of 0.1 belongs to CLIP embeddings before they become unit rows


def text_initialised(support: Support) -> Scorer:
    """Fit a probe that starts at the sentences; nothing is tuned, so images that judge are not needed.

    Source:
        Silva-Rodríguez et al. 2024, arXiv:2312.12730, section 3 (ZS-LP).
    """
    return linear(trained(support, support.images.new_zeros(len(support.images), len(support.texts))), support.scale)


def clap(support: Support) -> Scorer:
    """Fit a probe held near the sentences, each class the more, the surer zero-shot is of its images.

    Source:
        Silva-Rodríguez et al. 2024, arXiv:2312.12730, section 4: the multipliers are the mean zero-shot probability of
        the true class on the class's own images, and stay.
    """
    return linear(trained(support, multipliers(support)), support.scale)


def multipliers(support: Support) -> Tensor:
    """(s, k) mean zero-shot probability of the true class over the images of each class."""
    import torch

    chances = (support.scale * support.images @ support.texts.T).softmax(dim=-1)
    own = chances[:, torch.arange(len(support.y)), support.y]
    sums = own.new_zeros(len(own), len(support.texts)).index_add_(1, support.y, own)
    return sums / support.y.bincount(minlength=len(support.texts))


def trained(support: Support, pull: Tensor, *, steps: int = STEPS) -> Tensor:
    """Minimise the mean log loss plus the mean over classes of pull times the squared distance to the sentences.

    Args:
        support: what is fitted on.
        pull: (s, k) multipliers; 0 leaves a class free.
        steps: of gradient descent; 0 returns the sentences.

    Returns:
        (s, k, dim) unit rows.
    """
    import torch

    start = LENGTH * support.texts.expand(len(support.images), -1, -1)
    weights, velocity = start.clone(), torch.zeros_like(start)
    n, places = len(support.y), torch.arange(len(support.y))
    for step in range(steps):
        lengths = weights.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        unit = weights / lengths
        errors = (support.scale * support.images @ unit.mT).softmax(dim=-1)
        errors[:, places, support.y] -= 1
        slopes = support.scale / n * errors.mT @ support.images
        slopes = (slopes - (slopes * unit).sum(dim=-1, keepdim=True) * unit) / lengths
        slopes += 2 / len(support.texts) * pull[..., None] * (weights - start)
        velocity = MOMENTUM * velocity + slopes
        weights = weights - STEP * (1 + math.cos(math.pi * step / steps)) / 2 * velocity
    return unit_rows(weights)


def unit_rows(weights: Tensor) -> Tensor:
    """Return rows of length 1."""
    rows: Tensor = weights / weights.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return rows


def linear(weights: Tensor, scale: float) -> Scorer:
    """Return cosine logits for (s, k, dim) unit rows."""
    return lambda rows, drawing: scale * rows @ weights[drawing].T


def mixed(support: Support, tuned: Tensor, mix: float) -> Scorer:
    """Return the classifier between the sentences (mix 0) and a tuned one (mix 1).

    Args:
        support: the sentences and the scale.
        tuned: (s, k, dim) unit rows.
        mix: 0..1.
    """
    weights = (1 - mix) * support.texts + mix * tuned
    return linear(unit_rows(weights), support.scale)
