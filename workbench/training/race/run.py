"""Runs a race: every runner sees the same images and captions, seed by seed, and is tested on images of its own.

The accuracy is zero-shot: which of the 48 pairs of shape and colour does an image show? The images are new, and none of
their captions was seen in training.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from workbench.training.miniature import pixels_of
from workbench.training.optimiser import adamw, rate_at, set_rate
from workbench.training.race import captions
from workbench.training.race.models import BagOfWords, Contrast, RaceModel, WordPredictor
from workbench.training.race.results import RunnerCurve, watched
from workbench.training.race.settings import RaceSettings, Runner
from workbench.training.shapes import Drawing, draw

PEAK = 1e-3  # learning rate; at 2e-3 contrast learns colours and, with some seeds, stays blind to shapes
WARMUP, DECAY = 30, 0.1
POOL = 3072  # images that a race draws for one seed; each gets a new caption every time
TESTED = 192  # images that accuracy is measured on


def race(settings: RaceSettings) -> Iterator[RunnerCurve]:
    """Run all runners; yields a runner's curve after every step, with a new point after some.

    Runners take turns, each until its next measurement, so that their curves grow together. Draws come from their own
    generators; the same settings give the same curves, except for seconds.
    """
    for number in range(settings.seed, settings.seed + settings.seeds):
        drawings, test = draw(POOL, seed=number), draw(TESTED, seed=number + 2**30)
        pixels, tested = pixels_of(drawings), pixels_of(test)
        truth = torch.tensor([captions.label_of(drawing) for drawing in test])
        going = [_steps(runner, settings, number, (drawings, pixels), (tested, truth)) for runner in settings.runners]
        for point in range(settings.points):
            for steps in going:
                for curve in steps:
                    yield curve
                    if len(curve.accuracy) > point:
                        break


_MODELS: dict[str, Callable[[Runner], nn.Module]] = {
    "contrast": lambda runner: Contrast(scale=runner.scale),
    "sigmoid": lambda runner: Contrast(sigmoid=True, scale=runner.scale),
    "bag-of-words": lambda runner: BagOfWords(),
    "caption": lambda runner: WordPredictor(masked=False),
    "masked-word": lambda runner: WordPredictor(masked=True),
}


def _steps(
    runner: Runner,
    settings: RaceSettings,
    seed: int,
    data: tuple[Sequence[Drawing], Tensor],
    test: tuple[Tensor, Tensor],
) -> Iterator[RunnerCurve]:
    """Train one runner and yield its curve after every step."""
    drawings, pixels = data
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _MODELS[runner.objective](runner)
    runs: RaceModel = model  # type: ignore[assignment]
    optimiser = adamw(model.named_parameters(), decay=DECAY)
    rng, draws = np.random.default_rng([seed, 5]), torch.Generator().manual_seed(seed)
    steps = math.ceil(settings.images / runner.batch)
    measured = {round(steps * (point + 1) / settings.points) for point in range(settings.points)}
    labels = captions.label_sentences()
    curve, seconds = RunnerCurve(runner, seed), 0.0
    for step in range(steps):
        began = time.perf_counter()
        rate = (
            rate_at(step, steps, peak=PEAK, warmup=WARMUP)
            if runner.cosine_decay
            else PEAK * min(1, (step + 1) / WARMUP)
        )
        set_rate(optimiser, rate)
        rows = rng.integers(0, POOL, runner.batch)
        ids = captions.token_ids([captions.caption(drawings[row], rng) for row in rows])
        optimiser.zero_grad()
        with torch.enable_grad():
            loss = runs.loss(pixels[torch.from_numpy(rows)], ids, draws)
            loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        seconds += time.perf_counter() - began
        if step + 1 in measured:
            with torch.no_grad():
                right = (runs.scores(test[0], labels).argmax(dim=1) == test[1]).float().mean()
                last = runs.scores(pixels_of(watched()), labels).argmax(dim=1).tolist() if step + 1 == steps else ()
            curve = replace(
                curve,
                images=(*curve.images, (step + 1) * runner.batch),
                seconds=(*curve.seconds, seconds),
                accuracy=(*curve.accuracy, float(right)),
                loss=(*curve.loss, float(loss.detach())),
                answers=tuple(last),
            )
        yield curve
