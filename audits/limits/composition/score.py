"""Which caption each image is nearest to, and which image each caption."""

from __future__ import annotations

import json

import numpy as np
from pandas import DataFrame

from audits.answers import prompts
from audits.captions import TIE, captions, chosen, usable, vectors
from audits.contracts import CLEAN, OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.limits.composition.blind import blind
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput
from workbench.strict import Strict

CROPPED = "cropped"  # form of an image of which only a part is described


class Settings(Strict):
    """`limits/composition` has no settings."""


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return each image with a true and a false caption; cut to its `box` (left, top, width, height) where it has one.

    Raises:
        BadInput: there is none, or a box that is not four whole numbers.
    """
    rules.settings_as(Settings)
    ids = usable(dataset)
    if not ids:
        raise BadInput(f"No image of {dataset.about.title!r} has both a `caption` and a `negative`.")
    if "box" not in dataset.table.columns:
        return [Item(sample) for sample in ids]
    boxes = dict(zip(dataset.table["sample_id"], dataset.table["box"], strict=True))
    return [Item(sample, CROPPED, _recipe(boxes[sample])) if boxes[sample] else Item(sample, CLEAN) for sample in ids]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return all captions in all templates."""
    return prompts(captions(dataset.table), rules.templates)


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image: whether its true caption wins, and the scores of its pair where it is in one.

    A pair is two images, each of which has the other's caption as its negative. Its three scores stand in the first
    row: text (both images choose their caption), image (both captions choose their image) and group (both hold).

    Source:
        Thrush et al. 2022, arXiv:2204.03162, section 4 (text, image and group score).
    """
    rows = described(embedded)
    directions = vectors(embedded.texts, captions(embedded.dataset.table), rules.templates)
    rows["label_set"] = rows["source"] if "source" in rows.columns else "captions"
    choice = chosen(rows, embedded.images, directions)
    rows[["chance", "scores"]] = choice[["chance", "scores"]]
    rows[f"{OUTCOME}image_to_text"], rows[f"{OUTCOME}tied"] = choice["right"], choice["tied"]
    rows[f"{OUTCOME}blind"] = blind(rows)
    for name in ("text_to_image", "text_score", "image_score", "group_score"):
        rows[f"{OUTCOME}{name}"] = np.nan
    for _, pair in rows[rows["pair"] != ""].groupby("pair", sort=True) if "pair" in rows.columns else ():
        if len(pair) != 2:
            continue
        first, second = pair.index
        right = {}
        for own, other in ((first, second), (second, first)):
            direction = directions[str(rows.at[own, "caption"])]
            right[own] = float((embedded.images[own] - embedded.images[other]).astype(np.float64) @ direction > TIE)
            rows.at[own, f"{OUTCOME}text_to_image"] = right[own]
        text, image = choice.loc[[first, second], "right"].min(), min(right.values())
        scores = {"text_score": text, "image_score": image, "group_score": text * image}
        for name, value in scores.items():
            rows.at[first, f"{OUTCOME}{name}"] = value
    return rows


def _recipe(box: str) -> str:
    try:
        parts = [int(part) for part in box.split(",")]
    except ValueError:
        parts = []
    if len(parts) != 4:
        raise BadInput(f"A box is left,top,width,height in whole pixels; got {box[:40]!r}.")
    return json.dumps(parts)
