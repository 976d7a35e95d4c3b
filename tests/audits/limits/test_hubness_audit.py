"""Hubs and gap: planted hubs and a planted gap are found at their size, and none where none was planted."""

from __future__ import annotations

import numpy as np
import pytest

from audits.analysis import Analysis
from audits.catalogue import read_protocol
from tests.audits.planted import dataset, embedded, facts, stages_of
from workbench.errors import BadInput
from workbench.retrieval.stock import sentences
from workbench.statistics.measures import Measure

hubs = stages_of("limits/hubness-and-gap")
RULES = read_protocol("limits/hubness-and-gap", "things")
DIM, IMAGES = 64, 200


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def planted(*, hub: int = 0, gap: float = 0.0) -> Analysis:
    """Images and sentences at random; the first images lie where all sentences lie, and a gap parts the two kinds."""
    rng = np.random.default_rng(0)
    labels = [f"thing{at % 4}" for at in range(IMAGES)]
    data = dataset(labels)
    every = hubs.texts(data, RULES)
    texts, images = unit(rng.normal(size=(len(every), DIM))), unit(rng.normal(size=(IMAGES, DIM)))
    if hub:
        texts[:, 0] += 2.0
        images[:, 0] -= 0.3
        images[:hub, 0] += 0.8
    side = np.zeros(DIM + 1)
    side[-1] = gap / 2
    spread = np.sqrt(1 - (gap / 2) ** 2)
    images, texts = (
        np.hstack([unit(rows) * spread, np.zeros((len(rows), 1))]) + sign * side
        for rows, sign in ((images, 1), (texts, -1))
    )
    given = embedded(data, images, dict(zip(every, texts, strict=True)))
    samples = hubs.score(given, RULES, seed=0)
    return hubs.analyse(samples, RULES, model=facts(DIM + 1), seed=0)


def of(analysis: Analysis, metric: str, way: str) -> Measure:
    (one,) = [m for m in analysis.measures if (m.metric, m.label_set) == (metric, way)]
    return one


def test_planted_hubs_are_found_and_ranked_down() -> None:
    analysis = planted(hub=10)
    row = of(analysis, "hubness", "as it is")
    assert row.value > 3  # type: ignore[operator]
    assert row.ci_low > row.null_q95  # type: ignore[operator]
    assert of(analysis, "hub", "as it is").value == 10 / IMAGES
    assert of(analysis, "hub", "querybank").value < 10 / IMAGES  # type: ignore[operator]
    left, change = of(analysis, "hub", "querybank").value, of(analysis, "hub.change", "querybank").value
    assert change == pytest.approx(left - 10 / IMAGES)  # type: ignore[operator]
    found = [one.text for one in analysis.findings if one.strength == "found"]
    assert any("gather on a few images" in text for text in found)


def test_a_planted_gap_is_measured_and_centring_closes_it() -> None:
    for size in (0.0, 0.8):
        analysis = planted(gap=size)
        assert of(analysis, "gap", "as it is").value == pytest.approx(size, abs=0.12)
        assert of(analysis, "gap", "centred").value < 0.3  # type: ignore[operator]
    change = of(analysis, "gap.change", "centred")
    assert change.ci_high < -0.4  # type: ignore[operator]


def test_no_hubs_are_found_where_none_were_planted() -> None:
    analysis = planted()
    assert of(analysis, "hub", "as it is").value == 0
    row, even, asked = of(analysis, "hubness", "as it is"), 10 / IMAGES, len(sentences()[::2])
    assert row.value < 1  # type: ignore[operator]
    skewness = (1 - 2 * even) / np.sqrt(asked * even * (1 - even))  # of a binomial count
    assert row.null_mean == pytest.approx(skewness, rel=0.15)
    for metric in ("right", "retrieved"):
        row = of(analysis, metric, "as it is")
        assert row.ci_low < 1 / 4 < row.ci_high  # type: ignore[operator]
    assert not [one for one in analysis.findings if one.strength == "found" and "as it is" in one.label_set]


def test_occurrences_are_counted_by_hand() -> None:
    rng = np.random.default_rng(1)
    data = dataset([f"thing{at % 4}" for at in range(IMAGES)])
    texts = {text: unit(rng.normal(size=DIM)) for text in hubs.texts(data, RULES)}
    images = unit(rng.normal(size=(IMAGES, DIM)))
    samples = hubs.score(embedded(data, images, texts), RULES, seed=0)
    rows = samples[samples["label_set"] == "as it is"]
    counts = np.zeros(IMAGES, int)
    for sentence in sentences()[::2]:
        scores = images.astype(np.float32).astype(float) @ texts[sentence].astype(np.float32).astype(float)
        counts[np.argsort(-scores)[:10]] += 1
    assert rows["occurs"].tolist() == counts.tolist()
    assert set(rows["queries"]) == {len(sentences()[::2])}


def test_images_are_centred_by_the_mean_of_the_other_half() -> None:
    from audits.limits.hubness_and_gap.score import _ways

    rng = np.random.default_rng(2)
    half = np.arange(40) % 2
    images = unit(np.eye(8)[0] * np.where(half == 0, 1.0, -1.0)[:, None] + 0.1 * rng.normal(size=(40, 8)))
    stock = unit(rng.normal(size=(40, 8)))
    scores = {name: near for name, near, *_ in _ways(images, stock, np.eye(8)[:2] + stock[1::2].mean(axis=0), half)}
    assert scores["centred"][0][half == 0].min() > 0.8  # their own mean would leave noise alone
    assert scores["centred"][0][half == 1].max() < -0.8


def test_few_images_are_refused() -> None:
    with pytest.raises(BadInput, match="20 images or more"):
        hubs.plan(dataset(["a", "b"] * 5), RULES, seed=0)
