"""Data sets and embeddings with planted answers, so that an audit's numbers are known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audits import catalogue
from audits.analysis import Analysis
from audits.contracts import Embedded, Item, ModelFacts, Stages
from audits.datasets.dataset import About, Dataset
from audits.protocol import Protocol, parse
from audits.stages import stages
from workbench.statistics.measures import Measure


def stages_of(audit: str) -> Stages:
    return stages(catalogue.find(audit))


def facts(dim: int, *, scale: float = 10.0, score: str = "softmax", bias: float = 0.0) -> ModelFacts:
    return ModelFacts("planted", "Planted", "0" * 32, score, scale, bias, dim, "float32", "cpu")


def dataset(labels: Sequence[str], root: Path | None = None, **columns: Sequence[str]) -> Dataset:
    """One picture a label, in order; `cluster` may be among the columns."""
    n = len(labels)
    names = [f"s{at:04d}" for at in range(n)]
    given = {"sample_id": names, "path": [f"{name}.png" for name in names], "sha256": names, "split": ["test"] * n}
    cluster = list(columns.pop("cluster", names))
    table = pd.DataFrame({**given, "cluster": cluster, "label": list(labels), **columns})
    return Dataset("planted", About("Planted"), table, root or Path(), tuple(columns))


def protocol(audit: str, settings: dict[str, object] | None = None, **fields: object) -> Protocol:
    content = {"schema": 1, "name": "planted", "audit": audit, "title": "Planted", "templates": ["{}"]}
    return parse({**content, "settings": settings or {}, **fields})


def embedded(
    data: Dataset, images: NDArray[np.float64], texts: dict[str, NDArray[np.float64]], **given: object
) -> Embedded:
    """Hand over planted vectors; `items` says otherwise than one clean picture a row."""
    items = given.pop("items", None) or tuple(Item(sample) for sample in data.table["sample_id"])
    known = facts(images.shape[1], **given)  # type: ignore[arg-type]
    rows = {text: vector.astype(np.float32) for text, vector in texts.items()}
    return Embedded(known, data, items, images.astype(np.float32), rows)  # type: ignore[arg-type]


def one_hot(names: Sequence[str], dim: int | None = None) -> dict[str, NDArray[np.float64]]:
    """Give every name a direction of its own."""
    return dict(zip(names, np.eye(dim or len(names))[: len(names)], strict=True))


def find(analysis: Analysis, metric: str, **slice: str) -> Measure:
    """Return the one measure of a metric and slice."""
    (one,) = [m for m in analysis.measures if m.metric == metric and dict(m.slice) == slice]
    return one
