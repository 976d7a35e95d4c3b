"""Tip-Adapter: labelled images as a cache beside the sentences. Tip-Adapter-F trains the cache's keys.

    logits = scale · f·t + alpha · exp(-beta (1 - f·keys)) · labels

alpha and beta are chosen on judging images, alpha = 0 (zero-shot) among them. The trained keys are those after the last
epoch.

Source: Zhang et al. 2022, arXiv:2207.09519, sections 3.1 and 3.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.probes.adapters.support import judgement

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.probes.adapters.support import Scorer, Support

ALPHAS = tuple(3 * step / 20 for step in range(21))  # 0..3
BETAS = tuple(0.1 + 6.9 * step / 20 for step in range(21))  # 0.1..7
FIRST_ALPHA, FIRST_BETA = 1.0, 5.5  # with which keys are trained
EPOCHS, STEP, BATCH = 20, 1e-3, 256


def tip_adapter(support: Support) -> Scorer:
    """Choose alpha and beta; nothing is trained."""
    return _with_keys(support, list(support.images))


def tip_adapter_f(support: Support) -> Scorer:
    """Train the keys, then choose alpha and beta."""
    return _with_keys(support, [trained_keys(support, drawing) for drawing in range(len(support.images))])


def cache_logits(support: Support, rows: Tensor, keys: Tensor, *, alpha: float, beta: float) -> Tensor:
    """(n, k) logits of the formula above.

    Args:
        support: sentences, labels of the keys, and the scale.
        rows: (n, dim) unit rows.
        keys: (m, dim).
        alpha: weight of the cache.
        beta: sharpness of the cache.
    """
    import torch

    hot = torch.nn.functional.one_hot(support.y, len(support.texts)).to(rows)
    return support.scale * rows @ support.texts.T + alpha * (beta * (rows @ keys.T - 1)).exp() @ hot


def trained_keys(support: Support, drawing: int) -> Tensor:
    """Train one drawing's keys with AdamW for 20 epochs, in batches of 256; the drawing's number seeds their order."""
    import torch

    images = support.images[drawing]
    keys = images.clone().requires_grad_()
    order = torch.Generator().manual_seed(drawing)
    batches = -(-len(images) // BATCH)
    optimiser = torch.optim.AdamW([keys], lr=STEP, eps=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS * batches)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(images), generator=order), BATCH):
            logits = cache_logits(support, images[batch], keys, alpha=FIRST_ALPHA, beta=FIRST_BETA)
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(logits, support.y[batch]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return keys.detach()


def _with_keys(support: Support, keys: list[Tensor]) -> Scorer:
    settings = [_settings(support, drawing, one) for drawing, one in enumerate(keys)]

    def logits(rows: Tensor, drawing: int) -> Tensor:
        alpha, beta = settings[drawing]
        return cache_logits(support, rows, keys[drawing], alpha=alpha, beta=beta)

    return logits


def _settings(support: Support, drawing: int, keys: Tensor) -> tuple[float, float]:
    """Return alpha and beta that are best on judging images; of equal ones the smallest."""
    import torch

    judges = support.judges[drawing]
    hot = torch.nn.functional.one_hot(support.y, len(support.texts)).to(judges)
    plain, cosines = support.scale * judges @ support.texts.T, judges @ keys.T
    caches = {beta: (beta * (cosines - 1)).exp() @ hot for beta in BETAS}
    scores = {
        (alpha, beta): judgement(plain + alpha * cache, support.judged)
        for alpha in ALPHAS
        for beta, cache in caches.items()
    }
    return max(scores, key=lambda setting: scores[setting])
