"""Endpoint of “Generate”."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from apps.api.asking import Ask, Image, Model, Seed, Steps, new_place
from workbench.errors import BadInput

MODELS = ("model", "also", "judge", "checkpoint")  # settings that name models or files
Number = str | float | bool | None


def generate(
    ask: Ask,
    prompt: Annotated[str, "a sentence, or several with weights: a castle | fog:-0.3"],
    method: Annotated[str, "prior, fourier, strokes, maco, siren, pixels; empty for what suits the model"] = "",
    seed: Seed = 0,
    seconds: Annotated[float, "of optimising, up to 300; steps among the settings repeat exactly"] = 20.0,
    start: Image = "",
    settings: Annotated[dict[str, Number], "further settings, as the PNG holds them: steps, side, strength …"] = {},  # noqa: B006
    model: Model = "",
) -> Annotated[Steps, "seed, similarity, judge, nearest drawing, steps; image: a PNG that holds every setting"]:
    """Make an image out of a sentence, guided by a model; each event of progress has the score so far."""
    from workbench.generation.models import needed
    from workbench.generation.settings import read_settings
    from workbench.images import safe_open
    from workbench.results.generated_image import GeneratedImage
    from workbench.results.generated_image import generate as steps

    if refused := [name for name in settings if name in MODELS]:
        raise BadInput(f"The settings name no models or files; got {refused[0]!r}.")
    if not 0 < seconds <= 300:
        raise BadInput(f"An image takes up to 300 seconds; got {seconds:g}.")
    key = ask.model(model)
    method = method or ("prior" if key == "pocket" and not start else "fourier")
    request: dict[str, Any] = {"prompt": prompt, "method": method, "model": key, "seed": seed, "seconds": seconds}
    given = read_settings({**settings, **request})
    opened = safe_open(Path(start)) if start else None
    with ask.session(key, "generation", others=needed(given)) as session:
        for step in steps(session, given, opened):
            if isinstance(step, GeneratedImage):
                yield {**step.to_dict(), "image": step.save(new_place("generated") / f"generated-{seed}.png")}
            else:
                yield step
