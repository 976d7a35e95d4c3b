"""Where the own subject of each probe ranks in the gallery, and how strangers score.

The rows name probes and subjects by number; no label leaves this module.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame
from pydantic import Field, field_validator

from audits.answers import classifier, cosines, prompts
from audits.contracts import CLEAN, OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.surveillance.identity.gallery import Split, drawn_top1, expected_top1, numbers, split, sweep
from workbench.strict import Strict

LABEL_SET = "gallery"
DRAWS = "draws"  # variant of the rows that hold the accuracies of drawn galleries


class Settings(Strict):
    """Settings of `surveillance/identity`."""

    mode: Literal["reference", "name"] = "reference"  # compare with a gallery image, or with a prompt of the label
    gallery_sizes: tuple[int, ...] = (10, 50, 100, 1000, 2000)  # subjects
    draws: int = Field(200, ge=20, le=5000)  # galleries drawn of each size, to show their spread
    false_match: float = Field(0.01, gt=0, lt=1)  # share of strangers let through; sets the threshold
    step: float = Field(0.005, gt=0, le=0.1)  # between the thresholds, in cosine
    groups: tuple[str, ...] = ()  # columns; empty: every attribute of the data set
    min_n: int = Field(30, ge=1)  # probes; with fewer nothing is measured

    @field_validator("gallery_sizes")
    @classmethod
    def _sizes(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if not sizes or min(sizes) < 2:
            raise ValueError("a gallery has at least two subjects")
        return tuple(sorted(set(sizes)))


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return every image once.

    Raises:
        BadInput: an image has no label, or there are no probes.
    """
    split(dataset, rules.settings_as(Settings).mode)
    return [Item(sample_id) for sample_id in dataset.table["sample_id"]]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return the prompts of all labels where the protocol compares with names, else none."""
    parts = split(dataset, rules.settings_as(Settings).mode)
    return [] if parts.gallery else prompts(parts.subjects, rules.templates)


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row a probe, and one a gallery size with the accuracies of drawn galleries.

    Outcomes: top1@SIZE, the probability of ranking first in a random gallery of that size; false_non_match, whether the
    own subject scores below the threshold; false_match, the share of strangers that reach it; and false_match_within
    a column, the same among strangers of the probe's own group.
    """
    settings = rules.settings_as(Settings)
    parts = split(embedded.dataset, settings.mode)
    table, own = _compare(embedded, parts, rules)
    n, subjects = table.shape
    genuine = np.take_along_axis(table, own[:, None], axis=1)[:, 0]
    strangers = np.ones_like(table, dtype=bool)
    np.put_along_axis(strangers, own[:, None], False, axis=1)
    thresholds = sweep(settings.step)
    reached = np.zeros((n, len(thresholds)), dtype=np.int64)  # strangers that reach each threshold
    for at, row in enumerate(table):
        scores = np.sort(row[strangers[at]])
        reached[at] = len(scores) - np.searchsorted(scores, thresholds, side="left")
    shares = reached.sum(axis=0) / (n * (subjects - 1))
    lowest = int(np.argmax(shares <= settings.false_match))  # threshold that lets through no more than asked for
    beaten_by = ((table >= genuine[:, None]) & strangers).sum(axis=1)
    groups = [name for name in embedded.dataset.attributes if not settings.groups or name in settings.groups]
    columns: dict[str, Any] = {
        "beaten_by": beaten_by,
        "subjects": np.full(n, subjects),
        "genuine": genuine,
        "over": list(reached.astype(int).tolist()),
        "threshold": np.full(n, thresholds[lowest]),
        f"{OUTCOME}false_non_match": (genuine < thresholds[lowest]).astype(float),
        f"{OUTCOME}false_match": reached[:, lowest] / (subjects - 1),
    }
    sizes = [size for size in settings.gallery_sizes if size <= subjects]
    columns |= {f"{OUTCOME}top1@{size}": expected_top1(beaten_by, subjects, size) for size in sizes}
    columns |= _within(embedded.dataset, parts, groups, table >= thresholds[lowest], strangers)
    rows = pd.DataFrame({**_described(embedded.dataset, parts, own, groups, seed), **columns})
    rows["y_pred"] = np.where(beaten_by == 0, "the subject", "another")
    rows["rank_true"] = beaten_by + 1
    drawn = [
        {
            "sample_id": f"size {size}",
            "variant": DRAWS,
            "label_set": LABEL_SET,
            "cluster": f"size {size}",
            "size": size,
            "drawn": drawn_top1(table, own, size, draws=settings.draws, seed=seed),
        }
        for size in sizes
    ]
    return pd.concat([rows.sort_values("sample_id"), pd.DataFrame(drawn)], ignore_index=True)


def _compare(embedded: Embedded, parts: Split, rules: Rules) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, N) cosines of probes with subjects, and (n,) the column of each probe's own subject."""
    labels = [str(label) for label in embedded.dataset.table["label"]]
    rows = {item.sample_id: at for at, item in enumerate(embedded.items)}
    vector = [rows[name] for name in embedded.dataset.table["sample_id"]]
    if parts.gallery:
        means = np.stack(
            [embedded.images[[vector[at] for at in parts.gallery[subject]]].mean(axis=0) for subject in parts.subjects]
        ).astype(np.float64)
        references = means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-12)
    else:
        references = classifier(embedded.texts, parts.subjects, rules.templates)
    columns = {subject: at for at, subject in enumerate(parts.subjects)}
    own = np.array([columns[labels[at]] for at in parts.probes], dtype=np.int64)
    return cosines(embedded.images[[vector[at] for at in parts.probes]], references), own


def _within(
    dataset: Dataset, parts: Split, groups: list[str], reached: NDArray[np.bool_], strangers: NDArray[np.bool_]
) -> dict[str, Any]:
    """Return for each grouping the share of strangers of the probe's own group that reach the threshold."""
    table = dataset.table
    first = {str(label): row for row, label in reversed(list(enumerate(table["label"])))}
    columns: dict[str, Any] = {}
    for name in groups:
        values = [str(value) for value in table[name]]
        theirs = np.array([values[first[subject]] for subject in parts.subjects], dtype=object)
        own = np.array([values[at] for at in parts.probes], dtype=object)
        alike = (own[:, None] == theirs[None, :]) & strangers
        with np.errstate(invalid="ignore"):
            shares = (reached & alike).sum(axis=1) / alike.sum(axis=1)
        columns[f"{OUTCOME}false_match_within {name}"] = np.where(alike.any(axis=1), shares, np.nan)
    return columns


def _described(dataset: Dataset, parts: Split, own: NDArray[np.int64], groups: list[str], seed: int) -> dict[str, Any]:
    table = dataset.table
    probe, subject = numbers(len(table), seed, "p"), numbers(len(parts.subjects), seed, "s")
    return {
        "sample_id": [probe[at] for at in parts.probes],
        "variant": CLEAN,
        "label_set": LABEL_SET,
        "cluster": [subject[at] for at in own],
        **{name: [str(table[name].iloc[at]) for at in parts.probes] for name in groups},
        "y_true": "the subject",
    }
