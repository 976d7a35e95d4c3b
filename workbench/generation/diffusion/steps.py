"""Levels of noise from much to none: those of diffusers' schedulers, and the cosine of the shipped prior.

At a level, a sample is signal * clean + noise * rest; every conversion between what a network says and a clean image
follows from these two numbers.
"""

from __future__ import annotations

import copy
import inspect
import math
from typing import TYPE_CHECKING, Any, Protocol

from workbench.errors import Unsupported

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Steps(Protocol):
    """The way from noise to a clean sample in `count` steps; used once."""

    count: int
    stateless: bool  # whether a level can be passed several times

    def time(self, at: int) -> Any:
        """What the network is told of level `at`, 0..count - 1."""

    def levels(self, at: int) -> tuple[float, float]:
        """Signal and noise at level `at`, 0..count; the last one has hardly any noise."""

    def scaled(self, values: Tensor, at: int) -> Tensor:
        """What the network sees of a sample."""

    def clean(self, output: Tensor, values: Tensor, at: int) -> Tensor:
        """The clean sample that the network's output foresees."""

    def advance(self, output: Tensor, values: Tensor, *, at: int, generator: torch.Generator) -> Tensor:
        """Go from level `at` to the next one."""


class CosineSteps:
    """The shipped prior's levels: velocities, and equal steps of an angle.

    Source:
        Salimans and Ho 2022, arXiv:2202.00512, appendix D (velocity); Song et al. 2021, arXiv:2010.02502 (DDIM).
    """

    stateless = True

    def __init__(self, count: int) -> None:
        self.count = count

    def time(self, at: int) -> float:
        """1 for pure noise, 0 for none."""
        return 1 - at / self.count

    def levels(self, at: int) -> tuple[float, float]:
        """Cosine and sine of the angle; their squares sum to 1."""
        angle = (0.008 + self.time(at) * 0.984) * math.pi / 2
        return math.cos(angle), math.sin(angle)

    def scaled(self, values: Tensor, at: int) -> Tensor:
        """The sample itself."""
        return values

    def clean(self, output: Tensor, values: Tensor, at: int) -> Tensor:
        """From a velocity."""
        signal, noise = self.levels(at)
        return signal * values - noise * output

    def advance(self, output: Tensor, values: Tensor, *, at: int, generator: torch.Generator) -> Tensor:
        """A DDIM step without noise."""
        return ddim(self, self.clean(output, values, at), values, at=at)


class SchedulerSteps:
    """The levels of a diffusers scheduler: DDIM, DDPM, PNDM, DPM-Solver, UniPC, Euler, Heun and those like them.

    Args:
        scheduler: is copied, since schedulers remember their steps.
        count: number of steps.
        exact: DDIM without noise in place of the scheduler's own step, for inversion.

    Raises:
        Unsupported: a flow-matching scheduler, which has no levels of this kind.
    """

    def __init__(self, scheduler: Any, count: int, *, exact: bool = False) -> None:
        name = type(scheduler).__name__
        if not hasattr(scheduler, "alphas_cumprod"):
            raise Unsupported(
                f"{name} cannot be guided here; take a scheduler with alphas_cumprod, such as DDIMScheduler."
            )
        if str(scheduler.config.get("variance_type", "")).startswith("learned"):
            from diffusers import DDIMScheduler

            scheduler = DDIMScheduler.from_config(scheduler.config)
        self._scheduler, self._exact = copy.deepcopy(scheduler), exact
        self._scheduler.set_timesteps(count)
        self.count = len(self._scheduler.timesteps)
        self.stateless = exact or type(self._scheduler).__name__ in ("DDIMScheduler", "DDPMScheduler")
        self._kind = str(self._scheduler.config.get("prediction_type", "epsilon"))
        if self._kind not in ("epsilon", "v_prediction", "sample"):
            raise Unsupported(f"{name} predicts {self._kind!r}; epsilon, v_prediction and sample can be read.")
        self._levels = self._read_levels()
        config = self._scheduler.config
        self._clip = float(config.get("clip_sample_range", 1.0)) if config.get("clip_sample", False) else 0.0
        self._extra = {"generator"} & set(inspect.signature(self._scheduler.step).parameters)

    def _read_levels(self) -> list[tuple[float, float]]:
        scheduler = self._scheduler
        if hasattr(scheduler, "sigmas") and len(scheduler.sigmas) > self.count:
            sigmas = [float(sigma) for sigma in scheduler.sigmas[: self.count + 1]]
            if float(scheduler.init_noise_sigma) != 1:  # samples keep their signal, and the noise grows
                return [(1.0, sigma) for sigma in sigmas]
            return [(1 / (1 + sigma**2) ** 0.5, sigma / (1 + sigma**2) ** 0.5) for sigma in sigmas]
        ends = getattr(scheduler, "final_alpha_cumprod", 1.0)
        powers = [float(scheduler.alphas_cumprod[int(time)]) for time in scheduler.timesteps] + [float(ends)]
        return [(power**0.5, max(0.0, 1 - power) ** 0.5) for power in powers]

    def time(self, at: int) -> Tensor:
        """The scheduler's time step."""
        time: Tensor = self._scheduler.timesteps[at]
        return time

    def levels(self, at: int) -> tuple[float, float]:
        """Signal and noise, in the scheduler's own scale of samples."""
        return self._levels[at]

    def scaled(self, values: Tensor, at: int) -> Tensor:
        """What the network sees: samples at a variance of about 1."""
        if self._exact:
            return values / math.hypot(*self.levels(at))
        scaled: Tensor = self._scheduler.scale_model_input(values, self.time(at))
        return scaled

    def clean(self, output: Tensor, values: Tensor, at: int) -> Tensor:
        """From noise, velocity or the clean sample, as the scheduler's config says."""
        signal, noise = self.levels(at)
        if self._kind == "sample":
            foreseen = output
        elif self._kind == "v_prediction":
            total = math.hypot(signal, noise)
            foreseen = (signal * values / total - noise * output) / total
        else:
            foreseen = (values - noise * output) / signal
        return foreseen.clamp(-self._clip, self._clip) if self._clip else foreseen

    def advance(self, output: Tensor, values: Tensor, *, at: int, generator: torch.Generator) -> Tensor:
        """The scheduler's own step."""
        if self._exact:
            return ddim(self, self.clean(output, values, at), values, at=at)
        extra = dict.fromkeys(self._extra, generator)
        moved: Tensor = self._scheduler.step(output, self.time(at), values, **extra).prev_sample
        return moved


def ddim(steps: Steps, clean: Tensor, values: Tensor, *, at: int) -> Tensor:
    """Go to the next level with the noise that is in the sample.

    Source:
        Song et al. 2021, arXiv:2010.02502, equation 12 without noise.
    """
    (signal, noise), (signal_then, noise_then) = steps.levels(at), steps.levels(at + 1)
    rest = (values - signal * clean) / max(noise, 1e-6)
    return signal_then * clean + noise_then * rest
