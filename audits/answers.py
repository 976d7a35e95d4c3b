"""The answers of a model: prompts, one direction a label, cosines, logits, probabilities by the model's own rule.

Computed in float64; cosines are rounded before they are compared, so that equal scores are equal on every machine.
A tie goes to the label that comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from audits.contracts import ModelFacts
from workbench.prompts import fill

DECIMALS = 6  # of a cosine; removes differences in the last bits of a sum


def prompts(labels: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Return every label in every template: k labels and t templates give k * t texts, label by label."""
    return [fill(template, label) for label in labels for template in templates]


def classifier(
    texts: Mapping[str, NDArray[np.float32]], labels: Sequence[str], templates: Sequence[str]
) -> NDArray[np.float64]:
    """Return the direction of each label, its prompts averaged; (k, dim), unit rows."""
    return ensemble(texts, [prompts([label], templates) for label in labels])


def ensemble(texts: Mapping[str, NDArray[np.float32]], prompts_of: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Average each class's prompts in the joint space; (k, dim), unit rows.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 3.1.4.
    """
    means = np.stack([np.mean([texts[prompt] for prompt in row], axis=0, dtype=np.float64) for row in prompts_of])
    return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12))


def cosines(images: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Images (n, dim) and directions (k, dim) -> (n, k), rounded."""
    return np.asarray(np.round(images.astype(np.float64) @ weights.T, DECIMALS))


def logits(model: ModelFacts, images: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Images (n, dim) and classifier (k, dim) -> (n, k): scaled cosines, bias included."""
    return np.asarray(cosines(images, weights) * model.logit_scale + model.logit_bias)


def probabilities(score: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits (…, k) -> probabilities by the model's own rule: softmax over the labels, or a sigmoid for each."""
    from scipy.special import expit, softmax

    return np.asarray(expit(values) if score == "sigmoid" else softmax(values, axis=-1))


def likeliest(table: NDArray[np.float64], labels: Sequence[str]) -> list[str]:
    """Return the label of the highest score of each row; the first one where several are equal."""
    return [labels[place] for place in table.argmax(axis=1)]
