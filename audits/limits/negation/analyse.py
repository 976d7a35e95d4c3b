"""Shares of right choices and right orders beside chance, and what subtraction changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.captions import beside_chance
from audits.contracts import OUTCOME, ModelFacts
from audits.limits.negation.score import FIRST, NO, QUERIES, SEARCH
from audits.limits.negation.text import findings
from audits.protocol import Protocol as Rules
from workbench.statistics import intervals
from workbench.statistics.measures import Measure, adjust, number

RIGHT_ORDER = 1 / 2  # what a random ranking gives


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return right choices by kind of question, right orders by way to ask, and the paired change by subtraction."""
    rng = np.random.default_rng(seed)
    measures: list[Measure] = []
    for name, rows in samples.groupby("label_set", sort=False):
        fields: dict[str, Any] = {"label_set": str(name), "direction": "higher"}
        if name in (SEARCH, NO):
            measures += _searched(rows, fields, rng)
        else:
            measures += _chosen(rows, fields)
    measures = adjust(measures, "holm")
    return Analysis(measures, list(findings(measures)), _figures(measures))


def _chosen(rows: DataFrame, fields: dict[str, Any]) -> Iterator[Measure]:
    questions = rows[rows[f"{OUTCOME}choice"].notna()]
    parts = [({}, questions), *(({"kind": str(key)}, part) for key, part in questions.groupby("kind", sort=True))]
    for slice, part in parts:
        if len(part):
            row = measuring.share("choice", part[f"{OUTCOME}choice"], list(part["cluster"]), slice=slice, **fields)
            yield beside_chance(row, float(part["chance"].mean()))
    recall = f"recall_at_{FIRST}"
    if f"{OUTCOME}{recall}" in rows.columns and len(part := rows[rows[f"{OUTCOME}{recall}"].notna()]):
        row = measuring.share(recall, part[f"{OUTCOME}{recall}"], list(part["cluster"]), **fields)
        yield beside_chance(row, min(1.0, FIRST / len(part)))


def _searched(rows: DataFrame, fields: dict[str, Any], rng: np.random.Generator) -> Iterator[Measure]:
    keys = ["x", "y", "sample_id"]
    wide = rows.set_index([*keys, "query"]).unstack("query")
    cluster = rows.drop_duplicates(keys).set_index(keys)["cluster"].loc[wide.index].tolist()
    for metric in ("right_order", "retrieved"):
        table = wide[f"{OUTCOME}{metric}"]
        for query in (name for name in QUERIES if name in table.columns):
            extra: dict[str, Any] = {**fields, "slice": {"query": query}, "unit": "share"}
            row = measuring.mean(metric, table[query], cluster, rng=rng, **extra)
            if metric == "right_order":
                test = measuring.change("", np.full(len(table), RIGHT_ORDER), table[query], cluster=cluster)
                row = replace(row, null_mean=RIGHT_ORDER, p_value=test.p_value)
            yield row
        extra = {**fields, "cluster": cluster, "reference": "the sentence"}
        yield measuring.change(f"{metric}.by_subtraction", table[QUERIES[0]], table[QUERIES[1]], **extra)
        if QUERIES[2] in table.columns:
            extra |= {"reference": "the query without what it excludes"}
            yield measuring.change(f"{metric}.by_sentence", table[QUERIES[2]], table[QUERIES[0]], **extra)
    if rows["label_set"].iloc[0] == NO:
        each = rows.drop_duplicates("y")["agreement"].dropna().to_numpy(float)
        yield number(
            "agreement", intervals.mean(each), n=len(each), unit="correlation", **{**fields, "direction": "lower"}
        )


def _figures(measures: Sequence[Measure]) -> list[Figure]:
    rows = [
        (f"{m.label_set}: {' '.join(m.slice.values()) or 'all'}", m.value, m.ci_low, m.ci_high, m.null_mean)
        for m in measures
        if m.metric in ("choice", "right_order") and m.value is not None
    ]
    return [
        Figure(
            "negation",
            "Right choices and right orders",
            "intervals",
            pd.DataFrame(rows, columns=["name", "value", "low", "high", "null"]),
            "share",
            "question",
            "For each kind of question the share of right choices, and for each way to search the share of pairs in "
            "the right order, as a dot with its interval; the line is what guessing gives.",
        )
    ]
