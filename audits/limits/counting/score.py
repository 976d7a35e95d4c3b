"""Which count each image gets."""

from __future__ import annotations

import numpy as np
from pandas import DataFrame
from pydantic import Field

from audits.answers import cosines, ensemble
from audits.contracts import Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput
from workbench.prompts import fill
from workbench.strict import Strict

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Settings(Strict):
    """Settings of `limits/counting`."""

    counts: tuple[int, ...] = Field(min_length=2)  # the numbers to choose from, each 0..10
    named: bool = False  # name the things, as in "three apples", where the data set has a column `things`
    objects: str = "objects"  # their name otherwise


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return each image whose label is one of the counts, as it is.

    Raises:
        BadInput: there is none, or a count is outside 0..10.
    """
    settings = _settings(rules)
    table = dataset.table
    ids = sorted(table.loc[[number(label) in settings.counts for label in table["label"]], "sample_id"])
    if not ids:
        raise BadInput(
            f"No label of {dataset.about.title!r} is a count of the protocol {rules.name!r} "
            f"({', '.join(map(str, settings.counts))}, in digits or words)."
        )
    return [Item(sample) for sample in ids]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return all counts of all things in all templates."""
    settings = _settings(rules)
    return [
        prompt
        for things in sorted(set(_things(dataset.table, settings)))
        for count in settings.counts
        for prompt in _prompts(count, things, rules)
    ]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image: the answer, and how far it is from the true count."""
    settings = _settings(rules)
    rows = described(embedded)
    things = _things(rows, settings)
    values = np.zeros((len(rows), len(settings.counts)))
    for name in sorted(set(things)):
        here = np.array([thing == name for thing in things])
        prompts = [_prompts(count, name, rules) for count in settings.counts]
        values[here] = cosines(embedded.images[here], ensemble(embedded.texts, prompts))
    true = np.array([number(label) for label in rows["y_true"]])
    answered = np.array(settings.counts)[values.argmax(axis=1)]
    rows["label_set"] = f"{len(settings.counts)} counts"
    rows["y_true"], rows["y_pred"] = [str(count) for count in true], [str(count) for count in answered]
    rows["error"] = np.abs(answered - true)
    rows["outcome:accuracy"] = (rows["error"] == 0).astype(float)
    rows["outcome:within_one"] = (rows["error"] <= 1).astype(float)
    rows["scores"] = values.tolist()
    return rows


def number(label: str) -> int:
    """Read a count from a label in digits or words; -1 for any other."""
    text = label.strip().lower()
    if text in WORDS:
        return WORDS.index(text)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else -1


def _settings(rules: Rules) -> Settings:
    settings = rules.settings_as(Settings)
    if not all(0 <= count < len(WORDS) for count in settings.counts):
        raise BadInput(f"Counts are 0 to {len(WORDS) - 1}; the protocol {rules.name!r} asks for {settings.counts}.")
    return settings


def _things(table: DataFrame, settings: Settings) -> list[str]:
    """Return the name of the things in each image, in the plural."""
    if settings.named and "things" in table.columns:
        return [name or settings.objects for name in table["things"]]
    return [settings.objects] * len(table)


def _prompts(count: int, things: str, rules: Rules) -> list[str]:
    """Fill "three apples" into every template; one thing loses its plural s."""
    named = f"{WORDS[count]} {things.removesuffix('s') if count == 1 else things}"
    return [fill(template, named) for template in rules.templates]
