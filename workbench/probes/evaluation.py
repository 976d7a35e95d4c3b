"""One model on one set of labelled images: zero-shot, few shots and the full probe, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.probes.few_shot import few_shot, most_shots
from workbench.probes.labelled import TEST, LabelledImages
from workbench.probes.linear import fitted_probe, mean_per_class
from workbench.probes.suite.metrics import Metric, measured
from workbench.prompts import DEFAULT
from workbench.statistics.calibration import CalibrationError, expected_calibration_error
from workbench.statistics.intervals import Interval, proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.probes.embedding import ImageFeatures
    from workbench.probes.strength import Sweep
    from workbench.probes.text_weights import TextWeights

ZERO_SHOT, PROBE = "zero-shot", "probe"
SHOTS = (1, 4, 16)


@dataclass(frozen=True, eq=False)
class Answered:
    """What one way of asking a model gives on the test images."""

    accuracy: Interval
    right: NDArray[np.float64]  # (n,) share of right answers for each test image: 0 or 1, or a mean over seeds
    per_class: Interval | None = None  # mean over classes
    calibration: CalibrationError | None = None
    strength: float | None = None  # L2 penalty
    sweep: Sweep | None = None  # how it was chosen, on validation images
    metric: Interval | None = None  # of the data set, where it is neither accuracy nor its mean over classes


@dataclass(frozen=True, eq=False)
class ModelEvaluation:
    """One row of the table: a model, by whatever was measured so far."""

    model: str  # its key
    title: str
    answers: Mapping[str, Answered] = field(default_factory=dict)  # zero-shot, "4 shots", probe
    seconds: float | None = None  # for 1,000 images; None where they came from the cache
    megabytes: float = 0.0  # of weights in memory
    dropped: str = ""  # why it was not measured to the end


@dataclass(frozen=True)
class Ways:
    """What is measured."""

    shots: tuple[int, ...] = SHOTS
    seeds: int = 10
    seed: int = 0
    templates: tuple[str, ...] = (DEFAULT,)
    probe: bool = True
    metric: Metric = "accuracy"  # of the data set


def shots_name(shots: int) -> str:
    """Return what a few-shot column is called: "1 shot", "16 shots"."""
    return f"{shots} shot{'' if shots == 1 else 's'}"


def evaluated(
    row: ModelEvaluation, made: ImageFeatures, images: LabelledImages, *, texts: TextWeights | None, ways: Ways
) -> Iterator[ModelEvaluation]:
    """Yield the row anew after each column: zero-shot, few shots, full probe.

    Columns that the row has already are not measured again; shots that a class has too few images for are left out.

    Args:
        row: the model.
        made: what it made of the images.
        images: the images, all readable.
        texts: the classes' sentences; None without a text tower.
        ways: what is measured.
    """
    test = images.rows(TEST)
    if row.answers:
        yield row
    if texts is not None and ZERO_SHOT not in row.answers:
        chances = texts.probabilities(made.embeddings[test])
        row = replace(
            row, answers={**row.answers, ZERO_SHOT: answered(chances, images, seed=ways.seed, metric=ways.metric)}
        )
        yield row
    for shots in ways.shots:
        if shots > most_shots(images) or shots_name(shots) in row.answers:
            continue
        few = few_shot(made.features, images, shots, seeds=ways.seeds, seed=ways.seed)
        answer = Answered(few.accuracy, few.right.mean(axis=0))
        row = replace(row, answers={**row.answers, shots_name(shots): answer})
        yield row
    if ways.probe and PROBE not in row.answers:
        fitted, sweep = fitted_probe(made.features, images)
        answer = answered(fitted.probabilities(made.features[test]), images, seed=ways.seed, metric=ways.metric)
        answer = replace(answer, strength=sweep.strength, sweep=sweep)
        row = replace(row, answers={**row.answers, PROBE: answer})
        yield row


def answered(
    chances: NDArray[np.float64], images: LabelledImages, *, seed: int, metric: Metric = "accuracy"
) -> Answered:
    """Measure (n, k) probabilities of the test images; right is a first answer that the image shows."""
    test, first = images.rows(TEST), chances.argmax(axis=1)
    truth: NDArray[Any] = images.y[test] if images.shown is None else images.shown[test]
    right = first == truth if images.shown is None else truth[np.arange(len(first)), first]
    error = expected_calibration_error(chances.max(axis=1).clip(0, 1), right, rng=seed)
    return Answered(
        proportion(int(right.sum()), len(right)),
        right.astype(np.float64),
        mean_per_class(right, truth, seed=seed) if images.shown is None else None,
        error,
        metric=measured(metric, chances, truth, seed=seed),
    )
