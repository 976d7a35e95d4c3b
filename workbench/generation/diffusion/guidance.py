"""One guided step of diffusion: the published ways of following a score are settings of the same step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import Unsupported

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.generation.diffusion.steps import Steps

    Predict = Callable[[Tensor, Any], Tensor]  # (what the network sees, time) -> its output

BATCH = 16  # samples whose gradient is taken at once
_LENGTH = 0.05  # root mean square of the change of a step, where the push is 1
_CORRECTIONS = 4  # of each step of an inversion


@dataclass(frozen=True)
class Guide:
    """The switches of a guided step.

    Source:
        Ye et al. 2024, arXiv:2409.15761 (TFG), section 3, which shows that the others are cases of it.
    """

    rho: float = 0.0  # of the gradient at the noisy sample, back through the network
    mu: float = 0.0  # of the gradient at the clean sample that is foreseen
    inner: int = 1  # steps at the clean sample
    repeats: int = 1  # times that a level is passed, with new noise in between
    sigma: float = 0.0  # standard deviation of the noise that smoothes the score
    draws: int = 1  # of this noise
    schedule: Literal["constant", "rising", "falling", "noise"] = "constant"  # of both, over the steps; its mean is 1

    def share(self, steps: Steps, at: int) -> float:
        """The schedule's factor at a step."""
        if self.schedule == "constant":
            return 1.0
        if self.schedule == "noise":
            amounts = [_share_of_noise(steps, number) for number in range(steps.count)]
        else:
            amounts = [number + 1.0 for number in range(steps.count)]
            amounts = amounts if self.schedule == "rising" else amounts[::-1]
        return amounts[at] * steps.count / max(sum(amounts), 1e-12)


PRESETS = {
    "none": Guide(),
    "mpgd": Guide(mu=1.0),  # He et al. 2023, arXiv:2311.16424
    "dps": Guide(rho=1.0),  # Chung et al. 2022, arXiv:2209.14687
    "freedom": Guide(rho=1.0, repeats=2),  # Yu et al. 2023, arXiv:2303.09833
    "universal": Guide(rho=1.0, mu=1.0, inner=2, repeats=2, schedule="noise"),  # Bansal et al. 2023, arXiv:2302.07121
    "tfg": Guide(rho=1.0, mu=0.25, inner=4, sigma=0.1, draws=2, schedule="rising"),
}


@dataclass(frozen=True, eq=False)
class Push:
    """What a step is pushed towards, how, and how far."""

    guide: Guide
    strength: float
    score: Callable[[Tensor], Tensor]  # clean samples (n, …) -> (n,), with gradient
    generator: torch.Generator


def guided_step(predict: Predict, steps: Steps, values: Tensor, *, at: int, push: Push) -> tuple[Tensor, Tensor]:
    """Go one level on.

    Args:
        predict: the network.
        steps: the levels.
        values: (n, …) samples at level `at`.
        at: 0..steps.count - 1.
        push: what to follow; with a strength of 0 the step is the scheduler's own.

    Returns:
        Samples at the next level, and the clean samples that are foreseen.

    Raises:
        Unsupported: levels are to be passed several times with a scheduler that remembers its steps.
    """
    guide = push.guide
    pushed = push.strength != 0 and (guide.rho != 0 or guide.mu != 0)
    if pushed and guide.repeats > 1 and not steps.stateless:
        raise Unsupported("This guide passes each level several times; that needs DDIMScheduler or DDPMScheduler.")
    repeats = guide.repeats if pushed else 1
    for turn in range(repeats):
        moved, clean = (
            _once(predict, steps, values, at=at, push=push) if pushed else _plain(predict, steps, values, at, push)
        )
        if turn + 1 < repeats and steps.levels(at + 1)[1] > 0:
            values = _noised_again(steps, moved, at, push.generator)
    return moved, clean


def _plain(predict: Predict, steps: Steps, values: Tensor, at: int, push: Push) -> tuple[Tensor, Tensor]:
    import torch

    with torch.no_grad():
        output = predict(steps.scaled(values, at), steps.time(at))
        clean = steps.clean(output, values, at)
        return steps.advance(output, values, at=at, generator=push.generator), clean


