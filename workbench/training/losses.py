"""Losses of image-text training: symmetric cross-entropy with a learned temperature, and the sigmoid loss.

Unit rows come in, one number goes out. With several processes, each computes the part of its own rows; the parts add
up to the loss of the whole batch.

Sources:
    Radford et al. 2021, arXiv:2103.00020, figure 3 and section 2.5 (the scale is learned as a logarithm, at most 100).
    Zhai et al. 2023, arXiv:2303.15343, algorithm 1 (sigmoid).
    Several positives: Khosla et al. 2020, arXiv:2004.11362, equation 2; Yang et al. 2022, arXiv:2204.03610, equation 3.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

MAX_SCALE = 100.0  # what a cosine is multiplied with, at most
INITIAL_SCALE = 1 / 0.07  # where CLIP's begins
INITIAL_SIGMOID = (10.0, -10.0)  # scale and bias where SigLIP's begin

_EVERY = slice(None)


def symmetric_cross_entropy(
    images: Tensor, texts: Tensor, scale: Tensor, *, positives: Tensor | None = None, mine: slice = _EVERY
) -> Tensor:
    """Mean of two cross-entropies: each picture against all texts, each text against all pictures.

    Args:
        images: (n, dim) unit rows.
        texts: (n, dim) unit rows; row i belongs to picture i.
        scale: what cosines are multiplied with; a number, not its logarithm.
        positives: (n, n) weights, 0 or more; which texts (columns) are right for a picture (row). None for the
            diagonal. A row's weights are shared out, so that they sum to 1; so are a column's.
        mine: the pictures and texts whose share is computed here; the others are only wrong answers to them.

    Returns:
        A number; the shares of all parts of a batch add up to its loss.
    """
    n = len(images)
    right = torch.eye(n, dtype=images.dtype, device=images.device) if positives is None else positives.to(images.dtype)
    by_picture = scale * images[mine] @ texts.T  # (m, n)
    by_text = scale * texts[mine] @ images.T
    down, up = soft_cross_entropy(by_picture, right[mine]), soft_cross_entropy(by_text, right.T[mine])
    return (down.sum() + up.sum()) / (2 * n)


def soft_cross_entropy(logits: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of each row against weights that are shared out to sum to 1.

    Args:
        logits: (m, n).
        weights: (m, n), 0 or more. A row of zeros has no right answer and costs nothing.

    Returns:
        (m,), each 0 or more.
    """
    shared = weights / weights.sum(dim=1, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)
    return -(shared * functional.log_softmax(logits, dim=1)).sum(dim=1)


def sigmoid_loss(
    images: Tensor,
    texts: Tensor,
    scale: Tensor,
    *,
    bias: Tensor,
    positives: Tensor | None = None,
    mine: slice = _EVERY,
) -> Tensor:
    """Ask of every pair whether it belongs together; the sum over all pairs, divided by the number of pictures.

    Args:
        images: (n, dim) unit rows.
        texts: (n, dim) unit rows; row i belongs to picture i.
        scale: what cosines are multiplied with.
        bias: what is added to each logit.
        positives: (n, n), more than 0 where a text (column) is right for a picture (row). None for the diagonal.
        mine: the pictures whose share is computed here, against all texts.

    Returns:
        A number; the shares of all parts of a batch add up to its loss.
    """
    n = len(images)
    right = torch.eye(n, device=images.device) if positives is None else positives
    logits = scale * images[mine] @ texts.T + bias
    signs = torch.where(right[mine] > 0, 1.0, -1.0).to(logits.dtype)
    return -functional.logsigmoid(signs * logits).sum() / n


def same(keys: Sequence[Hashable], device: torch.device | str = "cpu") -> Tensor:
    """Say which pairs of a batch mean the same, such as two photos of one class; (n, n) float32, 1 or 0."""
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    codes = torch.tensor([numbers[key] for key in keys], device=device)
    return (codes[:, None] == codes[None, :]).float()


@torch.no_grad()
def clamp_scale(log_scale: Tensor, most: float = MAX_SCALE) -> None:
    """Keep a learned scale at or below its bound, in place; to be called after each step of the optimizer."""
    log_scale.clamp_(max=math.log(most))
