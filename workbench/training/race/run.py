"""Runs a race: every runner sees the same images and captions, seed by seed, and is tested on images of its own.

The accuracy is zero-shot: which of the 48 pairs of shape and colour does an image show? The images are new, and none of
their captions was seen in training.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from workbench.errors import BadInput, unknown_name
from workbench.statistics.intervals import Interval, mean
from workbench.training.miniature import pixels_of
from workbench.training.optimiser import adamw, rate_at, set_rate
from workbench.training.race import captions
from workbench.training.race.models import BagOfWords, Contrast, RaceModel, WordPredictor
from workbench.training.shapes import Drawing, draw

OBJECTIVES: dict[str, str] = {
    "contrast": "Contrast (ConVIRT, CLIP)",
    "sigmoid": "Contrast with a sigmoid (SigLIP)",
    "bag-of-words": "Bag of words",
    "caption": "Caption, word by word (VirTex)",
    "masked-word": "Masked word (ICMLM)",
}
PEAK, WARMUP, DECAY = 3e-3, 30, 0.1
POOL = 3072  # images that a race draws for one seed; each gets a new caption every time
TESTED = 192  # images that accuracy is measured on
MOST_IMAGES, MOST_SEEDS, MOST_BATCH = 200_000, 20, 512


@dataclass(frozen=True)
class Runner:
    """One way to learn."""

    objective: str = "contrast"  # a key of OBJECTIVES
    batch: int = 64  # images of one step
    scale: float | None = None  # contrast: fixed multiplier of the cosines; None: learned
    cosine_decay: bool = True  # of the learning rate; else constant after the warm-up

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise unknown_name("objective", self.objective, OBJECTIVES)
        if not 2 <= self.batch <= MOST_BATCH:
            raise BadInput(f"A batch has 2 to {MOST_BATCH} images; got {self.batch}.")
        if self.scale is not None and not 0 < self.scale <= 100:
            raise BadInput(f"A fixed scale is more than 0 and at most 100; got {self.scale:g}.")

    @property
    def name(self) -> str:
        """What it is called in a legend."""
        details = [f"batch {self.batch}"] * (self.batch != 64)
        details += [f"scale {self.scale:g}"] if self.scale is not None else []
        details += ["constant rate"] * (not self.cosine_decay)
        return ", ".join([OBJECTIVES[self.objective], *details])


@dataclass(frozen=True)
class RaceSettings:
    """What a race compares, and for how long."""

    runners: tuple[Runner, ...] = tuple(Runner(objective) for objective in OBJECTIVES)
    images: int = 16_000  # that each runner sees, with repetitions
    seeds: int = 3
    seed: int = 0  # the first one
    points: int = 8  # measurements of a run

    def __post_init__(self) -> None:
        if len(set(self.runners)) < len(self.runners) or not self.runners:
            raise BadInput("A race needs at least one runner, and no runner twice.")
        for name, value, low, high in (
            ("images", self.images, 512, MOST_IMAGES),
            ("seeds", self.seeds, 1, MOST_SEEDS),
            ("seed", self.seed, 0, 2**31 - 1 - MOST_SEEDS),
            ("points", self.points, 2, 50),
        ):
            if not low <= value <= high:
                raise BadInput(f"The race's {name} lie between {low} and {high}; got {value}.")


@dataclass(frozen=True)
class RunnerCurve:
    """One runner with one seed, as far as it has come; the last point is the newest."""

    runner: Runner
    seed: int
    images: tuple[int, ...] = ()  # seen at each measurement
    seconds: tuple[float, ...] = ()  # of training until then, measuring not counted
    accuracy: tuple[float, ...] = ()  # 0..1
    loss: tuple[float, ...] = ()  # of the batch at each measurement
    answers: tuple[int, ...] = field(default=(), compare=False)  # label chosen for each of `watched()`, at the end


def race(settings: RaceSettings) -> Iterator[RunnerCurve]:
    """Run all runners; yields a runner's curve after every step that added a point, and its answers with the last one.

    Runners take turns of one measurement each, so that their curves grow together. Draws come from generators of
    their own; the same settings give the same curves, except for seconds.
    """
    for number in range(settings.seed, settings.seed + settings.seeds):
        drawings, test = draw(POOL, seed=number), draw(TESTED, seed=number + 2**30)
        pixels, tested = pixels_of(drawings), pixels_of(test)
        truth = torch.tensor([captions.label_of(drawing) for drawing in test])
        going = [_laps(runner, settings, number, (drawings, pixels), (tested, truth)) for runner in settings.runners]
        for _ in range(settings.points):
            for laps in going:
                yield next(laps)


def watched() -> list[Drawing]:
    """Return the twelve drawings whose answers a race shows: two of each shape."""
    return [one for one in draw(400, seed=2**30 - 1) if one.size == "large"][:12]


def dial(name: str, settings: RaceSettings) -> RaceSettings:
    """Return the race of one contrastive runner against itself with other values of one setting.

    Args:
        name: batch (the number of negatives), temperature (learned and fixed) or decay (cosine and none).
        settings: where images, seeds and points come from.

    Raises:
        UnknownName: no such dial.
    """
    dials: dict[str, tuple[Runner, ...]] = {
        "batch": tuple(Runner(batch=size) for size in (8, 32, 128)),
        "temperature": (Runner(), *(Runner(scale=scale) for scale in (1.0, 10.0, 100.0))),
        "decay": (Runner(), Runner(cosine_decay=False)),
    }
    if name not in dials:
        raise unknown_name("dial", name, dials)
    return replace(settings, runners=dials[name])


def image_ratio(fast: Sequence[RunnerCurve], slow: Sequence[RunnerCurve]) -> Interval:
    """Return how many times as many images the slow runner needs for the accuracy that it ends with.

    For each seed, the target is the slow runner's best accuracy; the images that each needs for it are interpolated
    linearly. The interval is Student's over the logarithms of the seeds' ratios.

    Args:
        fast: one curve a seed.
        slow: the same seeds.

    Returns:
        The geometric mean of the ratios with its interval; undefined where a fast runner never gets there.

    Raises:
        BadInput: other seeds.
    """
    first, second = ({curve.seed: curve for curve in curves} for curves in (fast, slow))
    if not first or first.keys() != second.keys():
        raise BadInput(f"Both runners need the same seeds; got {sorted(first)} and {sorted(second)}.")
    ratios = []
    for seed, curve in second.items():
        target = max(curve.accuracy)
        needed, own = _images_for(target, first[seed]), _images_for(target, curve)
        if needed is None or own is None:
            return Interval(None, None, None, 0.95, f"undefined: seed {seed} never reaches the slow runner's accuracy")
        ratios.append(math.log(own / needed))
    logs = mean(np.array(ratios))
    if logs.value is None:
        return logs
    low, high = (None if end is None else math.exp(end) for end in (logs.low, logs.high))
    return Interval(math.exp(logs.value), low, high, logs.level, f"{logs.method} of logarithms over seeds")


@dataclass(frozen=True)
class RaceResult:
    """One runner over all seeds, at each measurement."""

    runner: Runner
    images: tuple[int, ...]
    accuracy: tuple[float, ...]  # mean over seeds
    lowest: tuple[float, ...]  # of all seeds
    highest: tuple[float, ...]
    ratio: Interval | None  # images it needs, as a multiple of what contrast needs; None for contrast itself


def conclude(curves: Sequence[RunnerCurve]) -> list[RaceResult]:
    """Return each runner's mean and range over seeds, and its ratio to the first runner, in order of appearance.

    Seeds that are not as far as the slowest are cut to its measurements; the ratio waits for equal seeds.
    """
    runners = list(dict.fromkeys(curve.runner for curve in curves))
    own = {runner: [curve for curve in curves if curve.runner == runner] for runner in runners}
    results = []
    for runner, mine in own.items():
        points = min(len(curve.accuracy) for curve in mine)
        values = np.array([curve.accuracy[:points] for curve in mine])
        equal = {curve.seed for curve in mine} == {curve.seed for curve in own[runners[0]]}
        results.append(
            RaceResult(
                runner,
                mine[0].images[:points],
                tuple(values.mean(axis=0).tolist()),
                tuple(values.min(axis=0).tolist()),
                tuple(values.max(axis=0).tolist()),
                image_ratio(own[runners[0]], mine) if equal and runner != runners[0] else None,
            )
        )
    return results


def _images_for(target: float, curve: RunnerCurve) -> float | None:
    before, images = 0.0, 0
    for seen, accuracy in zip(curve.images, curve.accuracy, strict=True):
        if accuracy >= target:
            share = (target - before) / (accuracy - before) if accuracy > before else 1.0
            return images + share * (seen - images)
        before, images = accuracy, seen
    return None


_MODELS: dict[str, Callable[[Runner], nn.Module]] = {
    "contrast": lambda runner: Contrast(scale=runner.scale),
    "sigmoid": lambda runner: Contrast(sigmoid=True, scale=runner.scale),
    "bag-of-words": lambda runner: BagOfWords(),
    "caption": lambda runner: WordPredictor(masked=False),
    "masked-word": lambda runner: WordPredictor(masked=True),
}


def _laps(
    runner: Runner,
    settings: RaceSettings,
    seed: int,
    data: tuple[Sequence[Drawing], Tensor],
    test: tuple[Tensor, Tensor],
) -> Iterator[RunnerCurve]:
    """Train one runner and yield its curve at every measurement."""
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
