"""Images whose given label is probably wrong, by confident learning on probabilities that never saw the image.

Source: Northcutt, Jiang and Chuang 2021, arXiv:1911.00068, sections 3.1 (confident joint), 3.2 (prune by noise rate).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput
from workbench.probes.logistic import rotated, solve
from workbench.probes.strength import PER_DECADE, parametric_search

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 5


@dataclass(frozen=True)
class Suspect:
    """An image whose given label is probably wrong."""

    number: int  # of the image
    given: int  # number of its class
    suggested: int  # number of the likeliest other class
    probability: float  # of the suggested class, out of sample


@dataclass(frozen=True)
class NamedSuspect:
    """A suspect by its names, as commands print it."""

    path: str
    given: str
    suggested: str
    probability: float  # of the suggested class, out of sample


def named(chosen: Sequence[Suspect], paths: Sequence[str], classes: Sequence[str]) -> list[NamedSuspect]:
    """Return suspects by the names of n images and k classes, in the same order."""
    return [
        NamedSuspect(paths[one.number], classes[one.given], classes[one.suggested], one.probability) for one in chosen
    ]


def out_of_sample(
    features: NDArray[np.floating], y: NDArray[np.intp], *, seed: int, folds: int = FOLDS
) -> tuple[NDArray[np.float64], float]:
    """Return (n, k) probabilities, each from a probe that was not fitted on the image, and the penalty.

    Folds are drawn class by class. The penalty is the one with the smallest log loss on images outside of their folds.

    Raises:
        BadInput: a class with one image.
    """
    counts = np.bincount(y)
    if counts.min() < 2:
        raise BadInput("Label errors are looked for with folds: each class needs at least two images.")
    fold = drawn_folds(y, min(folds, int(counts.min())), seed=seed)
    inputs = rotated(features)
    known: dict[float, NDArray[np.float64]] = {}

    def score(strength: float) -> tuple[float]:
        known[strength] = np.empty((len(y), len(counts)))
        for one in np.unique(fold):
            fitted = solve(inputs.only(fold != one), y[fold != one], strength)
            known[strength][fold == one] = fitted.probabilities(features[fold == one])
        return (float(np.log(known[strength][np.arange(len(y)), y].clip(1e-12)).mean()),)

    sweep = parametric_search(score, finest=PER_DECADE)
    return known[sweep.strength], sweep.strength


def drawn_folds(y: NDArray[np.intp], folds: int, *, seed: int) -> NDArray[np.intp]:
    """(n,) number of each image's fold; each class is spread over the folds evenly."""
    rng, fold = np.random.default_rng(seed), np.empty(len(y), np.intp)
    for number in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == number))
        fold[members] = (np.arange(len(members)) + rng.integers(folds)) % folds
    return fold


def confident_joint(probabilities: NDArray[np.float64], y: NDArray[np.intp]) -> NDArray[np.float64]:
    """(k, k) estimated numbers of images by given label (rows) and true label (columns); rows sum to the label's count.

    An image counts as a class where its probability reaches the class's threshold: the mean probability of the class
    among the images given that label. Of several such classes the likeliest counts.
    """
    k = probabilities.shape[1]
    thresholds = np.array([probabilities[y == number, number].mean() for number in range(k)])
    reached = probabilities >= thresholds - 1e-6
    guess = np.where(reached, probabilities, -1.0).argmax(axis=1)
    sure = reached.any(axis=1)
    counts = np.zeros((k, k))
    np.add.at(counts, (y[sure], guess[sure]), 1)
    counts[np.arange(k), np.arange(k)] = counts.diagonal().clip(1)  # a class is never wholly wrong
    joint: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True) * np.bincount(y, minlength=k)[:, None]
    return joint


def suspects(probabilities: NDArray[np.float64], y: NDArray[np.intp]) -> list[Suspect]:
    """Return the images that are probably labelled wrongly, the likeliest error first.

    For each pair of given and true label, as many images as the joint counts are suspected: those whose probability of
    the true label exceeds that of the given one by most.

    Args:
        probabilities: (n, k) out of sample.
        y: (n,) numbers of the given classes; each occurs.
    """
    joint = np.rint(confident_joint(probabilities, y)).astype(int)
    margins: dict[int, float] = {}
    for given, true in zip(*np.nonzero(joint), strict=True):
        if given == true:
            continue
        members = np.flatnonzero(y == given)
        margin = probabilities[members, true] - probabilities[members, given]
        for place in np.argsort(-margin, kind="stable")[: joint[given, true]]:
            if margin[place] > 0:
                margins[int(members[place])] = float(margin[place])
    chosen = []
    for number in margins:
        best = int(probabilities[number].argmax())  # another class than the given one, which is less likely
        sure = float(probabilities[number, best])
        chosen.append((probabilities[number, y[number]], Suspect(number, int(y[number]), best, sure)))
    return [suspect for _, suspect in sorted(chosen, key=lambda pair: (pair[0], pair[1].number))]


def recall_and_precision(ranked: Sequence[int], planted: Sequence[int]) -> tuple[float, float]:
    """Return the share of planted errors among all suspects (recall), and of planted ones among the first len(planted).

    Args:
        ranked: numbers of the suspects, the likeliest first.
        planted: numbers of the images whose label was flipped.
    """
    true = set(planted)
    return len(true & set(ranked)) / len(true), len(true & set(list(ranked)[: len(true)])) / len(true)
