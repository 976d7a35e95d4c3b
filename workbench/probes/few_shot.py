"""Few shots: probes fitted on 1 to 16 images a class, over several drawings, with intervals over drawings and images.

The penalty is chosen on as many images a class as CoOp's protocol grants: 1, 2, 4, 4 and 4 for 1, 2, 4, 8 and 16 shots.
The CLIP paper chose it on the whole validation set, which is not few shots.

Source: Radford et al. 2021, arXiv:2103.00020, section 3.1.5; Zhou et al. 2022, arXiv:2109.01134, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput
from workbench.probes.labelled import TEST, LabelledImages
from workbench.probes.logistic import TOLERANCE, Logistic, rotated, solve
from workbench.probes.strength import validation_score
from workbench.statistics.draws import mean_over_draws
from workbench.statistics.intervals import Interval, proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRENGTHS = tuple(10.0**power for power in range(-6, 7, 2))  # the beginning of the paper's search
JUDGES = 4  # images a class on which the penalty is chosen, at most


@dataclass(frozen=True, eq=False)
class FewShot:
    """Probes of one number of shots."""

    shots: int  # images a class
    right: NDArray[np.bool_]  # (seeds, n) whether each test image is answered correctly, by drawing
    accuracy: Interval  # mean over drawings and test images


def few_shot(
    features: NDArray[np.floating], images: LabelledImages, shots: int, *, seeds: int = 10, seed: int = 0
) -> FewShot:
    """Fit on `shots` images of each class, `seeds` times, and test each on all test images.

    Args:
        features: (n, width) of the images.
        images: shots and the images that choose the penalty are drawn from all that are not for testing.
        shots: images a class, 1 or more.
        seeds: how many drawings.
        seed: of the first drawing.

    Raises:
        BadInput: a class has too few images for these shots and one to choose the penalty with.
    """
    test = images.rows(TEST)
    probes = few_shot_probes(features, images, shots, seeds=seeds, seed=seed)
    right = np.stack([one.logits(features[test]).argmax(axis=1) == images.y[test] for one in probes])
    return FewShot(shots, right, over_draws(right))


def few_shot_probes(
    features: NDArray[np.floating], images: LabelledImages, shots: int, *, seeds: int, seed: int
) -> list[Logistic]:
    """Return the probe of each drawing; see `few_shot`."""
    _check(images, shots)
    chosen = []
    for number in range(seed, seed + seeds):
        fitted_on, judged_on = drawn_shots(images, shots, seed=number)
        inputs = rotated(features[fitted_on])
        y, judges, truth = images.y[fitted_on], features[judged_on], images.y[judged_on]
        tried = [solve(inputs, y, strength, tolerance=TOLERANCE) for strength in STRENGTHS]
        scores = [validation_score(one, judges, truth) for one in tried]
        chosen.append(tried[max(range(len(tried)), key=scores.__getitem__)])
    return chosen


def most_shots(images: LabelledImages) -> int:
    """Return the largest number of shots that every class has images for, one to choose the penalty with included."""
    return int(np.bincount(images.y[~images.rows(TEST)]).min()) - 1


def drawn_shots(images: LabelledImages, shots: int, *, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the numbers of images to fit on and of those to choose the penalty on, drawn class by class."""
    rng = np.random.default_rng(seed)
    free = ~images.rows(TEST)
    fitted, judging = [], []
    for number in range(len(images.classes)):
        members = rng.permutation(np.flatnonzero((images.y == number) & free))
        fitted.append(members[:shots])
        judging.append(members[shots : shots + min(shots, JUDGES)])
    return np.concatenate(fitted), np.concatenate(judging)


def over_draws(right: NDArray[np.bool_], *, level: float = 0.95) -> Interval:
    """Return the mean of (draws, n) with an interval that counts both draws and images, 0..1."""
    value, n = float(right.mean()), right.shape[1]
    if value in (0.0, 1.0):  # nothing varies: the images alone bound the share
        share = proportion(round(value * n), n, level=level)
        return Interval(value, share.low, share.high, level, f"{share.method} over {n} images")
    return mean_over_draws(right).share(level)


def _check(images: LabelledImages, shots: int) -> None:
    most = most_shots(images)
    if shots < 1 or shots > most:
        raise BadInput(
            f"Shots are 1 to {most} here: the smallest class has {most + 1} images that are not for testing, and one "
            f"chooses the penalty; got {shots}."
        )
