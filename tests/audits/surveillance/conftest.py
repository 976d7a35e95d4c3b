"""Planted vectors: data sets and embeddings whose answers are known by construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audits.contracts import Embedded, Item, ModelFacts
from audits.datasets.dataset import FIXED, About, Dataset

FACTS = ModelFacts("planted", "Planted", "f" * 8, "softmax", 100.0, 0.0, 0, "float32", "cpu")


@pytest.fixture
def dataset() -> Callable[..., Dataset]:
    """Return a function that makes a data set of rows; columns that are not fixed are its attributes."""

    def make(rows: Sequence[dict[str, str]]) -> Dataset:
        table = pd.DataFrame(rows)
        for name in FIXED:
            if name not in table:
                table[name] = table["sample_id"] if name in ("path", "sha256") else ""
        table = table.sort_values("sample_id").reset_index(drop=True)
        return Dataset("test:planted", About("Planted"), table, Path(), tuple(set(table) - set(FIXED)))

    return make


@pytest.fixture
def embedded() -> Callable[..., Embedded]:
    """Return a function that joins a data set with one vector a sample and one a text."""

    def make(dataset: Dataset, images: dict[str, np.ndarray], texts: dict[str, np.ndarray] | None = None) -> Embedded:
        names = list(dataset.table["sample_id"])
        rows = np.stack([images[name] for name in names]).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        words = {text: (row / np.linalg.norm(row)).astype(np.float32) for text, row in (texts or {}).items()}
        return Embedded(FACTS, dataset, tuple(Item(name) for name in names), rows, words)

    return make
