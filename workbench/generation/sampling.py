"""Draw with the prior: several candidates a round, ranked by the model that steers; the best of all rounds stays.

Guidance needs no classifier: the network answers with and without each text (Ho and Salimans 2022, arXiv:2207.12598),
and weighted texts add their differences, below zero too. A further push follows the model's gradient on the clean image
that is foreseen (He et al. 2023, arXiv:2311.16424, MPGD).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.generation.painting import CanvasJob, Painting, as_array, over, report
from workbench.progress import Progress

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.backend import WhiteBox
    from workbench.generation.prior import Prior

BATCH = 16  # images that the model looks at together


@dataclass(frozen=True, eq=False)
class _Wish:
    """What is wanted, on the device."""

    conditions: Tensor  # (texts, candidates, dim): of the prior
    shares: Tensor  # (texts,): weights that sum to 1 in absolute value
    rows: Tensor  # (texts, dim): of the model that ranks
    guidance: float
    push: float


@dataclass
class _Best:
    values: list[float] = field(default_factory=list)  # of each round's best candidate
    components: Tensor | None = None  # (1, components)
    image: NDArray[np.uint8] | None = None

    @property
    def value(self) -> float:
        return max(self.values, default=-np.inf)


def draw(box: WhiteBox, prior: Prior, job: CanvasJob) -> Iterator[Progress | Painting]:
    """Yield progress after each round with the best image so far as preview, and that image at the end."""
    import torch

    settings, best, note = job.settings, _Best(), ""
    generator = torch.Generator().manual_seed(settings.seed)
    begun = time.monotonic()
    yield Progress(0, settings.steps, "rounds", "generate", preview=_sketch(box, prior, job))
    while not over(settings, len(best.values), time.monotonic() - begun):
        wish = _wish(box, prior, job, generator)
        with torch.inference_mode(settings.push == 0):
            components = _denoise(box, prior, wish, steps=settings.denoising, generator=generator)
            images = prior.components.decode(components)
            values = _scores(box, images, wish)
        if not bool(values.isfinite().all()):
            note = f"Round {len(best.values) + 1} gave a value that is no number; this is the best image before it."
            break
        top = int(values.argmax())
        if float(values[top]) > best.value:
            best.components = components[top : top + 1].detach().clone()
            best.image = as_array(_enlarged(images[top : top + 1], settings.side))
        best.values.append(float(values[top]))
        preview = best.image
        assert preview is not None
        yield report(settings, best.values, seconds=time.monotonic() - begun, preview=preview, unit="rounds")
    if best.image is None or best.components is None:
        blank = np.full((settings.side, settings.side, 3), 255, np.uint8)
        yield Painting(blank, settings, (), time.monotonic() - begun, note)
        return
    effective = settings.model_copy(update={"steps": len(best.values)})
    nearest = prior.nearest(best.components.cpu())
    yield Painting(best.image, effective, tuple(best.values), time.monotonic() - begun, note, nearest=nearest)


def _sketch(box: WhiteBox, prior: Prior, job: CanvasJob) -> NDArray[np.uint8]:
    """One hasty drawing for the first preview, which the steering model has not seen."""
    import torch

    one = replace(job, settings=job.settings.model_copy(update={"candidates": 1, "push": 0.0}))
    generator = torch.Generator().manual_seed(job.settings.seed)
    with torch.inference_mode():
        values = _denoise(box, prior, _wish(box, prior, one, generator), steps=4, generator=generator)
        return as_array(_enlarged(prior.components.decode(values), job.settings.side))


def _wish(box: WhiteBox, prior: Prior, job: CanvasJob, generator: torch.Generator) -> _Wish:
    import torch

    settings, count = job.settings, job.settings.candidates
    rows = torch.from_numpy(job.rows).to(box.device)
    weights = torch.tensor(job.weights, device=box.device)
    if settings.drawing == "any":
        styles = torch.randint(-1, len(prior.styles), (count,), generator=generator).tolist()
    else:
        styles = [prior.styles.index(settings.drawing)] * count
    conditions = torch.stack([prior.condition(row.expand(count, -1), styles) for row in rows])
    return _Wish(conditions, weights / weights.abs().sum(), rows, settings.guidance, settings.push)


def _denoise(box: WhiteBox, prior: Prior, wish: _Wish, *, steps: int, generator: torch.Generator) -> Tensor:
    """Go from noise to components (candidates, components) in DDIM steps."""
    import torch

    from workbench.generation.prior import levels

    texts, count, dim = wish.conditions.shape
    asked = torch.cat([torch.zeros_like(wish.conditions[:1]), wish.conditions]).reshape(-1, dim)
    values = torch.randn((count, len(prior.components.scales)), generator=generator).to(box.device)
    for now, then in itertools.pairwise(torch.linspace(1, 0, steps + 1).tolist()):
        times = torch.full((len(asked),), now, device=box.device)
        signal, noise = (float(part) for part in levels(torch.tensor(now)))
        velocities = prior.denoiser(values.repeat(texts + 1, 1), times, asked).reshape(texts + 1, count, -1)
        none = velocities[0]
        velocity = none + wish.guidance * torch.einsum("t,tnc->nc", wish.shares, velocities[1:] - none)
        clean, rest = signal * values - noise * velocity, noise * values + signal * velocity
        if wish.push and now < 0.9:
            clean = _pushed(box, prior, wish, clean)
        signal, noise = (float(part) for part in levels(torch.tensor(then)))
        values = signal * clean + noise * rest
    drawn: Tensor = clean
    return drawn


def _pushed(box: WhiteBox, prior: Prior, wish: _Wish, clean: Tensor) -> Tensor:
    """One step of the clean components along the gradient of their score, of a length that `push` sets."""
    import torch

    leaf = clean.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(_scores(box, prior.components.decode(leaf), wish).sum(), leaf)
    length = gradient.norm(dim=1, keepdim=True).clamp_min(1e-12)
    pushed: Tensor = clean.detach() + wish.push * gradient / length
    return pushed


def _scores(box: WhiteBox, images: Tensor, wish: _Wish) -> Tensor:
    """Weighted mean of the cosines with the texts, (n,)."""
    import torch

    side = box.image_size
    parts = []
    for some in torch.split(images, BATCH):
        seen = torch.nn.functional.interpolate(some, size=(side, side), mode="bicubic").clamp(0, 1)
        parts.append(box.embed_pixels(seen) @ wish.rows.T @ wish.shares)
    return torch.cat(parts)


def _enlarged(images: Tensor, side: int) -> Tensor:
    import torch

    larger: Tensor = torch.nn.functional.interpolate(images, size=(side, side), mode="bicubic", antialias=True)
    return larger.clamp(0, 1)
