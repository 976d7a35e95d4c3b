"""How images are named with a protocol's labels: prompts, one vector a label, probabilities, rows of the samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from audits.answers import DECIMALS, classifier, cosines, probabilities, prompts
from audits.contracts import Embedded
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules

TOP = 5  # labels that a row of the samples names


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return all labels of all sets in all templates, each text once."""
    sets = rules.label_sets.values()
    return list(dict.fromkeys(prompt for entry in sets for prompt in prompts(entry.labels, rules.templates)))


def cosines_of(embedded: Embedded, labels: Sequence[str], templates: Sequence[str]) -> NDArray[np.float64]:
    """Return the cosine of each image to each label, its prompts averaged; (n, labels)."""
    return cosines(embedded.images, classifier(embedded.texts, labels, templates))


def chances(embedded: Embedded, labels: Sequence[str], templates: Sequence[str]) -> NDArray[np.float64]:
    """Return the probability of each label, (n, labels) in 0..1: softmax over the labels, or a sigmoid for each."""
    model = embedded.model
    logits = cosines_of(embedded, labels, templates) * model.logit_scale + model.logit_bias
    return probabilities(model.score, logits)


def named(rows: DataFrame, label_set: str, *, labels: Sequence[str], table: NDArray[np.float64]) -> DataFrame:
    """Return the rows with the answers of one label set: y_pred, and the five likeliest with their probabilities.

    `rows` come from `described`; `table` holds the probabilities, (n, k).
    """
    order = np.argsort(-table, axis=1, kind="stable")[:, :TOP]
    result = rows.copy()
    result.insert(2, "label_set", label_set)
    result["y_pred"] = [labels[row[0]] for row in order]
    result["topk"] = [[labels[at] for at in row] for row in order]
    result["scores"] = [[round(float(table[at, k]), DECIMALS) for k in row] for at, row in enumerate(order)]
    return result
