"""What a probe's classes point to: the images that they are surest of, and the words that go with their logits.

A class's weights stand before the projection, where no sentence has a place. So a word is asked about over images: does
its cosine rise where the class's logit rises? That is the correlation of the two, between -1 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Pointing:
    """What one class points to."""

    name: str
    images: tuple[tuple[int, float], ...]  # number of an image, and its logit minus the mean of its logits
    words: tuple[tuple[str, float], ...]  # word, and the correlation of its cosine with that


def pointings(
    logits: NDArray[np.float64],
    cosines: NDArray[np.float64],
    *,
    classes: Sequence[str],
    words: Sequence[str],
    most: int = 5,
) -> list[Pointing]:
    """Return the strongest images and words of each class.

    Args:
        logits: (n, k) of a probe.
        cosines: (n, w) of the same images with each word; (n, 0) for a model without a text tower.
        classes: k names.
        words: w of them.
        most: images and words of a class, at most.
    """
    centred = logits - logits.mean(axis=1, keepdims=True)
    together = correlations(centred, cosines)
    answer = []
    for number, name in enumerate(classes):
        images = np.argsort(-centred[:, number], kind="stable")[:most]
        near = np.argsort(-together[number], kind="stable")[:most]
        answer.append(
            Pointing(
                name,
                tuple((int(at), float(centred[at, number])) for at in images),
                tuple((words[at], float(together[number, at])) for at in near),
            )
        )
    return answer


def correlations(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, k) and (n, w) -> (k, w) Pearson's correlations over rows; 0 for a column without spread."""
    sides = []
    for rows in (left, right):
        away = np.asarray(rows, np.float64) - np.mean(rows, axis=0)
        sides.append(away / np.linalg.norm(away, axis=0).clip(1e-12))
    answer: NDArray[np.float64] = sides[0].T @ sides[1]
    return answer
