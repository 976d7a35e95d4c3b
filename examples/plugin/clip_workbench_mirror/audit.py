"""Stages of the audit: each image as it is and mirrored, named with one of the labels."""

from __future__ import annotations

from pandas import DataFrame
from PIL import Image, ImageOps

from audits import closed_set, measuring
from audits.analysis import Analysis, Finding
from audits.answers import classifier, cosines, likeliest
from audits.contracts import CLEAN, Embedded, Item, ModelFacts
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol
from audits.sampling import described
from workbench.strict import Strict

MIRRORED = "mirrored"
HOW_TO_READ = "`same` is the share of images that get the same label when they are mirrored."
LIMITS = "A label may depend on left and right (a written word, a hand); a changed answer is then no error."


class Settings(Strict):
    """The audit has no settings."""


def plan(dataset: Dataset, rules: Protocol, *, seed: int) -> list[Item]:
    """Return each image as it is, and mirrored."""
    ids = closed_set.labelled(dataset, rules)
    return [*(Item(one) for one in ids), *(Item(one, MIRRORED, "{}") for one in ids)]


texts = closed_set.texts  # every label in every template


def change(picture: Image.Image, item: Item) -> Image.Image:
    """Return the mirror image."""
    return ImageOps.mirror(picture)


def score(embedded: Embedded, rules: Protocol, *, seed: int) -> DataFrame:
    """Return one row an image and form: its label, and for a mirrored one whether it is that of the image."""
    ((name, labels),) = closed_set.label_sets(embedded.dataset, rules).items()
    rows = described(embedded)
    rows["label_set"] = name
    rows["y_pred"] = likeliest(cosines(embedded.images, classifier(embedded.texts, labels, rules.templates)), labels)
    clean = rows[rows["variant"] == CLEAN].set_index("sample_id")["y_pred"]
    same = (rows["y_pred"] == rows["sample_id"].map(clean)).astype(float)
    rows["outcome:same"] = same.where(rows["variant"] == MIRRORED)
    return rows


def analyse(samples: DataFrame, rules: Protocol, *, model: ModelFacts, seed: int) -> Analysis:
    """Return the share of images that keep their label."""
    rows = samples[samples["variant"] == MIRRORED]
    measure = measuring.share("same", rows["outcome:same"], list(rows["cluster"]), direction="higher")
    text = f"{int(rows['outcome:same'].sum())} of {len(rows)} images keep their label when they are mirrored."
    return Analysis([measure], [Finding(text, "note", "same", effect=measure.value, n=len(rows))])
