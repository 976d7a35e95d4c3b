"""From directions to answers: prompts averaged, cosines scaled, probabilities by the model's own rule.

Knows no model beyond its facts, and no label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.contracts import ModelFacts

DECIMALS = 6  # of a cosine, so that the last bits of a sum decide nothing


def ensemble(texts: Mapping[str, NDArray[np.float32]], asked: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Average each class's prompts in the joint space; (k, dim), unit rows.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 3.1.4.
    """
    means = np.stack([np.mean([texts[prompt] for prompt in row], axis=0, dtype=np.float64) for row in asked])
    answer: NDArray[np.float64] = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return answer


def cosines(images: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pictures (n, dim) and directions (k, dim) -> (n, k), rounded."""
    answer: NDArray[np.float64] = np.round(images.astype(np.float64) @ weights.T, DECIMALS)
    return answer


def logits(model: ModelFacts, images: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pictures (n, dim) and classifier (k, dim) -> (n, k): scaled cosines, bias included."""
    answer: NDArray[np.float64] = cosines(images, weights) * model.logit_scale + model.logit_bias
    return answer


def probabilities(score: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits (…, k) -> probabilities by the model's own rule: softmax over the labels, or a sigmoid for each."""
    from scipy.special import expit, softmax

    answer: NDArray[np.float64] = expit(values) if score == "sigmoid" else softmax(values, axis=-1)
    return answer
