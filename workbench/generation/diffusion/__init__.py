"""Guided diffusion over the shipped prior and over diffusers' checkpoints: levels of noise, guided steps, inversion.

steps = SchedulerSteps(DDIMScheduler(), 20)
values = torch.randn(1, 3, 64, 64)
for at in range(steps.count):
values, clean = guided_step(predict, steps, values, at=at, push=Push(PRESETS["mpgd"], 2.0, score, generator))
"""

from __future__ import annotations

from workbench.generation.diffusion.guidance import PRESETS, Guide, Push, guided_step, invert
from workbench.generation.diffusion.steps import CosineSteps, SchedulerSteps, Steps

__all__ = ["PRESETS", "CosineSteps", "Guide", "Push", "SchedulerSteps", "Steps", "guided_step", "invert"]
