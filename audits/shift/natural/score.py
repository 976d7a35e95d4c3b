"""How each image is named among the classes of its shift.

The column `style` of the data set says which kind each image is of.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits.answers import classifier, cosines, prompts
from audits.contracts import CLEAN, OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from workbench.errors import BadInput
from workbench.strict import Strict

AROUND = "all frames around"  # variant: right in the anchor frame and in every frame near it
ANCHOR = "anchor"  # value of the column `frame`
TOP = 5


class Point(Strict):
    """A published model by its accuracy on base and shift."""

    model: str
    base: float = Field(gt=0, lt=1)  # accuracy on the classes of the shift
    shifted: float = Field(gt=0, lt=1)
    source: str


class Reference(Strict):
    """The model that relative robustness is measured against."""

    model: str
    shifted: float = Field(ge=0, le=1)
    source: str


class Settings(Strict):
    """Settings of `shift/natural`."""

    base: str = "colour"  # the style that the others are compared with
    neighbourhoods: tuple[str, ...] = ()  # styles of video frames: a cluster is an anchor frame and its neighbours
    baseline_points: dict[str, tuple[Point, ...]] = Field(default_factory=dict)  # style -> models of the fit
    relative_to: dict[str, Reference] = Field(default_factory=dict)  # style -> model without the intervention
    min_classes: int = Field(10, ge=2)  # of a shift; with fewer it is not measured


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return every image once.

    Raises:
        BadInput: as `shifts`.
    """
    shifts(dataset, rules)
    return [Item(sample_id) for sample_id in dataset.table["sample_id"]]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return the prompts of all classes that a shift shares with the base."""
    return prompts(sorted({label for labels in shifts(dataset, rules).values() for label in labels}), rules.templates)


def shifts(dataset: Dataset, rules: Rules) -> dict[str, tuple[str, ...]]:
    """Return the classes of each shifted style that the base shows too; style -> sorted labels.

    Raises:
        BadInput: no image is of the base style, there is no other style, or they have no class in common.
    """
    base = rules.settings_as(Settings).base
    table = dataset.table
    known = set(table["label"][table["style"] == base]) - {""}
    if not known:
        styles = ", ".join(sorted({str(value)[:40] for value in table["style"]})[:5])
        raise BadInput(f"No image has the base style {base!r}; the column style has: {styles}.")
    others = sorted(set(table["style"]) - {base, ""})
    if not others:
        raise BadInput(f"A shift needs a second style beside the base {base!r}; all images are of the base style.")
    shared = {style: tuple(sorted(known & set(table["label"][table["style"] == style]))) for style in others}
    if not any(shared.values()):
        raise BadInput(f"No shift shares a class with the base style {base!r}; nothing can be compared.")
    return shared


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and shift; the label set is the shift's name.

    A base image has a row for each shift that shares its class. In styles of video frames an anchor frame has two rows:
    by itself (pm-0), and right only where all frames of its cluster are right (pm-10).
    """
    dataset = embedded.dataset
    settings = rules.settings_as(Settings)
    facts = {row["sample_id"]: row for row in dataset.table.to_dict("records")}
    fixed = ("sample_id", "path", "sha256", "cluster", "split", "label")
    rows: list[dict[str, Any]] = []
    for style, labels in shifts(dataset, rules).items():
        if not labels:
            continue
        inside = [
            at
            for at, item in enumerate(embedded.items)
            if facts[item.sample_id]["style"] in (settings.base, style) and facts[item.sample_id]["label"] in labels
        ]
        table = cosines(embedded.images[inside], classifier(embedded.texts, labels, rules.templates))
        for at, scores in zip(inside, table, strict=True):
            known = facts[embedded.items[at].sample_id]
            order = (-scores).argsort(kind="stable")
            rows.append(
                {
                    "sample_id": str(known["sample_id"]),
                    "variant": CLEAN,
                    "label_set": style,
                    "cluster": str(known["cluster"]) or str(known["sample_id"]),
                    **{str(name): str(value) for name, value in known.items() if name not in fixed},
                    "y_true": str(known["label"]),
                    "y_pred": labels[order[0]],
                    "rank_true": int((order == labels.index(str(known["label"]))).argmax()) + 1,
                    "topk": [labels[place] for place in order[:TOP]],
                    "scores": [float(scores[place]) for place in order[:TOP]],
                    f"{OUTCOME}accuracy": float(labels[order[0]] == str(known["label"])),
                }
            )
    return _with_neighbourhoods(pd.DataFrame(rows), settings.neighbourhoods)


def _with_neighbourhoods(rows: DataFrame, styles: tuple[str, ...]) -> DataFrame:
    """Replace the frames of a video by its anchors, alone and with all frames near them."""
    video = rows["style"].isin(styles) & (rows["label_set"] == rows["style"])
    if not video.any() or "frame" not in rows:
        return rows
    frames = rows[video]
    all_right = frames.groupby(["label_set", "cluster"])[f"{OUTCOME}accuracy"].min()
    anchors = frames[frames["frame"] == ANCHOR]
    around = anchors.assign(variant=AROUND)
    keys = pd.MultiIndex.from_frame(anchors[["label_set", "cluster"]])
    around[f"{OUTCOME}accuracy"] = all_right.reindex(keys).to_numpy()
    return pd.concat([rows[~video], anchors, around], ignore_index=True)
