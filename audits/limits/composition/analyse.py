"""Shares of correct choices by kind of question, beside chance and beside a model that sees no image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.captions import beside_chance
from audits.contracts import OUTCOME, ModelFacts
from audits.limits.composition.text import findings
from audits.protocol import Protocol as Rules
from workbench.statistics.measures import Measure, adjust

CHANCE = {"text_to_image": 1 / 2, "text_score": 1 / 4, "image_score": 1 / 4, "group_score": 1 / 6}
BY = ("kind", "relation")  # attributes whose values are measured apart where the data set has them


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return the scores of all questions, of each kind and of each relation."""
    measures: list[Measure] = []
    for name, rows in samples.groupby("label_set", sort=False):
        for slice, part in _slices(rows):
            measures += _scores(part, {"slice": slice, "label_set": str(name), "direction": "higher"})
    measures = adjust(measures, "holm")
    return Analysis(measures, list(findings(measures)), _figures(measures))


def _slices(rows: DataFrame) -> Iterator[tuple[dict[str, str], DataFrame]]:
    yield {}, rows
    for by in (name for name in BY if name in rows.columns):
        for key, part in rows[rows[by] != ""].groupby(by, sort=True):
            yield {by: str(key)}, part


def _scores(rows: DataFrame, fields: dict[str, Any]) -> Iterator[Measure]:
    cluster = list(rows["cluster"])
    right, unseeing = rows[f"{OUTCOME}image_to_text"], rows[f"{OUTCOME}blind"]
    guesses = float(rows["chance"].mean())
    yield beside_chance(measuring.share("image_to_text", right, cluster, **fields), guesses)
    for metric, chance in CHANCE.items():
        part = rows[rows[f"{OUTCOME}{metric}"].notna()]
        if len(part):
            share = measuring.share(metric, part[f"{OUTCOME}{metric}"], list(part["cluster"]), **fields)
            yield beside_chance(share, chance)
    yield measuring.share("tied", rows[f"{OUTCOME}tied"], cluster, **{**fields, "direction": "lower"})
    yield beside_chance(measuring.share("blind", unseeing, cluster, **{**fields, "direction": "none"}), guesses)
    yield measuring.change("above_blind", unseeing, right, cluster=cluster, **fields, reference="word pairs alone")


def _figures(measures: Sequence[Measure]) -> list[Figure]:
    series = {"image_to_text": "the model", "blind": "word pairs alone", "group_score": "group score"}
    rows = [
        (" ".join(m.slice.values()) or "all questions", m.value, m.ci_low, m.ci_high, m.null_mean, series[m.metric])
        for m in measures
        if m.metric in series and m.value is not None
    ]
    return [
        Figure(
            "by-kind",
            "Correct choices by kind of question",
            "intervals",
            pd.DataFrame(rows, columns=["name", "value", "low", "high", "null", "series"]),
            "share correct",
            "kind of question",
            "For each kind of question the share that the model gets right, what word pairs alone get right without "
            "an image, and the group score, each as a dot with its interval; the line is what guessing gives.",
        )
    ]
