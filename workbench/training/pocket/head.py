"""Stage one, images: a joint space whose cosines reproduce the locked classifier's answers.

The locked tower's features are taken once, over many crops, mixtures and enlargements. On these a projection and a
thousand class vectors learn to give the classifier's soft answers. No labels are used, so the one photo of
a class cannot be memorised.

Sources:
    Hinton et al. 2015, arXiv:1503.02531 (distillation).
    Beyer et al. 2022, arXiv:2106.05237 (the teacher must see the very crop and mixture that the pupil sees).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

BATCH = 1024


@dataclass(frozen=True)
class Head:
    """A projection, the vectors of the thousand classes, and the factor in front of the cosine.

    Attributes:
        projection: (dim, 1280).
        classes: (1000, dim), unit rows.
        scale: what cosines are multiplied with.
    """

    projection: Tensor
    classes: Tensor
    scale: float

    def to(self, device: torch.device) -> Head:
        """The same on a device."""
        return Head(self.projection.to(device), self.classes.to(device), self.scale)

    def logits(self, features: Tensor) -> Tensor:
        """(n, 1280) features -> (n, 1000)."""
        return self.scale * functional.normalize(features @ self.projection.T, dim=-1) @ self.classes.T


def _low_rank(net: Any, rows: Tensor, dim: int) -> Head:
    """The best start: directions that carry most of the classifier's answers over these features.

    Args:
        net: the locked classifier.
        rows: (n, 1280) features.
        dim: width of the joint space.
    """
    middle = rows.mean(0)
    weight = net.classifier.weight - net.classifier.weight.mean(0)
    spread = torch.linalg.cholesky(torch.cov(rows.T) + 1e-4 * torch.eye(rows.shape[1]))
    directions = torch.linalg.svd(weight @ spread, full_matrices=False).Vh[:dim]
    projection = directions @ torch.linalg.inv(spread)
    classes = weight @ spread @ directions.T
    unit = middle / middle.norm()
    return Head(projection - (projection @ unit)[:, None] * unit, functional.normalize(classes, dim=-1), 25.0)


def fit(net: Any, rows: Tensor, *, dim: int, epochs: int, seed: int) -> Iterator[tuple[int, float, Head]]:
    """Fit projection and class vectors to the classifier's soft answers.

    Args:
        net: the locked classifier, whose answers are the target.
        rows: (n, 1280) features, float32.
        dim: width of the joint space.
        epochs: passes over the features.
        seed: of the order.

    Yields:
        (epoch, divergence from the classifier in nats, the head so far).
    """
    start = _low_rank(net, rows, dim)
    projection, classes = (part.clone().requires_grad_() for part in (start.projection, start.classes))
    scale = torch.tensor(math.log(start.scale), requires_grad=True)
    optimiser = torch.optim.AdamW([projection, classes, scale], lr=1e-3, weight_decay=0.0)
    generator = torch.Generator().manual_seed(seed)
    batch = min(BATCH, len(rows))
    steps = epochs * (len(rows) // batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for epoch in range(epochs):
        total = 0.0
        order = torch.randperm(len(rows), generator=generator)[: len(rows) // batch * batch]
        for place in torch.chunk(order, len(order) // batch):
            with torch.no_grad():
                target = net.classifier(rows[place]).softmax(-1)
            unit = functional.normalize(classes, dim=-1)
            logits = scale.exp() * functional.normalize(rows[place] @ projection.T, dim=-1) @ unit.T
            loss = functional.kl_div(logits.log_softmax(-1), target, reduction="batchmean")
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * batch / len(rows)
        fitted = functional.normalize(classes.detach(), dim=-1)
        yield epoch, total, Head(projection.detach().clone(), fitted, float(scale.detach().exp()))
