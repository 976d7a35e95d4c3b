"""LP++: a linear probe plus a learned share of each class's sentence; all steps follow from the data.

Source: Huang et al. 2024, arXiv:2404.02285, section 4. The number of steps is the one that is best on judging images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.probes.adapters.support import Scorer, Support

STEPS = 300
MOMENTUM = 0.9
EVERY = 10  # steps of the probe for one step of the shares
FIRST_SHARE = 250  # times the mean cosine of an image with its class's sentence


def lp_plus_plus(support: Support) -> Scorer:
    """Fit by blocks: the probe by gradient descent with momentum, the shares by one step in ten.

    Steps are as long as the curvature allows. Of the steps that are equally good on judging images the last is taken.
    """
    import torch

    images, texts = support.images, support.texts
    hot = torch.nn.functional.one_hot(support.y, len(texts)).to(images)  # (n, k)
    n, cosines = len(support.y), images @ texts.T  # (s, n, k)
    weights, shares = hot.T @ images, first_shares(support)  # (s, k, dim), (s, k)
    bias = images.new_zeros(len(images), 1, len(texts))
    largest = torch.linalg.matrix_norm(images, ord=2) ** 2  # eigenvalue of FᵀF
    step = 4 * n / largest[:, None, None]
    share_step = n / (4 * (cosines**2).sum(dim=1).max(dim=1).values)[:, None]
    speeds = torch.zeros_like(weights), torch.zeros_like(bias)
    best, top = (weights, bias, shares), torch.full((len(images),), -1.0)
    for number in range(1, STEPS + 1):
        errors = ((images @ weights.mT + bias + shares[:, None] * cosines).softmax(dim=-1) - hot) / n
        speeds = MOMENTUM * speeds[0] + errors.mT @ images, MOMENTUM * speeds[1] + errors.sum(dim=1, keepdim=True)
        weights, bias = weights - step * speeds[0], bias - step * speeds[1]
        if number % EVERY == 0:
            shares = shares - share_step * (errors * cosines).sum(dim=1)
        logits = support.judges @ weights.mT + bias + shares[:, None] * (support.judges @ texts.T)
        right = (logits.argmax(dim=-1) == support.judged).float().mean(dim=1)
        better = right >= top
        top = torch.where(better, right, top)
        best = tuple(  # type: ignore[assignment]
            torch.where(better.view(-1, *[1] * (new.dim() - 1)), new, old)
            for new, old in zip((weights, bias, shares), best, strict=True)
        )
    weights, bias, shares = best
    return lambda rows, drawing: rows @ weights[drawing].T + bias[drawing] + shares[drawing] * (rows @ texts.T)


def first_shares(support: Support) -> Tensor:
    """(s, k) the same share for all classes of a drawing: 250 times the mean cosine of images with their sentence."""
    own = (support.images * support.texts[support.y]).sum(dim=-1)  # classes are equally large
    return FIRST_SHARE * own.mean(dim=1, keepdim=True).expand(-1, len(support.texts))
