"""How each image is named undisturbed and under every corruption."""

from __future__ import annotations

import json

import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits import closed_set
from audits.answers import classifier, cosines
from audits.closed_set import texts as texts
from audits.contracts import CLEAN, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.robustness.corruptions.change import CORRUPTIONS, SEVERITIES, find
from audits.sampling import described, some
from audits.slicing import Sliced
from workbench.errors import BadInput
from workbench.strict import Strict


class Baseline(Strict):
    """Errors of another model that mCE is measured in; part of the protocol and of its hash."""

    name: str
    version: str
    source: str
    errors: dict[str, float]  # corruption -> share 0..1, mean over the five severities, on the same images and labels


class Settings(Sliced):
    """Settings of `robustness/corruptions`."""

    pictures: int = Field(0, ge=0)  # images, drawn at random; 0: all
    choices: int = Field(0, ge=0)  # labels that each image is named with; 0: all
    size: int = Field(224, ge=32, le=1024)  # pixels: every image is cropped to this square, then disturbed
    corruptions: tuple[str, ...] = Field(tuple(row.name for row in CORRUPTIONS), min_length=1)
    severities: tuple[int, ...] = Field(SEVERITIES, min_length=1)
    baseline: Baseline | None = None  # without one, mCE is not measured


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return each image cropped to its square, and that square under every corruption at every severity.

    Raises:
        UnknownName: the protocol names an unknown corruption.
        BadInput: a severity outside 1..5, or an attribute to slice by is missing.
    """
    settings = rules.settings_as(Settings)
    dataset.require(settings.needed, rules.audit)
    for name in (*settings.corruptions, *(settings.baseline.errors if settings.baseline else ())):
        find(name)
    if wrong := sorted(set(settings.severities) - set(SEVERITIES)):
        raise BadInput(f"A severity is 1, 2, 3, 4 or 5; the protocol {rules.name!r} asks for {wrong}.")
    ids = some(dataset, closed_set.labelled(dataset, rules), count=settings.pictures, seed=seed)
    forms = [("", 0), *((name, severity) for name in settings.corruptions for severity in settings.severities)]
    items = []
    for name, severity in forms:
        recipe = {"corruption": name, "severity": severity, "size": settings.size, "seed": seed}
        text = json.dumps(recipe, sort_keys=True, ensure_ascii=True)
        items += [Item(sample, f"{name}:{severity}" if name else CLEAN, text) for sample in ids]
    return items


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image, form and label set: the answer."""
    settings = rules.settings_as(Settings)
    base = described(embedded)
    forms = [variant.partition(":")[::2] for variant in base["variant"]]
    families = {row.name: row.family for row in CORRUPTIONS}
    base["corruption"] = [name if severity else "none" for name, severity in forms]
    base["family"] = [families.get(name, "none") for name in base["corruption"]]
    base["severity"] = [severity or "0" for _, severity in forms]
    frames = []
    for name, labels in closed_set.label_sets(embedded.dataset, rules).items():
        known = base["y_true"].isin(labels).to_numpy()
        rows = base[known].copy()
        values = cosines(embedded.images[known], classifier(embedded.texts, labels, rules.templates))
        size = min(settings.choices or len(labels), len(labels))
        rows["label_set"] = f"{name}: {size} of {len(labels)}"
        answers = []
        for truth, sample, row in zip(rows["y_true"], rows["sample_id"], values, strict=True):
            choices = closed_set.choices(labels, truth, size=settings.choices, seed=seed, sample_id=sample)
            answers.append(labels[choices[int(row[choices].argmax())]])
        rows["y_pred"] = answers
        rows["outcome:accuracy"] = (rows["y_pred"] == rows["y_true"]).astype(float)
        frames.append(rows)
    return pd.concat(frames, ignore_index=True)
