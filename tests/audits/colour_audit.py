"""A small real audit for tests: are pictures of one colour called so, also when they are darkened?

Fulfils `audits.contracts.Stages`. Built for the fake model, which sees colours alone.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from PIL import Image
from pydantic import BaseModel, ConfigDict

from audits.analysis import Analysis, Figure, Finding
from audits.contracts import Audit, Embedded, Item, ModelFacts
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol, read_file
from workbench.statistics import measures

NAMES = ("red", "green", "blue", "yellow")
RGB = {"red": (220, 20, 20), "green": (20, 160, 20), "blue": (20, 20, 220), "yellow": (240, 220, 20)}
AUDIT = Audit(
    key="test/colours",
    version=1,
    title="Colours",
    question="Are plain colours called by their names?",
    module="colour_audit",
    protocols=("plain",),
    builtin="",
    needs=("label",),
)
RULES = read_file(Path(__file__).parent / "protocols" / "plain.yaml")
HOW_TO_READ = "One share."
LIMITS = "Colours only."


class Settings(BaseModel):
    """Of the protocol."""

    model_config = ConfigDict(extra="forbid")

    shades: list[float] = [1.0]  # 1 is the picture itself
    crash: bool = False
    slow: float = 0.0  # seconds an item


def plan(dataset: Dataset, rules: Protocol, *, seed: int) -> list[Item]:
    """Each picture in each shade."""
    settings = Settings.model_validate(rules.settings)
    items = []
    for one in dataset.table["sample_id"]:
        for shade in settings.shades:
            recipe = json.dumps({"shade": shade, "slow": settings.slow}) if shade != 1 else ""
            items.append(Item(one, f"shade {shade}" if recipe else "clean", recipe))
    return items


def texts(dataset: Dataset, rules: Protocol) -> list[str]:
    """One prompt a label."""
    return [template.format(name) for template in rules.templates for name in rules.label_sets["colours"].labels]


def change(picture: Image.Image, item: Item) -> Image.Image:
    """Darken."""
    recipe = json.loads(item.recipe)
    time.sleep(recipe["slow"])
    return picture.point(lambda value: int(value * recipe["shade"]))


def score(embedded: Embedded, rules: Protocol, *, seed: int) -> pd.DataFrame:
    """One row a picture and shade."""
    if os.environ.get("COLOURS_SCORED"):
        with Path(os.environ["COLOURS_SCORED"]).open("a") as file:
            file.write("scored\n")
    if Settings.model_validate(rules.settings).crash:
        raise ArithmeticError("planted")
    labels = rules.label_sets["colours"].labels
    rows = embedded.dataset.table.set_index("sample_id")
    output = []
    for item, vector in zip(embedded.items, embedded.images, strict=True):
        cosines = [round(float(vector @ embedded.texts[text]), 6) for text in texts(embedded.dataset, rules)]
        truth = rows.loc[item.sample_id, "label"]
        best = labels[max(range(len(labels)), key=lambda at: cosines[at])]
        output.append((item.sample_id, item.variant, "colours", truth, best, float(truth == best)))
    names: Sequence[str] = ("sample_id", "variant", "label_set", "y_true", "y_pred", "outcome:accuracy")
    return pd.DataFrame(output, columns=list(names))


def analyse(samples: pd.DataFrame, rules: Protocol, *, model: ModelFacts, seed: int) -> Analysis:
    """One share a shade, and over all."""
    clean = samples[samples["variant"] == "clean"]
    k, n = int(clean["outcome:accuracy"].sum()), len(clean)
    figure = Figure(
        "shades", "Shades", "bars", pd.DataFrame({"name": ["a", "b"], "value": [0.5, float("nan")]}), "x", "y", "alt"
    )
    return Analysis(
        [measures.share("accuracy", k, n)],
        [Finding(f"{k} of {n} colours are named right.", "found", "accuracy", effect=k / n, n=n)],
        [figure],
        tables={"Per shade": samples.groupby("variant", as_index=False)["outcome:accuracy"].mean()},
    )


def paint(folder: Path, count: int, *, side: int = 90) -> Path:
    """Write `count` pictures of plain colours into folders of their names; none is like another."""
    for at in range(count):
        name = NAMES[at % len(NAMES)]
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (side, side), RGB[name])
        picture.putpixel((at % side, at // side), (128, 128, 128))
        picture.save(place / f"{at:04}.png")
    return folder
