"""One guided step, its switches and its levels: against hand computation, diffusers' own pipelines and a solved toy."""

from __future__ import annotations

import inspect
import math
from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from workbench.errors import Unsupported
from workbench.generation.diffusion import PRESETS, CosineSteps, Guide, Push, SchedulerSteps, guided_step, invert

TARGET = torch.tensor([0.4, -0.2, 0.1, 0.3])


def score(clean: Tensor) -> Tensor:
    """Highest at the target."""
    return -(clean - TARGET).square().flatten(1).sum(1)


def push(guide: Guide, strength: float, seed: int = 0) -> Push:
    return Push(guide, strength, score, torch.Generator().manual_seed(seed))


def shrink(values: Tensor, time: Any) -> Tensor:
    """A network that is nothing but a line."""
    return 0.3 * values


def ideal(steps: Any, at: int, *, velocity: bool) -> Any:
    """The best network for samples from a normal distribution of standard deviation 0.5."""
    signal, noise = steps.levels(at)

    def network(values: Tensor, time: Any) -> Tensor:
        clean = values * signal * 0.25 / (signal**2 * 0.25 + noise**2)
        rest = (values - signal * clean) / max(noise, 1e-6)
        return signal * rest - noise * clean if velocity else rest

    return network


SCHEDULERS = [
    *("DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler"),
    *("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler"),
]


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_the_clean_sample_is_the_one_that_was_noised(name: str, kind: str) -> None:
    """A network that knows the noise: the clean sample is given back at every level."""
    scheduler = getattr(diffusers, name)(num_train_timesteps=100, prediction_type=kind)
    steps = SchedulerSteps(scheduler, 5)
    clean, noise = torch.rand(2, 4) * 0.5, torch.randn(2, 4)
    for at in range(steps.count):
        signal, amount = steps.levels(at)
        total = (signal**2 + amount**2) ** 0.5
        values = signal * clean + amount * noise
        output = noise if kind == "epsilon" else (signal * noise - amount * clean) / total
        assert torch.allclose(steps.clean(output, values, at), clean, atol=1e-3)
    assert steps.levels(0)[1] > steps.levels(steps.count)[1]


@pytest.mark.parametrize("name", SCHEDULERS)
def test_without_a_push_the_steps_are_the_schedulers_own(name: str) -> None:
    scheduler = getattr(diffusers, name)(num_train_timesteps=100)
    steps, own = SchedulerSteps(scheduler, 6), getattr(diffusers, name)(num_train_timesteps=100)
    own.set_timesteps(6)
    start = torch.randn(2, 4, generator=torch.Generator().manual_seed(1)) * float(own.init_noise_sigma)
    ours, theirs, generator = start, start.clone(), torch.Generator().manual_seed(2)
    still = Push(PRESETS["tfg"], 0.0, score, torch.Generator().manual_seed(2))
    for at, time in enumerate(own.timesteps):
        ours, _ = guided_step(shrink, steps, ours, at=at, push=still)
        output = shrink(own.scale_model_input(theirs, time), time)
        extra = {"generator": generator} if "generator" in inspect.signature(own.step).parameters else {}
        theirs = own.step(output, time, theirs, **extra).prev_sample
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_a_step_at_the_foreseen_sample_is_the_one_of_the_paper_by_hand() -> None:
    steps = CosineSteps(10)
    values = torch.randn(1, 4, generator=torch.Generator().manual_seed(0))
    moved, clean = guided_step(shrink, steps, values, at=4, push=push(PRESETS["mpgd"], 2.0))
    angle = (0.008 + 0.6 * 0.984) * math.pi / 2
    foreseen = math.cos(angle) * values - math.sin(angle) * 0.3 * values
    rest = (values - math.cos(angle) * foreseen) / math.sin(angle)
    gradient = -2 * (foreseen - TARGET)
    wanted = foreseen + 2.0 * 0.05 * gradient / gradient.square().mean().sqrt()
    then = (0.008 + 0.5 * 0.984) * math.pi / 2
    assert torch.allclose(clean, wanted, atol=1e-5)
    assert torch.allclose(moved, math.cos(then) * wanted + math.sin(then) * rest, atol=1e-5)


def test_the_gradient_at_the_noisy_sample_goes_through_the_network() -> None:
    """A network that swaps two numbers: only a gradient through it moves the other one."""
    swap = torch.eye(4)[[1, 0, 2, 3]]

    def network(values: Tensor, time: Any) -> Tensor:
        return values @ swap

    def first(clean: Tensor) -> Tensor:
        return clean[:, 0]

    values = torch.zeros(1, 4)
    moved = {}
    for name in ("dps", "mpgd"):
        one = Push(PRESETS[name], 1.0, first, torch.Generator().manual_seed(0))
        moved[name] = guided_step(network, CosineSteps(10), values, at=5, push=one)[0][0]
    assert moved["mpgd"][1] == 0
    assert moved["dps"][1] != 0
    assert moved["dps"][2] == 0


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "none"])
@pytest.mark.parametrize("levels", ["cosine", "DDIMScheduler"])
def test_every_preset_comes_nearer_to_what_is_wanted(name: str, levels: str) -> None:
    ends = []
    for strength in (0.0, 2.0):
        steps: Any = CosineSteps(12) if levels == "cosine" else SchedulerSteps(diffusers.DDIMScheduler(), 12)
        values = torch.randn(200, 4, generator=torch.Generator().manual_seed(3))
        for at in range(steps.count):
            network = ideal(steps, at, velocity=levels == "cosine")
            values, clean = guided_step(network, steps, values, at=at, push=push(PRESETS[name], strength, at))
        assert not clean.requires_grad
        ends.append(float(score(clean).mean()))
    assert ends[1] > ends[0] + 0.02


