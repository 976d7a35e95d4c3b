"""What a model answers: prompts of labels, one vector a label, and the likeliest label of each picture.

Knows no picture and no audit. Everything is worked out in float64 and rounded before it is compared, so that equal
scores are equal on every machine; a tie goes to the label that stands first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.prompts import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS = 6  # of a cosine, before two of them are compared


def prompts(labels: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Return every label in every template: k labels and t templates give k * t texts, label by label."""
    return [fill(template, label) for label in labels for template in templates]


def classifier(
    texts: Mapping[str, NDArray[np.float32]], labels: Sequence[str], templates: Sequence[str]
) -> NDArray[np.float64]:
    """Average each label's prompts in the joint space; (k, dim), unit rows.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 3.1.4.
    """
    rows = np.stack([texts[prompt] for prompt in prompts(labels, templates)]).astype(np.float64)
    means = rows.reshape(len(labels), len(templates), -1).mean(axis=1)
    unit: NDArray[np.float64] = means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-12)
    return unit


def cosines(images: NDArray[np.float32], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, dim) and (k, dim), unit rows -> (n, k) cosines, rounded to 6 digits."""
    table: NDArray[np.float64] = np.round(images.astype(np.float64) @ rows.T, DIGITS)
    return table


def likeliest(table: NDArray[np.float64], labels: Sequence[str]) -> list[str]:
    """Return the label of the highest score of each row; the first one where several are equal."""
    return [labels[place] for place in table.argmax(axis=1)]
