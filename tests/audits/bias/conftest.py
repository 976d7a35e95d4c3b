"""A model with a closed-form answer: each text has an axis of its own, and a picture lies where it is planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audits.analysis import Analysis
from audits.contracts import Embedded, ModelFacts
from audits.datasets.dataset import About, Dataset
from audits.protocol import Protocol
from audits.stages import analysed
from workbench.statistics.measures import Measure


@pytest.fixture(scope="session")
def facts() -> ModelFacts:
    return ModelFacts("planted", "Planted", "0", "softmax", 100.0, 0.0, 0, "float32", "cpu")


@pytest.fixture(scope="session")
def dataset() -> Callable[[Sequence[Mapping[str, str]]], Dataset]:
    """A data set of rows with attributes; sample_id, cluster, split and label may be left out."""

    def made(rows: Sequence[Mapping[str, str]]) -> Dataset:
        fixed = ("sample_id", "path", "sha256", "cluster", "split", "label")
        full = [{**dict.fromkeys(fixed, ""), "sample_id": f"{at:05d}", **row} for at, row in enumerate(rows)]
        table = pd.DataFrame(full).sort_values("sample_id", ignore_index=True)
        attributes = tuple(name for name in table.columns if name not in fixed)
        return Dataset("csv:planted", About("Planted"), table, Path("."), attributes)

    return made


@pytest.fixture(scope="session")
def plant(facts: ModelFacts, dataset: Any) -> Callable[..., Embedded]:
    """Embed rows so that picture i lies on the axis of the text `near[i]`, or between several with given weights."""

    def embedded(module: Any, rules: Protocol, rows: Sequence[Mapping[str, str]], *, near: Sequence[Any]) -> Embedded:
        data = dataset(rows)
        items = tuple(module.plan(data, rules, seed=0))
        texts = list(dict.fromkeys(module.texts(data, rules)))
        axes = np.eye(len(texts), dtype=np.float32)
        where = {f"{at:05d}": label for at, label in enumerate(near)}
        images = []
        for item in items:
            label = where[item.sample_id]
            parts = {label: 1.0} if isinstance(label, str) else label
            vector = sum(weight * axes[texts.index(text)] for text, weight in parts.items())
            images.append(vector / np.linalg.norm(vector))
        return Embedded(facts, data, items, np.stack(images), dict(zip(texts, axes, strict=True)))

    return embedded


@pytest.fixture(scope="session")
def run(plant: Any) -> Callable[..., Analysis]:
    """All three stages of a module on planted vectors."""

    def done(module: Any, rules: Protocol, rows: Sequence[Mapping[str, str]], *, near: Sequence[Any]) -> Analysis:
        embedded = plant(module, rules, rows, near=near)
        samples = module.score(embedded, rules, seed=0)
        return analysed(module, samples, rules, model=embedded.model, seed=0)

    return done


@pytest.fixture(scope="session")
def the() -> Callable[..., Measure]:
    """The one measure of a metric with the fields given; without a contrast, of everybody unless a slice is given."""

    def result(analysis: Analysis, metric: str, **wanted: Any) -> Measure:
        wanted.setdefault("contrast", "none")
        if wanted["contrast"] == "none":
            wanted.setdefault("slice", {})
        kept = [
            m
            for m in analysis.measures
            if m.metric == metric and all(getattr(m, name) == value for name, value in wanted.items())
        ]
        assert len(kept) == 1, [(m.metric, m.label_set, m.slice_by, m.slice, m.contrast) for m in kept]
        return kept[0]

    return result
