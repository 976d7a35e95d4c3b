"""From vectors to answers: where each probe's own subject stands in the gallery, and how strangers score.

Knows no model and no statistics. The rows tell of numbered probes and subjects; no label leaves this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audits.answers import classifier, cosines
from audits.contracts import CLEAN, OUTCOME, Embedded
from audits.surveillance.chances import drawn_top1, expected_top1
from audits.surveillance.gallery import (
    Settings,
    Split,
    numbers,
    settings,
    split,
    sweep,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.protocol import Protocol as Rules

LABEL_SET = "gallery"
DRAWS = "draws"  # variant of the rows that hold the accuracies of drawn galleries


def samples(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row a probe, and one a gallery size with the accuracies of drawn galleries.

    Outcomes: top1@SIZE, the chance of standing first in a random gallery of that size; false_non_match, whether the
    own subject scores below the threshold; false_match, the share of strangers that reach it; and false_match_within
    a column, the same among strangers of the probe's own group.
    """
    import pandas as pd

    chosen = settings(rules)
    parts = split(embedded.dataset, rules)
    table, own = _compare(embedded, parts, rules)
    n, subjects = table.shape
    mine = np.take_along_axis(table, own[:, None], axis=1)[:, 0]
    strangers = np.ones_like(table, dtype=bool)
    np.put_along_axis(strangers, own[:, None], False, axis=1)
    steps = sweep(chosen.step)
    over = _over(table, strangers, steps)
    at = _threshold(over.sum(axis=0) / (n * (subjects - 1)), chosen.false_match)
    beaten_by = ((table >= mine[:, None]) & strangers).sum(axis=1)
    columns: dict[str, Any] = {
        "beaten_by": beaten_by,
        "subjects": np.full(n, subjects),
        "genuine": mine,
        "over": list(over.astype(int).tolist()),
        "threshold": np.full(n, steps[at]),
        f"{OUTCOME}false_non_match": (mine < steps[at]).astype(float),
        f"{OUTCOME}false_match": over[:, at] / (subjects - 1),
    }
    for size in chosen.gallery_sizes:
        if size <= subjects:
            columns[f"{OUTCOME}top1@{size}"] = expected_top1(beaten_by, subjects, size)
    columns |= _within(embedded, parts, chosen, table >= steps[at], strangers)
    rows = pd.DataFrame({**_who(embedded, parts, own, chosen, seed), **columns})
    rows["y_pred"] = np.where(beaten_by == 0, "the subject", "another")
    rows["rank_true"] = beaten_by + 1
    drawn = _drawn(table, own, chosen, seed)
    return pd.concat([rows.sort_values("sample_id"), pd.DataFrame(drawn)], ignore_index=True)


def groups(embedded_attributes: tuple[str, ...], chosen: Settings) -> list[str]:
    """Return the columns that divide people into groups."""
    return [name for name in embedded_attributes if not chosen.groups or name in chosen.groups]


def _compare(embedded: Embedded, parts: Split, rules: Rules) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, N) cosines of probes with subjects, and (n,) the place of each probe's own subject."""
    labels = [str(label) for label in embedded.dataset.table["label"]]
    rows = {item.sample_id: place for place, item in enumerate(embedded.items)}
    vector = [rows[name] for name in embedded.dataset.table["sample_id"]]
    if parts.gallery:
        means = np.stack(
            [embedded.images[[vector[at] for at in parts.gallery[subject]]].mean(axis=0) for subject in parts.subjects]
        ).astype(np.float64)
        references = means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-12)
    else:
        references = classifier(embedded.texts, parts.subjects, rules.templates)
    places = {subject: place for place, subject in enumerate(parts.subjects)}
    own = np.array([places[labels[at]] for at in parts.probes], dtype=np.int64)
    return cosines(embedded.images[[vector[at] for at in parts.probes]], references), own


def _over(table: NDArray[np.float64], strangers: NDArray[np.bool_], steps: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n, N) -> (n, thresholds): how many strangers reach each threshold."""
    counts = np.zeros((len(table), len(steps)), dtype=np.int64)
    for place, row in enumerate(table):
        scores = np.sort(row[strangers[place]])
        counts[place] = len(scores) - np.searchsorted(scores, steps, side="left")
    return counts


def _threshold(shares: NDArray[np.float64], wanted: float) -> int:
    """Return the place of the lowest threshold that lets through no more strangers than wanted."""
    return int(np.argmax(shares <= wanted))


def _within(
    embedded: Embedded, parts: Split, chosen: Settings, reached: NDArray[np.bool_], strangers: NDArray[np.bool_]
) -> dict[str, Any]:
    """Return for each grouping the share of strangers of the probe's own group that reach the threshold."""
    table = embedded.dataset.table
    found: dict[str, Any] = {}
    for name in groups(embedded.dataset.attributes, chosen):
        values = [str(value) for value in table[name]]
        first = {str(label): place for place, label in reversed(list(enumerate(table["label"])))}
        theirs = np.array([values[first[subject]] for subject in parts.subjects], dtype=object)
        mine = np.array([values[at] for at in parts.probes], dtype=object)
        like = (mine[:, None] == theirs[None, :]) & strangers
        with np.errstate(invalid="ignore"):
            shares = (reached & like).sum(axis=1) / like.sum(axis=1)
        found[f"{OUTCOME}false_match_within {name}"] = np.where(like.any(axis=1), shares, np.nan)
    return found


def _who(embedded: Embedded, parts: Split, own: NDArray[np.int64], chosen: Settings, seed: int) -> dict[str, Any]:
    table = embedded.dataset.table
    probe, subject = numbers(len(table), seed, "p"), numbers(len(parts.subjects), seed, "s")
    return {
        "sample_id": [probe[at] for at in parts.probes],
        "variant": CLEAN,
        "label_set": LABEL_SET,
        "cluster": [subject[place] for place in own],
        **{
            name: [str(table[name].iloc[at]) for at in parts.probes]
            for name in groups(embedded.dataset.attributes, chosen)
        },
        "y_true": "the subject",
    }


def _drawn(table: NDArray[np.float64], own: NDArray[np.int64], chosen: Settings, seed: int) -> list[dict[str, Any]]:
    return [
        {
            "sample_id": f"size {size}",
            "variant": DRAWS,
            "label_set": LABEL_SET,
            "cluster": f"size {size}",
            "size": size,
            "drawn": drawn_top1(table, own, size, draws=chosen.draws, seed=seed),
        }
        for size in chosen.gallery_sizes
        if size <= table.shape[1]
    ]
