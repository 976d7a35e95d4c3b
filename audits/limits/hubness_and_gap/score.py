"""How often each image answers, and whether it is named and found rightly: as it is, centred, and by a querybank."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame
from pydantic import Field

from audits import closed_set
from audits.answers import DECIMALS, classifier, likeliest
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput
from workbench.probes.by_cluster import fold
from workbench.retrieval.hubs import NEAREST, bank_normalised
from workbench.retrieval.stock import sentences
from workbench.statistics.ranking import order
from workbench.strict import Strict

PLAIN, CENTRED, BANK = "as it is", "centred", "querybank"
RIGHT, RETRIEVED, HUB = "right", "retrieved", "hub"
FEWEST = 2 * NEAREST  # images
Ways = Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64] | None, NDArray[np.float64], NDArray[np.float64]]]


class Settings(Strict):
    """Settings of `limits/hubness-and-gap`."""

    times: float = Field(3.0, gt=1)  # as often among the first ten as an even share, from which an image is a hub


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return each image with a known label.

    Raises:
        BadInput: fewer than twenty, so that ten first answers mean little.
    """
    rules.settings_as(Settings)
    ids = closed_set.labelled(dataset, rules)
    if len(ids) < FEWEST:
        raise BadInput(f"Hubs are looked for among {FEWEST} images or more; {dataset.about.title!r} has {len(ids)}.")
    return [Item(sample) for sample in ids]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return the labels in all templates, and the stock sentences."""
    return list(dict.fromkeys([*closed_set.texts(dataset, rules), *sentences()]))


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and way (label set).

    Columns: `occurs`, for how many of the `queries` stock sentences the image is among the ten first; `outcome:hub`;
    `outcome:right`, named rightly among all labels; `outcome:retrieved`, among as many first answers to its label as
    there are images with it; `gap`, how far the image lies from the texts' mean, along the line between the two means.
    """
    settings = rules.settings_as(Settings)
    rows, images = described(embedded), embedded.images.astype(np.float64)
    labels = list(next(iter(closed_set.label_sets(embedded.dataset, rules).values())))
    stock = np.stack([embedded.texts[one] for one in sentences()]).astype(np.float64)
    half = np.array([fold(f"half of {name}", 2) for name in rows["cluster"]])
    named, parts = classifier(embedded.texts, labels, rules.templates), []
    for way, near, right, far, gap in _ways(images, stock, named, half):
        part = rows.copy()
        part.insert(2, "label_set", way)
        first = np.argpartition(-far, NEAREST - 1, axis=1)[:, :NEAREST]
        part["occurs"] = np.bincount(first.ravel(), minlength=len(rows))
        part["queries"], part["gap"], part["half"] = len(far), gap, half
        part[OUTCOME + HUB] = (part["occurs"] > settings.times * NEAREST * len(far) / len(rows)).astype(float)
        answers = part["y_true"] if right is None else likeliest(right, labels)
        part[OUTCOME + RIGHT] = np.nan if right is None else (part["y_true"] == answers).astype(float)
        part[OUTCOME + RETRIEVED] = np.nan
        for at, label in enumerate(labels):
            here = (part["y_true"] == label).to_numpy(bool)
            best = order(near[at], list(part["sample_id"]))[: int(here.sum())]
            part.loc[here, OUTCOME + RETRIEVED] = np.isin(np.flatnonzero(here), best).astype(float)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _ways(
    images: NDArray[np.float64], stock: NDArray[np.float64], named: NDArray[np.float64], half: NDArray[np.int_]
) -> Ways:
    """Yield scores of labels (labels, n) to search and (n, labels) to name, of sentences (m, n), and the gap (n,).

    Every other stock sentence is asked; the others are the querybank, and the centre of texts.
    """
    queries, bank = stock[::2], stock[1::2]
    near, far = _cosines(named, images), _cosines(queries, images)
    yield PLAIN, near, near.T, far, _gap(images, queries)
    centres = np.stack([images[half == at].mean(axis=0) for at in (1, 0)])  # of the other half
    moved, text = _unit(images - centres[half]), bank.mean(axis=0)
    names, questions = _unit(named - text), _unit(queries - text)
    centred = _cosines(names, moved)
    yield CENTRED, centred, centred.T, _cosines(questions, moved), _gap(moved, questions)
    held = _cosines(bank, images).astype(np.float32)
    ranked = [bank_normalised(one.astype(np.float32), held).astype(np.float64) for one in (near, far)]
    yield BANK, ranked[0], None, ranked[1], np.full(len(images), np.nan)


def _gap(images: NDArray[np.float64], texts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n,) whose mean is the distance of the two means."""
    apart = images.mean(axis=0) - texts.mean(axis=0)
    return np.asarray((images - texts.mean(axis=0)) @ (apart / max(float(np.linalg.norm(apart)), 1e-12)))


def _cosines(queries: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.round(queries @ images.T, DECIMALS))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
