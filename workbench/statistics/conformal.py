"""Conformal sets: labels that hold the true one with a promised probability, whatever the model's calibration.

Split conformal prediction with three scores, each of a label y with probability p:

    LAC    1 - p
    APS    the probabilities of the labels likelier than y, plus a random share of p
    RAPS   APS plus a penalty for each rank beyond `rank`, which shortens long sets

The promise is marginal (over images of all classes together) and holds where calibration and new images are
exchangeable. One random number is drawn an image, so that a set never holds a label and misses a likelier one.

Source: Sadinle, Lei and Wasserman 2019, J. Am. Stat. Assoc. 114:223 (LAC); Romano, Sesia and Candès 2020,
arXiv:2006.02544 (APS); Angelopoulos et al. 2021, arXiv:2009.14193 (RAPS).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from workbench.errors import BadInput
from workbench.statistics.intervals import Share, proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

Method: TypeAlias = Literal["lac", "aps", "raps"]
METHODS: tuple[Method, ...] = ("lac", "aps", "raps")
PENALTY, RANK = 0.001, 1  # of RAPS


@dataclass(frozen=True)
class Conformal:
    """A calibrated rule: labels whose score is at most `threshold` belong to the set."""

    method: Method
    alpha: float  # probability, at most, of a set that misses the true label
    threshold: float
    n: int  # images that it was calibrated on
    penalty: float = PENALTY
    rank: int = RANK

    def sets(self, probabilities: NDArray[np.float64], *, rng: np.random.Generator | int) -> NDArray[np.bool_]:
        """(n, k) probabilities -> (n, k) whether each label belongs to the image's set.

        Args:
            probabilities: rows that sum to 1.
            rng: generator or seed of one random number an image (APS and RAPS).
        """
        draws = np.random.default_rng(rng).random(len(probabilities))
        return _scores(probabilities, self.method, draws=draws, penalty=self.penalty, rank=self.rank) <= self.threshold


@dataclass(frozen=True)
class SetQuality:
    """How sets came out on labelled images."""

    coverage: Share  # images whose set holds the true label
    mean_size: float
    empty: Share
    by_class: tuple[Share, ...]  # coverage of each class
    size_by_class: tuple[float, ...]  # mean size, NaN for a class without images


def calibrate(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.intp],
    *,
    alpha: float = 0.1,
    method: Method = "lac",
    rng: np.random.Generator | int = 0,
) -> Conformal:
    """Find the threshold: the ceil((n + 1)(1 - alpha))-th smallest score of the true labels.

    Args:
        probabilities: (n, k) of calibration images, which trained nothing.
        truth: (n,) numbers of their classes.
        alpha: strictly between 0 and 1.
        method: lac, aps or raps.
        rng: generator or seed of one random number an image (APS and RAPS).

    Raises:
        BadInput: an alpha or method that is none, or too few images for this alpha.
    """
    n = len(truth)
    if not 0 < alpha < 1 or method not in METHODS:
        raise BadInput(f"Conformal sets take an alpha between 0 and 1 and lac, aps or raps; got {alpha}, {method!r}.")
    place = math.ceil((n + 1) * (1 - alpha) - 1e-9)
    if place > n:
        fewest = math.ceil(1 / alpha - 1 - 1e-9)
        raise BadInput(f"An alpha of {alpha:g} needs {fewest} calibration images or more; got {n}.")
    draws = np.random.default_rng(rng).random(n)
    scores = _scores(probabilities, method, draws=draws, penalty=PENALTY, rank=RANK)[np.arange(n), truth]
    return Conformal(method, alpha, float(np.partition(scores, place - 1)[place - 1]), n)


def quality(sets: NDArray[np.bool_], truth: NDArray[np.intp], *, classes: Sequence[str]) -> SetQuality:
    """Measure sets on images that calibrated nothing.

    Args:
        sets: (n, k) of `Conformal.sets`.
        truth: (n,) numbers of the true classes.
        classes: k names.
    """
    held, sizes = sets[np.arange(len(truth)), truth], sets.sum(axis=1)
    members = [truth == number for number in range(len(classes))]
    return SetQuality(
        proportion(int(held.sum()), len(held)),
        float(sizes.mean()),
        proportion(int((sizes == 0).sum()), len(sizes)),
        tuple(proportion(int(held[one].sum()), int(one.sum())) for one in members),
        tuple(float(sizes[one].mean()) if one.any() else float("nan") for one in members),
    )


def _scores(
    probabilities: NDArray[np.float64], method: Method, *, draws: NDArray[np.float64], penalty: float, rank: int
) -> NDArray[np.float64]:
    """(n, k) score of every label; small scores belong to a set."""
    if method == "lac":
        return 1 - probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")
    sorted_chances = np.take_along_axis(probabilities, order, axis=1)
    before = np.cumsum(sorted_chances, axis=1) - sorted_chances
    scores = before + draws[:, None] * sorted_chances
    if method == "raps":
        scores = scores + penalty * np.maximum(np.arange(1, probabilities.shape[1] + 1) - rank, 0)
    answer = np.empty_like(scores)
    np.put_along_axis(answer, order, scores, axis=1)
    return answer
