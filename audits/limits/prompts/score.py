"""How each image is named with every template."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits import closed_set
from audits.answers import classifier, cosines, prompts
from audits.contracts import Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described, some
from audits.slicing import Sliced

ENSEMBLE = "all templates averaged"
BARE = "{}"  # the label alone


class Settings(Sliced):
    """Settings of `limits/prompts`."""

    pictures: int = Field(0, ge=0)  # images, drawn at random; 0: all
    reference: str = "a photo of a {}."  # template that the ensemble is compared with; one of the protocol's
    draws: int = Field(2000, ge=100, le=100_000)  # of the null of the spread


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return each image with a known label, as it is.

    Raises:
        BadInput: no image has a known label, or an attribute to slice by is missing.
    """
    settings = rules.settings_as(Settings)
    dataset.require(settings.needed, rules.audit)
    ids = closed_set.labelled(dataset, rules)
    return [Item(sample) for sample in some(dataset, ids, count=settings.pictures, seed=seed)]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return all labels in all templates, and alone."""
    sets = closed_set.label_sets(dataset, rules).values()
    return [prompt for labels in sets for prompt in prompts(labels, _templates(rules))]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image, label set and template, and one for the ensemble of the protocol's templates."""
    base = described(embedded)
    frames = []
    for name, labels in closed_set.label_sets(embedded.dataset, rules).items():
        known = base["y_true"].isin(labels).to_numpy()
        for template in (*_templates(rules), ENSEMBLE):
            used = rules.templates if template == ENSEMBLE else (template,)
            values = cosines(embedded.images[known], classifier(embedded.texts, labels, used))
            rows = base[known].copy()
            rows["label_set"] = f"{name}: {len(labels)}"
            rows["template"] = template
            rows["y_pred"] = [labels[at] for at in values.argmax(axis=1)]
            true = np.array([labels.index(truth) for truth in rows["y_true"]])
            rows["rank_true"] = 1 + (values > np.take_along_axis(values, true[:, None], axis=1)).sum(axis=1)
            rows["outcome:accuracy"] = (rows["y_pred"] == rows["y_true"]).astype(float)
            frames.append(rows)
    return pd.concat(frames, ignore_index=True)


def _templates(rules: Rules) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*rules.templates, BARE)))
