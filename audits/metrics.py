"""Shares of predictions that know their counts: accuracy, recall, selection rate, how often a set of labels is given.

Each is a function of (y_true, y_pred) as scikit-learn and fairlearn have them, and can also say which cases it counts,
which makes exact intervals possible. Where no case counts, the share is NaN, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadInput
from workbench.statistics.row import Direction

Mask = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.bool_]]  # (y_true, y_pred) -> (n,) bool


@dataclass(frozen=True)
class Rate:
    """A share: of the cases in `among`, those in `hits`."""

    name: str
    hits: Mask
    among: Mask
    direction: Direction = "none"  # which is better

    @property
    def __name__(self) -> str:
        """What fairlearn calls a metric by."""
        return self.name

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Return the share, 0..1; NaN where no case counts."""
        outcomes = self.outcomes(y_true, y_pred)
        return math.nan if np.isnan(outcomes).all() else float(np.nanmean(outcomes))

    def outcomes(self, y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float64]:
        """(n,) 1 where a case is a hit, 0 where it is none, NaN where it does not count."""
        true, predicted = np.asarray(y_true), np.asarray(y_pred)
        if true.shape != predicted.shape or true.ndim != 1:
            shapes = f"{true.shape} and {predicted.shape}"
            raise BadInput(f"Each case needs one truth and one prediction; got shapes {shapes}.")
        return np.where(self.among(true, predicted), self.hits(true, predicted).astype(np.float64), np.nan)


def label_rate(labels: Collection[Hashable]) -> Rate:
    """Return how often one of a set of labels is predicted, among all cases.

    Raises:
        BadInput: no label, or one string where a set is meant.
    """
    if isinstance(labels, str) or not labels:
        raise BadInput(f"A set of labels holds at least one, such as {{'thief', 'criminal'}}; got {labels!r}.")
    return Rate(f"label_rate({','.join(sorted(map(str, labels)))})", _predicted(*labels), _everyone)


def selection_rate(positive: Hashable = 1) -> Rate:
    """Return how often `positive` is predicted, among all cases."""
    return Rate("selection_rate", _predicted(positive), _everyone)


def recall(positive: Hashable = 1) -> Rate:
    """Return how often `positive` is predicted among cases that are positive: the true positive rate."""
    return Rate("recall", _predicted(positive), _true(positive), "higher")


def precision(positive: Hashable = 1) -> Rate:
    """Return how often a case is positive among cases predicted to be."""
    return Rate("precision", _true(positive), _predicted(positive), "higher")


def false_positive_rate(positive: Hashable = 1) -> Rate:
    """Return how often `positive` is predicted among cases that are not positive."""
    return Rate("false_positive_rate", _predicted(positive), lambda true, predicted: true != positive, "lower")


def false_negative_rate(positive: Hashable = 1) -> Rate:
    """Return how often something else than `positive` is predicted among cases that are positive."""
    return Rate("false_negative_rate", lambda true, predicted: predicted != positive, _true(positive), "lower")


def _predicted(*labels: Hashable) -> Mask:
    return lambda true, predicted: np.logical_or.reduce([predicted == label for label in labels])


def _true(label: Hashable) -> Mask:
    return lambda true, predicted: np.asarray(true == label)


def _everyone(true: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.bool_]:
    return np.ones(len(true), dtype=bool)


accuracy = Rate("accuracy", lambda true, predicted: np.asarray(true == predicted), _everyone, "higher")
