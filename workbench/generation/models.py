"""Which models an image needs beside the one that steers."""

from __future__ import annotations

from workbench.engine.loaders import DIFFUSION, PRIOR
from workbench.generation.settings import BY_CHECKPOINT, Settings
from workbench.model_cache import CLIP, ModelRef

JUDGES = ("pocket", "pocket-lite2")  # are always there; the first that steers nothing judges


def judge_key(settings: Settings) -> str:
    """Which model judges: the one that is named, or a shipped one that steers nothing; empty where both steer."""
    steering = (settings.model, *settings.also)
    return settings.judge or next((key for key in JUDGES if key not in steering), "")


def needed(settings: Settings) -> tuple[ModelRef, ...]:
    """The further models that a session needs: those that steer too, what draws, and the judge, in this order."""
    refs = [ModelRef(CLIP, key) for key in settings.also]
    if settings.method == "prior":
        refs.append(PRIOR)
    elif settings.method in BY_CHECKPOINT:
        refs.append(ModelRef(DIFFUSION, settings.checkpoint))
    if key := judge_key(settings):
        refs.append(ModelRef(CLIP, key))
    return tuple(refs)