def _once(predict: Predict, steps: Steps, values: Tensor, *, at: int, push: Push) -> tuple[Tensor, Tensor]:
    import torch

    guide, factor = push.guide, push.strength * push.guide.share(steps, at)
    through = None
    with torch.set_grad_enabled(guide.rho != 0):
        leaf = values.detach().requires_grad_(guide.rho != 0)
        output = predict(steps.scaled(leaf, at), steps.time(at))
        clean = steps.clean(output, leaf, at)
        if guide.rho:
            (through,) = torch.autograd.grad(clean, leaf, _gradient(push, clean))
    output, clean = output.detach(), clean.detach()
    signal = steps.levels(at + 1)[0]
    first = clean
    if guide.mu:
        for _ in range(guide.inner):
            clean = clean + _long(_gradient(push, clean), factor * guide.mu)
    with torch.no_grad():
        moved = steps.advance(output, values, at=at, generator=push.generator)
        moved = moved + signal * (clean - first)
        if through is not None:
            along = _long(through, factor * guide.rho)
            moved, clean = moved + signal * along, clean + along
    return moved, clean


def _gradient(push: Push, clean: Tensor) -> Tensor:
    """The gradient of the score at clean samples, a few at a time: memory does not grow with their number."""
    return batched_gradient(lambda some: _smooth(push, some), clean)


def batched_gradient(score: Callable[[Tensor], Tensor], samples: Tensor) -> Tensor:
    """The gradient of a score (), the sum over samples, at samples (n, …) that do not depend on each other."""
    import torch

    parts: list[Tensor] = []
    for some in torch.split(samples.detach(), BATCH):
        leaf = some.clone().requires_grad_()
        with torch.enable_grad():
            parts += torch.autograd.grad(score(leaf), leaf)
    return torch.cat(parts)


def _smooth(push: Push, clean: Tensor) -> Tensor:
    """The sum over the samples of their score, smoothed by noise."""
    import torch

    if not push.guide.sigma:
        return push.score(clean).sum()
    total = clean.new_zeros(())
    for _ in range(push.guide.draws):
        noise = torch.randn(clean.shape, generator=push.generator).to(clean)
        total = total + push.score(clean + push.guide.sigma * noise).sum()
    return total / push.guide.draws


def _long(gradient: Tensor, length: float) -> Tensor:
    """Each sample's gradient at a root mean square of `length` times a twentieth; one that is no number counts as 0."""
    size = gradient.flatten(1).square().mean(dim=1).sqrt().clamp_min(1e-12)
    scaled: Tensor = gradient * (_LENGTH * length / size).reshape(-1, *[1] * (gradient.ndim - 1))
    return scaled


def _noised_again(steps: Steps, moved: Tensor, at: int, generator: torch.Generator) -> Tensor:
    """From the next level back to this one, with new noise."""
    import torch

    (signal, noise), (signal_then, noise_then) = steps.levels(at), steps.levels(at + 1)
    shrink = signal / signal_then
    missing = math.sqrt(max(0.0, noise**2 - (shrink * noise_then) ** 2))
    fresh = torch.randn(moved.shape, generator=generator).to(moved)
    return shrink * moved + missing * fresh


def _share_of_noise(steps: Steps, at: int) -> float:
    signal, noise = steps.levels(at)
    return noise / math.hypot(signal, noise)


def invert(predict: Predict, steps: Steps, clean: Tensor, *, first: int = 0) -> Tensor:
    """Find the sample at level `first` from which DDIM steps without noise lead to clean samples.

    Each step solves for the sample that the next one came from, by repeated substitution: of the noise where there is
    little of it, of the clean sample where there is much.

    Source:
        Song et al. 2021, arXiv:2010.02502, section 4.3; the substitution follows Pan et al. 2023, arXiv:2309.04907.
    """
    import torch

    values = steps.levels(steps.count)[0] * clean
    with torch.no_grad():
        for at in range(steps.count - 1, first - 1, -1):
            (signal, noise), (signal_then, noise_then) = steps.levels(at), steps.levels(at + 1)
            by_rest = noise * (noise - signal / signal_then * noise_then)  # how far a mistake in either shrinks
            by_clean = abs(signal * (signal - signal_then * noise / noise_then)) if noise_then > 0 else math.inf
            before = values
            for _ in range(_CORRECTIONS):
                output = predict(steps.scaled(before, at), steps.time(at))
                foreseen = steps.clean(output, before, at)
                if by_rest <= by_clean:
                    rest = (before - signal * foreseen) / max(noise, 1e-6)
                    before = signal / signal_then * (values - noise_then * rest) + noise * rest
                else:
                    before = signal * foreseen + noise / noise_then * (values - signal_then * foreseen)
            values = before
    return values
