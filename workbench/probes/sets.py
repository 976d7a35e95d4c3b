"""Conformal sets of a probe: calibrated on one half of the test images, measured on the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from workbench.probes.labelled import TEST, LabelledImages
from workbench.statistics.conformal import METHODS, Method, SetQuality, calibrate, quality

if TYPE_CHECKING:
    from numpy.typing import NDArray


def conformal_sets(
    probabilities: NDArray[np.float64], images: LabelledImages, *, alpha: float = 0.1
) -> dict[Method, SetQuality]:
    """Return how sets of each method come out; empty where half of the test images are too few for this alpha.

    The probe is fitted on train and validation images, so that none of these can calibrate.

    Args:
        probabilities: (n, k) of all images.
        images: n images; the halves are drawn by their seed.
        alpha: probability, at most, of a set that misses the true class.
    """
    rng = np.random.default_rng(images.seed)
    test = rng.permutation(np.flatnonzero(images.rows(TEST)))
    half = len(test) // 2
    if half < math.ceil(1 / alpha - 1 - 1e-9) or half == len(test):
        return {}
    first, second = test[:half], test[half:]
    answer: dict[Method, SetQuality] = {}
    for method in METHODS:
        rule = calibrate(probabilities[first], images.y[first], alpha=alpha, method=method, rng=rng)
        sets = rule.sets(probabilities[second], rng=rng)
        answer[method] = quality(sets, images.y[second], classes=images.classes)
    return answer
