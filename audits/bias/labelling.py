"""How pictures are named with a protocol's labels: prompts, one vector a label, probabilities, and a table of rows.

A template's "a {}" becomes "an {}" in front of a vowel. Knows no statistics; arithmetic is float64, and cosines are
rounded to 1e-6 before anything is decided, so that the last bits of a sum decide nothing; ties go to the first label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from workbench.errors import BadInput
from workbench.prompts import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import Embedded, ModelFacts
    from audits.protocol import Protocol as Rules

DECIMALS = 6  # of a cosine
TOP = 5  # labels that a row of the samples names

Read = TypeVar("Read", bound=BaseModel)


def read_settings(kind: type[Read], rules: Rules) -> Read:
    """Read a protocol's settings with an audit's own model of them.

    Raises:
        BadInput: a setting is unknown, missing or outside its range.
    """
    try:
        return kind.model_validate(rules.settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadInput(f"The protocol {rules.name!r} cannot be used: settings: {place}: {first['msg']}.") from None


def prompts(labels: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Fill every label into every template, label by label, with the article that it needs."""
    return [_filled(template, label) for label in labels for template in templates]


def _filled(template: str, label: str) -> str:
    vowel = label[:1].lower() in "aeiou"
    return fill(template.replace("a {}", "an {}") if vowel else template, label)


def vectors(
    texts: Mapping[str, NDArray[np.float32]], labels: Sequence[str], templates: Sequence[str]
) -> NDArray[np.float64]:
    """Average each label's prompts in the joint space; (labels, dim), unit rows.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 3.1.4.
    """
    rows = np.stack([texts[prompt] for prompt in prompts(labels, templates)]).astype(np.float64)
    mean = rows.reshape(len(labels), len(templates), -1).mean(axis=1)
    unit: NDArray[np.float64] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    return unit


def cosines(images: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pictures (n, dim) and labels (k, dim), unit rows -> (n, k), rounded to 1e-6."""
    table: NDArray[np.float64] = np.round(images.astype(np.float64) @ weights.T, DECIMALS)
    return table


def chances(model: ModelFacts, table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosines (n, k) -> probabilities 0..1 by the model's own rule: softmax over the labels, or a sigmoid for each."""
    from scipy.special import expit, softmax

    logits = table * model.logit_scale + model.logit_bias
    answer: NDArray[np.float64] = expit(logits) if model.score == "sigmoid" else softmax(logits, axis=1)
    return answer


def described(embedded: Embedded) -> DataFrame:
    """Return one row an item: sample_id, variant, cluster (the picture itself where none is known), split, attributes.

    The column `label` of the data set is called `y_true`.
    """
    import pandas as pd

    dataset = embedded.dataset
    kept = ["sample_id", "cluster", "split", "label", *(a for a in dataset.attributes if a != "label")]
    table = dataset.table[kept].set_index("sample_id", drop=False)
    rows = table.loc[[item.sample_id for item in embedded.items]].reset_index(drop=True)
    rows = rows.rename(columns={"label": "y_true"})
    rows["cluster"] = rows["cluster"].where(rows["cluster"] != "", rows["sample_id"])
    rows.insert(1, "variant", pd.Series([item.variant for item in embedded.items], dtype=str))
    return rows


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
