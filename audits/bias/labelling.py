"""How pictures are named with a protocol's labels: prompts, one vector a label, probabilities, and a table of rows.

A template's "a {}" becomes "an {}" in front of a vowel. Knows no statistics; the arithmetic is that of
`audits.answers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from audits.answers import DECIMALS, ensemble, probabilities
from workbench.prompts import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules

TOP = 5  # labels that a row of the samples names


def prompts(labels: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Fill every label into every template, label by label, with the article that it needs."""
    return [_filled(template, label) for label in labels for template in templates]


def _filled(template: str, label: str) -> str:
    vowel = label[:1].lower() in "aeiou"
    return fill(template.replace("a {}", "an {}") if vowel else template, label)


def texts_of(rules: Rules) -> list[str]:
    """Return all labels of all sets in all templates, each text once."""
    sets = rules.label_sets.values()
    return list(dict.fromkeys(prompt for entry in sets for prompt in prompts(entry.labels, rules.templates)))


def vectors(
    texts: Mapping[str, NDArray[np.float32]], labels: Sequence[str], templates: Sequence[str]
) -> NDArray[np.float64]:
    """Return the direction of each label, its prompts averaged; (labels, dim), unit rows."""
    return ensemble(texts, [prompts([label], templates) for label in labels])


def chances(model: ModelFacts, table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosines (n, k) -> probabilities 0..1 by the model's own rule: softmax over the labels, or a sigmoid for each."""
    return probabilities(model.score, table * model.logit_scale + model.logit_bias)


def named(rows: DataFrame, label_set: str, *, labels: Sequence[str], table: NDArray[np.float64]) -> DataFrame:
    """Return the rows with the answers of one label set: y_pred, and the five likeliest with their probabilities.

    Args:
        rows: n, from `described`.
        label_set: its name.
        labels: k names.
        table: (n, k) probabilities.
    """
    order = np.argsort(-table, axis=1, kind="stable")[:, :TOP]
    found = rows.copy()
    found.insert(2, "label_set", label_set)
    found["y_pred"] = [labels[row[0]] for row in order]
    found["topk"] = [[labels[at] for at in row] for row in order]
    found["scores"] = [[round(float(table[at, k]), DECIMALS) for k in row] for at, row in enumerate(order)]
    return found
