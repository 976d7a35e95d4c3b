"""How each picture is named with every template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audits import closed_set
from audits.answers import classifier, cosines, prompts
from audits.contracts import Item
from audits.limits.prompts.analyse import BARE, ENSEMBLE
from audits.sampling import described, some
from audits.settings import read_settings

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import Embedded
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules


class Settings(BaseModel):
    """What a protocol of prompts settles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pictures: int = Field(0, ge=0)  # taken by lot; 0: all
    reference: str = "a photo of a {}."  # template that the ensemble is compared with; one of the protocol's
    draws: int = Field(2000, ge=100, le=100_000)  # for the spread that chance makes


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Each picture with a known label, as it is."""
    settings = read_settings(Settings, rules)
    ids = closed_set.labelled(dataset, rules)
    return [Item(sample) for sample in some(dataset, ids, count=settings.pictures, seed=seed)]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """All labels in all templates, and alone."""
    sets = closed_set.label_sets(dataset, rules).values()
    return [prompt for labels in sets for prompt in prompts(labels, _templates(rules))]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """One row a picture, label set and template, and one for the ensemble of the protocol's templates."""
    import pandas as pd

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
    """Return the protocol's templates, and the label alone."""
    return tuple(dict.fromkeys((*rules.templates, BARE)))
