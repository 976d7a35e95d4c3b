"""What a race found: means and ranges over seeds, and how many images a runner needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput
from workbench.statistics.intervals import Interval, mean
from workbench.training.race.settings import Runner
from workbench.training.shapes import Drawing, draw


def image_ratio(fast: Sequence[RunnerCurve], slow: Sequence[RunnerCurve]) -> Interval:
    """Return how many times as many images the slow runner needs for the accuracy that it ends with.

    For each seed, the target is the slow runner's best accuracy; the images that each needs for it are interpolated
    linearly. The interval is Student's over the logarithms of the seeds' ratios.

    Args:
        fast: one curve a seed.
        slow: the same seeds.

    Returns:
        The geometric mean of the ratios with its interval; undefined where a fast runner never gets there or
        needs no image.

    Raises:
        BadInput: other seeds.
    """
    first, second = ({curve.seed: curve for curve in curves} for curves in (fast, slow))
    if not first or first.keys() != second.keys():
        raise BadInput(f"Both runners need the same seeds; got {sorted(first)} and {sorted(second)}.")
    ratios = []
    for seed, curve in second.items():
        target = max(curve.accuracy)
        baseline, images = _images_for(target, first[seed]), _images_for(target, curve)
        if not baseline or not images:
            when = "never reaches" if baseline is None else "needs no image for"
            return Interval(None, None, None, 0.95, f"undefined: seed {seed} {when} the slow runner's accuracy")
        ratios.append(math.log(images / baseline))
    logs = mean(np.array(ratios))
    if logs.value is None:
        return logs
    low, high = (None if end is None else math.exp(end) for end in (logs.low, logs.high))
    return Interval(math.exp(logs.value), low, high, logs.level, f"{logs.method} of logarithms over seeds")


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


@dataclass(frozen=True, eq=False)
class SlowMotion:
    """All numbers of one step on n images (rows) and their captions (columns)."""

    drawings: tuple[Drawing, ...]  # n
    texts: tuple[str, ...]  # n
    cells: NDArray[np.float64]  # (n, 4, 4) mean over the channels of each image's last map
    words: NDArray[np.float64]  # (n, 4, width) what the text tower makes of each word of a caption
    image_rows: NDArray[np.float64]  # (n, width) unit vectors
    text_rows: NDArray[np.float64]  # (n, width) unit vectors
    scale: float  # what cosines are multiplied with
    loss: float
    cosines: NDArray[np.float64]  # (n, n)
    text_given_image: NDArray[np.float64]  # (n, n), rows sum to 1
    image_given_text: NDArray[np.float64]  # (n, n), columns sum to 1
    gradient: NDArray[np.float64]  # (n, n), of the loss by the logits: negative pulls together, positive pushes apart
    after: NDArray[np.float64]  # (n, n) cosines after the step
    loss_after: float


def watched() -> list[Drawing]:
    """Return the twelve drawings whose answers a race shows: two of each shape."""
    return [one for one in draw(400, seed=2**30 - 1) if one.size == "large"][:12]


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
    by_runner = {runner: [curve for curve in curves if curve.runner == runner] for runner in runners}
    results = []
    for runner, mine in by_runner.items():
        points = min(len(curve.accuracy) for curve in mine)
        values = np.array([curve.accuracy[:points] for curve in mine])
        equal = {curve.seed for curve in mine} == {curve.seed for curve in by_runner[runners[0]]}
        results.append(
            RaceResult(
                runner,
                mine[0].images[:points],
                tuple(values.mean(axis=0).tolist()),
                tuple(values.min(axis=0).tolist()),
                tuple(values.max(axis=0).tolist()),
                image_ratio(by_runner[runners[0]], mine) if equal and runner != runners[0] else None,
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