def test_schedules_have_a_mean_of_one_and_rise_or_fall() -> None:
    steps = CosineSteps(4)
    rising, falling = ([Guide(schedule=name).share(steps, at) for at in range(4)] for name in ("rising", "falling"))
    assert rising == pytest.approx([0.4, 0.8, 1.2, 1.6])
    assert falling == rising[::-1]
    noise = [Guide(schedule="noise").share(steps, at) for at in range(4)]
    assert sum(noise) == pytest.approx(4)
    assert noise == sorted(noise, reverse=True)


def test_repeats_pass_a_level_again_and_need_a_scheduler_without_memory() -> None:
    seen: list[Any] = []

    def network(values: Tensor, time: Any) -> Tensor:
        seen.append(float(time))
        return shrink(values, time)

    guide = Guide(mu=1.0, repeats=3)
    guided_step(network, SchedulerSteps(diffusers.DDIMScheduler(), 4), torch.randn(1, 4), at=1, push=push(guide, 1.0))
    assert len(seen) == 3
    assert len({*seen}) == 1
    steps = SchedulerSteps(diffusers.PNDMScheduler(), 4)
    with pytest.raises(Unsupported, match="DDIM"):
        guided_step(network, steps, torch.randn(1, 4), at=1, push=push(guide, 1.0))


def test_samples_that_are_noised_again_have_the_level_s_own_spread() -> None:
    from workbench.generation.diffusion.guidance import _noised_again

    steps = CosineSteps(8)
    signal, noise = steps.levels(4)
    values = torch.full((200_000,), signal) + noise * torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    again = _noised_again(steps, values, 3, torch.Generator().manual_seed(1))
    assert float(again.mean()) == pytest.approx(steps.levels(3)[0], abs=0.01)
    assert float(again.std()) == pytest.approx(steps.levels(3)[1], abs=0.01)


def test_the_same_seed_takes_the_same_way() -> None:
    values = torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    ways = [
        guided_step(shrink, CosineSteps(6), values, at=3, push=push(PRESETS["tfg"], 1.0, seed))[0] for seed in (5, 5, 6)
    ]
    assert torch.equal(ways[0], ways[1])
    assert not torch.equal(ways[0], ways[2])


@pytest.mark.parametrize("levels", ["cosine", "DDIMScheduler"])
def test_inversion_finds_the_noise_that_leads_back(levels: str) -> None:
    exact = diffusers.DDIMScheduler(clip_sample=False)
    steps: Any = CosineSteps(12) if levels == "cosine" else SchedulerSteps(exact, 12, exact=True)
    networks = {float(steps.time(at)): ideal(steps, at, velocity=levels == "cosine") for at in range(steps.count)}

    def network(values: Tensor, time: Any) -> Tensor:
        bent: Tensor = networks[float(time)](values, time) + 0.05 * torch.tanh(values)
        return bent

    clean = 0.5 * torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    values = invert(network, steps, clean)
    assert float(values.std()) > float(clean.std())
    for at in range(steps.count):
        values, _ = guided_step(network, steps, values, at=at, push=push(Guide(), 0.0))
    assert torch.allclose(values, steps.levels(steps.count)[0] * clean, atol=0.02)


def test_what_cannot_be_guided_is_refused() -> None:
    with pytest.raises(Unsupported, match="FlowMatch"):
        SchedulerSteps(diffusers.FlowMatchEulerDiscreteScheduler(), 4)
    learned = diffusers.DDPMScheduler(variance_type="learned_range", num_train_timesteps=100)
    assert SchedulerSteps(learned, 4).stateless


def test_the_gradient_is_taken_a_few_samples_at_a_time() -> None:
    seen: list[int] = []

    def counted(clean: Tensor) -> Tensor:
        seen.append(len(clean))
        return score(clean)

    many = Push(PRESETS["mpgd"], 1.0, counted, torch.Generator().manual_seed(0))
    values = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    _, together = guided_step(shrink, CosineSteps(6), values, at=3, push=many)
    assert seen == [16, 16, 8]
    alone = [guided_step(shrink, CosineSteps(6), one[None], at=3, push=many)[1] for one in values]
    assert torch.allclose(together, torch.cat(alone), atol=1e-6)
